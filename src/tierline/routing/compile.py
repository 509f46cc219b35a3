"""From a loaded spec to the policy that decides: every name becomes an index, every expression a program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tierline.config.budgets import budgets_of
from tierline.config.experiments import ALONE, arms_of, owner_of, settings_of
from tierline.config.expressions import Condition
from tierline.config.loaded import Loaded
from tierline.config.spec import AllowSpec, CombineSpec, ExperimentSpec, RouteSpec, RuleSpec, ShadowSpec, Spec, TaskSpec
from tierline.config.units import Duration
from tierline.config.validation import checks_of
from tierline.routing.draws import salt_of
from tierline.routing.policy import (
    ArmPolicy,
    Checks,
    CombinePolicy,
    ExperimentPolicy,
    Fleet,
    GovernancePolicy,
    Policy,
    RoutePolicy,
    ShadowPolicy,
    TaskPolicy,
    Use,
)
from tierline.routing.rules import Rules
from tierline.types.catalog import Model
from tierline.types.features import CAPABILITIES

CONFIDENCE = "confidence"
"""The kind of check that measures how sure an answer is, and nothing else."""


def compile_policy(loaded: Loaded) -> Policy:
    """The policy of a checked spec. Raises KeyError only for a spec that was never checked."""
    spec = loaded.spec
    fleet = _fleet(spec.tiers, loaded.models.values())
    routes = {"auto": RouteSpec(), **spec.routes}
    budgets = budgets_of(spec, loaded.models)
    return Policy(
        fingerprint=loaded.fingerprint,
        fleet=fleet,
        tasks={name: _task(name, task, fleet) for name, task in spec.tasks.items()},
        routes={name: _route(name, route, spec, fleet) for name, route in routes.items()},
        governance=_governance(spec, fleet),
        keys={key.name: _mask(fleet, key.models) for key in loaded.keys.values() if key.models},
        key_tasks={key.name: key.task for key in loaded.keys.values() if key.task},
        open_task=TaskPolicy(name="", mask=fleet.everyone, quality=(None,) * len(fleet.models)),
        budgets=tuple([budget for budget in budgets if budget.per != "request"]),
        caps=tuple([budget for budget in budgets if budget.per == "request"]),
        experiments=_experiments(spec, fleet),
    )


def _fleet(tiers: Sequence[str], models: Iterable[Model]) -> Fleet:
    rung = {tier: level for level, tier in enumerate(tiers)}
    ordered = tuple(sorted(models, key=lambda model: rung[model.tier]))
    level = tuple(rung[model.tier] for model in ordered)
    on_level = [0] * len(tiers)
    for i, at in enumerate(level):
        on_level[at] |= 1 << i
    dearest = max((m.price.input + m.price.output for m in ordered if m.price.known), default=0.0)
    return Fleet(
        models=ordered,
        names=tuple(model.name for model in ordered),
        index={model.name: i for i, model in enumerate(ordered)},
        tiers=tuple(tiers),
        level=level,
        on_level=tuple(on_level),
        can={word: sum(1 << i for i, m in enumerate(ordered) if word in m.capabilities) for word in CAPABILITIES},
        price_in=tuple((m.price.input if m.price.known else dearest) / 1e6 for m in ordered),
        price_out=tuple((m.price.output if m.price.known else dearest) / 1e6 for m in ordered),
        smallest_window=min((m.context for m in ordered if m.context), default=0),
        everyone=(1 << len(ordered)) - 1,
        limited=tuple(m.name for m in ordered if m.max_concurrency is not None),
        windows=tuple(m.context for m in ordered),
        saved=tuple(0.0 if m.price.cache_read is None else (m.price.input - m.price.cache_read) / 1e6 for m in ordered),
    )


def _mask(fleet: Fleet, names: Iterable[str]) -> int:
    return sum(1 << fleet.index[name] for name in set(names))


def _indices(fleet: Fleet, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(fleet.index[name] for name in names))


def _weights(fleet: Fleet, weights: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(weights.get(model.name, 0.0) for model in fleet.models) if weights else ()


def _task(name: str, task: TaskSpec, fleet: Fleet, owner: str = "") -> TaskPolicy:
    """`owner` is whose its checks are, where they are not its own."""
    return TaskPolicy(
        name=name,
        mask=_mask(fleet, task.models) if task.models else fleet.everyone,
        order=_indices(fleet, task.models),
        fallback=_indices(fleet, task.fallback),
        fallback_mask=_mask(fleet, task.fallback),
        bar=task.quality_bar,
        failure_cost=task.failure_cost,
        latency_budget=None if task.latency_budget is None else float(task.latency_budget),
        prefer=task.prefer,
        risk=task.risk,
        quality=tuple(task.quality.get(model.name) for model in fleet.models),
        weights=_weights(fleet, task.weights),
        checks=_checks(owner or name, task.validate),
        stream=task.stream,
        tolerance=task.tolerance,
    )


def _checks(owner: str, entries: Sequence[Mapping[str, Any]]) -> Checks:
    found = checks_of(owner, entries)
    return Checks(
        tuple(check.name for check in found),
        max((check.retry for check in found), default=0),
        tuple(check.name for check in found if check.kind == CONFIDENCE),
    )


def _route(name: str, route: RouteSpec, spec: Spec, fleet: Fleet) -> RoutePolicy:
    for_task = [(number, rule) for number, rule in enumerate(route.rules) if rule.task is not None]
    for_models = [(number, rule) for number, rule in enumerate(route.rules) if rule.use is not None]
    return RoutePolicy(
        name=name,
        task=route.task,
        bar=route.quality_bar,
        ceilings=ceilings(fleet.tiers, route.difficulty),
        select=route.select,
        weights=_weights(fleet, route.weights),
        explore=route.explore,
        max_attempts=route.cascade.max_attempts,
        max_cost=route.cascade.max_cost,
        deadline=float(route.deadline),
        task_rules=_rules(for_task, spec),
        task_rule_targets=tuple((number, str(rule.task)) for number, rule in for_task),
        model_rules=_rules(for_models, spec),
        uses=tuple(_use(number, rule, fleet) for number, rule in for_models),
        log_text=_share(route.log_text),
        checks=_checks(f"route:{name}", route.validate),
        stream=route.stream,
        tolerance=route.tolerance,
        retries=route.cascade.retries,
        backoff=float(route.cascade.backoff),
        refusals=_one(fleet, _refuge(route, spec)),
        combine=None if route.combine is None else _combine(route.combine, fleet),
        helpers=_helpers(route, spec, fleet),
        hedge=None if route.hedge is None else _after(route.hedge.after),
        flags_unsure=route.cascade.on_low_confidence == "flag",
        sticky=route.session.sticky,
        premium=route.session.max_switch_premium,
        shadow=_shadow(name, route, spec, fleet),
    )


def _shadow(name: str, route: RouteSpec, spec: Spec, fleet: Fleet) -> ShadowPolicy | None:
    """An experiment's shadows are drawn as those of its route; where the route says nothing of any, by what is usual."""
    said = route.shadow or ShadowSpec()
    wanted = [(said.models, said.tasks)]
    wanted += [(each.shadow, each.tasks) for each in spec.experiments.values() if not each.routes or name in each.routes]
    masks = tuple([(_mask(fleet, models), frozenset(tasks)) for models, tasks in wanted if models])
    return ShadowPolicy(masks, said.share, said.sensitive) if masks else None


def _experiments(spec: Spec, fleet: Fleet) -> tuple[ExperimentPolicy, ...]:
    tasks: dict[str, dict[str, TaskPolicy]] = {}
    for arm, name, task in settings_of(spec):
        tasks.setdefault(arm, {})[name] = _task(name, task, fleet, owner_of(name, arm))
    return tuple(_experiment(name, experiment, fleet, tasks) for name, experiment in sorted(spec.experiments.items()) if experiment.arms)


def _experiment(name: str, experiment: ExperimentSpec, fleet: Fleet, tasks: Mapping[str, Mapping[str, TaskPolicy]]) -> ExperimentPolicy:
    arms = []
    for arm in arms_of(name, experiment, fleet.index):
        use = Use(-1, ", ".join(arm.models), _mask(fleet, arm.models), _indices(fleet, arm.models)) if arm.models else None
        arms.append(ArmPolicy(arm.name, arm.share, salt_of(arm.name), use, tasks.get(arm.name, {}), bool(arm.spec)))
    rest = 1.0 - math.fsum(arm.share for arm in arms)
    return ExperimentPolicy(
        name,
        frozenset(experiment.tasks),
        frozenset(experiment.routes),
        tuple(arms),
        rest if rest > ALONE else 0.0,
        salt_of(name),
        _mask(fleet, [model for arm in arms if arm.use is not None for model in (fleet.names[i] for i in arm.use.order)]),
    )


def _one(fleet: Fleet, name: str) -> int:
    return fleet.index[name] if name else -1


def _combine(spec: CombineSpec, fleet: Fleet) -> CombinePolicy:
    order, judge = _indices(fleet, spec.models), _one(fleet, spec.judge)
    return CombinePolicy(order, spec.by, spec.normalise, judge, _one(fleet, spec.else_), spec.max_cost)


def _refuge(route: RouteSpec, spec: Spec) -> str:
    """The model for what others refuse: the route's own, else the one that governance names."""
    return route.cascade.on_refusal or spec.governance.safety_model


def _helpers(route: RouteSpec, spec: Spec, fleet: Fleet) -> int:
    """Everyone whom the course may need beside the models of a task."""
    named = [_refuge(route, spec)]
    if route.combine is not None:
        named += [*route.combine.models, route.combine.judge, route.combine.else_]
    return _mask(fleet, [name for name in named if name])


def _after(text: str) -> float:
    """Seconds; `p95` is infinite until the model is known."""
    return math.inf if text == "p95" else float(Duration.parse(text))


def _rules(rules: Sequence[tuple[int, RuleSpec]], spec: Spec) -> Rules:
    return Rules([Condition.compile(rule.when) for _, rule in rules], spec.signals, kinds=spec.governance.detect)


def _use(number: int, rule: RuleSpec, fleet: Fleet) -> Use:
    """A list keeps its order; a tier or a single model needs none."""
    if isinstance(rule.use, list):
        return Use(number, ", ".join(rule.use), _mask(fleet, rule.use), _indices(fleet, rule.use))
    name = str(rule.use)
    if name in fleet.tiers:
        return Use(number, name, fleet.on_level[fleet.tiers.index(name)])
    return Use(number, name, 1 << fleet.index[name], (fleet.index[name],))


def ceilings(tiers: Sequence[str], given: Mapping[str, float]) -> tuple[float, ...]:
    """The highest difficulty of each rung: as given; where not, evenly spaced between its neighbours; the last takes all."""
    known = [-1, *(i for i, tier in enumerate(tiers[:-1]) if tier in given), len(tiers) - 1]
    at = {-1: 0.0, len(tiers) - 1: 1.0, **{i: given[tier] for i, tier in enumerate(tiers[:-1]) if tier in given}}
    for low, high in itertools.pairwise(known):
        for i in range(low + 1, high):
            at[i] = at[low] + (at[high] - at[low]) * (i - low) / (high - low)
    return tuple(at[i] for i in range(len(tiers)))


def _share(log_text: str) -> float:
    """`none` → 0, `all` → 1, `sample 0.01` → 0.01."""
    if log_text in ("none", "all", "flagged"):
        return float(log_text == "all")
    return float(log_text.removeprefix("sample").strip())


def _governance(spec: Spec, fleet: Fleet) -> GovernancePolicy:
    """A governance rule that cannot be evaluated counts as holding: governance fails closed."""
    rules = spec.governance.rules
    allowed = tuple(0 if rule.refuse else _allowed(rule.allow, fleet) for rule in rules)
    return GovernancePolicy(
        rules=Rules([Condition.compile(rule.when) for rule in rules], spec.signals, on_error=True, kinds=spec.governance.detect),
        allowed=allowed,
        closed=tuple(0 if rule.redact and mask == fleet.everyone else mask for rule, mask in zip(rules, allowed, strict=True)),
        redact=tuple(frozenset(rule.redact) for rule in rules),
        refuses=frozenset(number for number, rule in enumerate(rules) if rule.refuse),
        own=frozenset(spec.governance.patterns),
    )


def _allowed(allow: AllowSpec, fleet: Fleet) -> int:
    mask = 0
    for i, model in enumerate(fleet.models):
        if (
            (not allow.residency or model.residency in _words(allow.residency))
            and (not allow.region or model.region in _words(allow.region))
            and (not allow.models or model.name in allow.models)
            and (not allow.tiers or model.tier in allow.tiers)
            and (not allow.providers or model.provider in allow.providers)
        ):
            mask |= 1 << i
    return mask


def _words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
