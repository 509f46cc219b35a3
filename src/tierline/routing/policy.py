"""A spec compiled for deciding: models are bits of a mask, thresholds are numbers, rules are programs.

`compile.py` makes it, once, at load; nothing in it changes afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.config.budgets import Budget
from tierline.routing.rules import Rules
from tierline.types.catalog import Model

StreamMode = Literal["buffered", "optimistic"]


class Fleet(msgspec.Struct, frozen=True):
    """Every model, ordered by tier and then as the spec lists them; model `i` is bit `1 << i` of every mask.

    `tiers` names the ladder, `level[i]` is model i's rung, `on_level[t]` the mask of rung t, `can[c]` the mask of models with
    capability c; `price_in` and `price_out` are USD per token; `smallest_window` is the smallest known window of all;
    `limited` names the models with a limit of concurrency; `windows` are in tokens, 0 where unknown; `saved[i]` is what a token of model i
    read from its prompt cache costs less, in USD."""

    models: tuple[Model, ...]
    names: tuple[str, ...]
    index: Mapping[str, int]
    tiers: tuple[str, ...]
    level: tuple[int, ...]
    on_level: tuple[int, ...]
    can: Mapping[str, int]
    price_in: tuple[float, ...]
    price_out: tuple[float, ...]
    smallest_window: int
    everyone: int
    limited: tuple[str, ...]
    windows: tuple[int, ...]
    saved: tuple[float, ...]


class Checks(msgspec.Struct, frozen=True):
    """What an answer must pass: the validators' names, how often a target may try again, and which of them measure confidence alone."""

    names: tuple[str, ...] = ()
    retries: int = 0
    confidence: tuple[str, ...] = ()


NO_CHECKS = Checks()


class TaskPolicy(msgspec.Struct, frozen=True):
    """One task. `order` lists its models (empty: all of them, `mask` covers either case); `quality[i]` is the declared pass rate of
    model i, None where the spec gives none; where `bar`, `stream` or `tolerance` is None the route's holds, and its checks where there are
    none."""

    name: str
    mask: int
    order: tuple[int, ...] = ()
    fallback: tuple[int, ...] = ()
    fallback_mask: int = 0
    bar: float | None = None
    failure_cost: float = 0.0
    latency_budget: float | None = None
    prefer: str = "cost"
    risk: str = ""
    quality: tuple[float | None, ...] = ()
    weights: tuple[float, ...] = ()
    checks: Checks = NO_CHECKS
    stream: StreamMode | None = None
    tolerance: float | None = None


class Use(msgspec.Struct, frozen=True):
    """What a model rule leaves: a mask, and the order in which to try it when the rule gave a list. `number` is its place in the spec."""

    number: int
    subject: str
    mask: int
    order: tuple[int, ...] = ()


class CombinePolicy(msgspec.Struct, frozen=True):
    """How a route combines: `order` are its branches, `judge` and `otherwise` models or -1; `max_cost` in USD over all branches."""

    order: tuple[int, ...]
    by: Literal["agreement", "majority", "judge", "first_valid"]
    normalise: str
    judge: int
    otherwise: int
    max_cost: float | None


class ShadowPolicy(msgspec.Struct, frozen=True):
    """Who answers beside, for a `share` of requests; `sensitive`: of those with sensitive content too. `wanted` are masks of models, each
    with the tasks that it is for (none given: all): those of the route itself and of each experiment on it."""

    wanted: tuple[tuple[int, frozenset[str]], ...]
    share: float
    sensitive: bool


class RoutePolicy(msgspec.Struct, frozen=True):
    """One route. `ceilings[t]` is the highest difficulty that rung t takes; the last is 1.

    `retries` and `backoff` (seconds) are for those that failed for a passing reason. `refusals` is the model for what others refuse, or
    -1; `helpers` is the mask of every model that the course may need beside those of the task. `hedge`: seconds, inf for the model's own
    p95, None for never. `flags_unsure`: a merely unsure answer goes out flagged. `sticky` sessions stay with their model while that costs
    at most `premium`, a share, more. `shadow` is None where no model answers beside, by the route or by an experiment."""

    name: str
    task: str
    bar: float
    ceilings: tuple[float, ...]
    select: str
    weights: tuple[float, ...]
    explore: float
    max_attempts: int
    max_cost: float | None
    deadline: float
    task_rules: Rules
    task_rule_targets: tuple[tuple[int, str], ...]
    model_rules: Rules
    uses: tuple[Use, ...]
    log_text: float
    checks: Checks = NO_CHECKS
    stream: StreamMode = "buffered"
    tolerance: float = 0.05
    retries: int = 0
    backoff: float = 0.25
    refusals: int = -1
    combine: CombinePolicy | None = None
    helpers: int = 0
    hedge: float | None = None
    flags_unsure: bool = False
    sticky: bool = False
    premium: float = 0.0
    shadow: ShadowPolicy | None = None


class GovernancePolicy(msgspec.Struct, frozen=True):
    """The governance rules: while rule k holds, only the models of `allowed[k]` may serve; of `closed[k]` where the request holds what
    could not be looked at, for nothing in it can be replaced.

    `redact[k]` are the kinds that rule k has replaced; `refuses` the numbers of the rules under which nobody may answer; `own` the kinds
    that the spec's own patterns find."""

    rules: Rules
    allowed: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    redact: tuple[frozenset[str], ...] = ()
    refuses: frozenset[int] = frozenset()
    own: frozenset[str] = frozenset()


class ArmPolicy(msgspec.Struct, frozen=True):
    """One arm. `name` is `<experiment>/<arm>`, `salt` the number that its draw is made with. `use` are the models that answer instead,
    `tasks` the tasks as it changes them; `elsewhere`: another spec answers."""

    name: str
    share: float
    salt: int
    use: Use | None = None
    tasks: Mapping[str, TaskPolicy] = {}
    elsewhere: bool = False


class ExperimentPolicy(msgspec.Struct, frozen=True):
    """One experiment. `tasks` and `routes` take part, every one where there are none; `rest` is the share that takes no part, `mask` the
    models of every arm that names some."""

    name: str
    tasks: frozenset[str]
    routes: frozenset[str]
    arms: tuple[ArmPolicy, ...]
    rest: float
    salt: int
    mask: int = 0


class Policy(msgspec.Struct, frozen=True):
    """The whole compiled spec. `keys` maps a key's name → the mask of models it may reach; `key_tasks` → its fixed task; both are of
    the spec's own keys (`eligibility.of_key` adds those that came later). `budgets` are those that are counted over time, `caps` those of
    one request."""

    fingerprint: str
    fleet: Fleet
    tasks: Mapping[str, TaskPolicy]
    routes: Mapping[str, RoutePolicy]
    governance: GovernancePolicy
    keys: Mapping[str, int]
    key_tasks: Mapping[str, str]
    open_task: TaskPolicy
    budgets: tuple[Budget, ...] = ()
    caps: tuple[Budget, ...] = ()
    experiments: tuple[ExperimentPolicy, ...] = ()
