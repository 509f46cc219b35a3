"""The whole plan for one request, complete before anything is called, and the rounds a course goes through.

How a decision is pursued (`routing/pursue`):

    pursue ── yields ──► Round(attempts)      the driver answers every attempt of it
           ◄── is sent ── (Outcome, ...)      one for each attempt, in the same order
           ── returns ─► Result               what the request gave

*Within* a step the next target is a **fallback** (the provider failed). *Between* steps is an **escalation** (the answer was not good
enough). The two are never mixed up.
"""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

Cause = Literal["first", "fallback", "escalation", "retry", "hedge", "branch", "judge"]


class Why(enum.StrEnum):
    """Every reason a decision may carry; `routing/explain` has the sentence for each."""

    # who chose
    NAMED_MODEL = "named_model"
    NAMED_TIER = "named_tier"
    PINNED = "pinned"
    PIN_UNUSABLE = "pin_unusable"
    RULE = "rule"
    RULE_UNUSABLE = "rule_unusable"
    EXPLORED = "explored"
    SESSION_KEPT = "session_kept"
    SESSION_HELD = "session_held"
    SESSION_LEFT = "session_left"
    LOAD_SHIFTED = "load_shifted"
    ARM = "arm"
    ARM_LEFT = "arm_left"
    # what it was taken for
    TASK_GIVEN = "task_given"
    TASK_RULE = "task_rule"
    TASK_SCORED = "task_scored"
    TASK_UNSURE = "task_unsure"
    DIFFICULTY = "difficulty"
    # how the model was selected
    ONLY_ONE = "only_one"
    CHEAPEST_ABOVE_BAR = "cheapest_above_bar"
    NONE_ABOVE_BAR = "none_above_bar"
    STATIC = "static"
    BY_DIFFICULTY = "by_difficulty"
    FASTEST = "fastest"
    BEST_WITHIN_BUDGET = "best_within_budget"
    BEST_QUALITY = "best_quality"
    WEIGHTED = "weighted"
    ASSUMED_QUALITY = "assumed_quality"
    # what follows
    LAST_RESORT = "last_resort"
    LIMITS_LIFTED = "limits_lifted"
    OUTSIDE_TASK = "outside_task"
    NOTHING_ELIGIBLE = "nothing_eligible"
    LEAST_BAD = "least_bad"
    COMBINED = "combined"
    COMBINE_TOO_DEAR = "combine_too_dear"
    HEDGED = "hedged"
    COMBINE_TOO_FEW = "combine_too_few"
    # a small model was asked
    TASK_ASKED = "task_asked"
    ASKED_IN_VAIN = "asked_in_vain"
    # budgets
    BUDGET_CHEAPEST = "budget_cheapest"
    PACE_AHEAD = "pace_ahead"
    PACE_BEHIND = "pace_behind"
    # what governance did
    REDACTED = "redacted"
    GOVERNANCE_FORCED = "governance_forced"
    GOVERNANCE_REFUSED = "governance_refused"


class Drop(enum.StrEnum):
    """Why a model was taken out of the running."""

    CAPABILITY = "capability"
    CONTEXT = "context"
    GOVERNANCE = "governance"
    KEY = "key"
    RESTING = "resting"
    CONCURRENCY = "concurrency"
    LATENCY = "latency"
    PRICE = "price"
    BUDGET = "budget"
    RATE = "rate"


class Reason(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One reason: its kind, what it is about, and the number (and the limit) that made it true."""

    why: Why
    subject: str = ""
    value: float | None = None
    limit: float | None = None


class Dropped(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A model that could not serve, and why: `subject` names the constraint (a capability, a rule's index, a budget)."""

    model: str
    why: Drop
    subject: str = ""
    value: float | None = None
    limit: float | None = None


class Step(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One level of the plan: its targets in order (fallbacks of each other), the expected USD of a call to each, the
    validators an answer must pass, each target's window in tokens (0: unknown; none are given where no window is near), and how often a
    target whose answer was not good enough may try again with the reason fed back. `lower`: its models stand below one that was asked
    before, so it is there for the case that nobody answers, and no weak answer leads to it."""

    tier: str
    targets: tuple[str, ...]
    costs: tuple[float, ...] = ()
    validators: tuple[str, ...] = ()
    windows: tuple[int, ...] = ()
    retries: int = 0
    lower: bool = False


class Combine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How the first step's targets, asked together, become one answer. `agreement`: all say the same after normalising; `majority`: more
    than half do; `judge`: the model `judge` picks the best; `first_valid`: the first that passes its validators, the rest are cancelled.

    Where they do not come to one, the next step answers. `normalise` says what "the same" is: number, choice, label, json, text or auto.
    `cost` is the expected USD of the judge's call."""

    by: Literal["agreement", "majority", "judge", "first_valid"]
    normalise: str = "auto"
    judge: str = ""
    cost: float = 0.0


class Decision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The whole plan. `policy` is the fingerprint of the spec that made it; `propensity` the probability with which the policy
    chooses the first target for a request like this; `deadline` in seconds from the start; `max_cost` in USD;
    `margin` the distance to the nearest boundary of the choice, in units of quality or difficulty, None where there is none.

    `retries` is how often the targets that failed for a passing reason may be asked again when nobody is left, `backoff` the seconds
    before the first such time (it doubles, with jitter from the draw). `hedge`: seconds after which the first step's second target races
    its slow first, None: never. `refusals`: the model that answers what others refuse by their content policy, `refusal_cost` the
    expected USD of a call to it. `lenient`: validators whose no does not climb where nothing else fails: the answer goes out flagged.
    `stream`: what becomes of a client's stream: passed straight on (""), held until its validators have spoken (`buffered`), or passed on
    with the verdict behind it (`optimistic`).

    `shadows` are models that answer beside, unseen, after the answer is out. `arm` is the arm of the experiment that the request takes part
    in, as `<experiment>/<arm>`.

    `steps` is empty when nothing is eligible: then `dropped` says why."""

    request_id: str
    route: str
    policy: str
    steps: tuple[Step, ...]
    task: str = ""
    arm: str = ""
    propensity: float = 1.0
    draw: float = 0.0
    deadline: float = 60.0
    max_cost: float | None = None
    max_attempts: int = 4
    reasons: tuple[Reason, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    margin: float | None = None
    retries: int = 0
    backoff: float = 0.25
    hedge: float | None = None
    combine: Combine | None = None
    refusals: str = ""
    stream: Literal["", "buffered", "optimistic"] = ""
    refusal_cost: float = 0.0
    lenient: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The model asked first; empty when nothing is eligible."""
        return self.steps[0].targets[0] if self.steps else ""

    @property
    def tier(self) -> str:
        """The tier asked first; empty when nothing is eligible."""
        return self.steps[0].tier if self.steps else ""


class Settled(msgspec.Struct, frozen=True, gc=False):
    """What is decided before any scorer is asked: a task, given or ruled, or a named model or tier."""

    task: str = ""
    model: str = ""
    tier: str = ""
    reason: Reason | None = None


class Attempt(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One call to one model. `timeout` is the seconds left of the request's deadline when it starts, `wait` the seconds to let pass
    before it (a backoff); `feedback` is what was wrong with this target's answer before, to be told to it.

    A `judge` attempt calls for a choice among the answers of earlier attempts: `of` gives their indices in the result, `target` the
    model that judges, empty where their words alone decide; `combine` says how."""

    number: int
    target: str
    cause: Cause = "first"
    validators: tuple[str, ...] = ()
    timeout: float | None = None
    wait: float = 0.0
    feedback: str = ""
    of: tuple[int, ...] = ()
    combine: Combine | None = None


class Round(msgspec.Struct, frozen=True, gc=False):
    """The attempts that run together. `until`: stop at the `first` good answer, or wait for `all`; `after`: seconds by
    which each further attempt starts later than the one before."""

    attempts: tuple[Attempt, ...]
    until: Literal["first", "all"] = "first"
    after: float = 0.0
