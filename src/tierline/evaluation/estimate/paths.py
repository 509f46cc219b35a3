"""Every course that a decision may take, found by driving `pursue` itself: each attempt fails, is accepted, or is rejected, and what
the generator then asks for next is what the gateway would call.

Nothing of retries, fallbacks, escalations, limits and combining is written a second time here; a change of `pursue` changes these paths.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tierline.routing.pursue import pursue
from tierline.types.decision import Attempt, Cause, Decision, Round
from tierline.types.outcome import Outcome, Result, Verdict

Kind = Literal["fail", "yes", "no", "good yes", "good no", "bad yes", "bad no", "picked"]
"""What one call gives. `yes` and `no`: the checks accepted or rejected it, be it good or bad; with `good` or `bad` before it where
answers are combined, for then it matters at once. `picked`: a choice among answers was made (or not)."""

RARE = 1e-5
"""Paths that are less likely than this are cut off; the others are made to add up to 1."""
_GUESS: Mapping[Kind, float] = {"yes": 1.0, "no": 0.6, "good yes": 1.0, "good no": 0.1, "bad yes": 0.3, "bad no": 0.6, "picked": 1.0}
"""No smaller than how likely each is, by and large; only to tell what is rare."""


class Call(msgspec.Struct, frozen=True):
    """One call of a path. `checked`: validators looked at its answer; `wait`: seconds let pass before it; `pick`: the place among
    `of` that was chosen, None where no choice came of it, and `right`: it is the best of them."""

    model: str
    cause: Cause
    kind: Kind
    checked: bool = False
    wait: float = 0.0
    of: int = 0
    pick: int | None = None
    right: bool = False


class Path(msgspec.Struct, frozen=True):
    """One course: its rounds (calls of one round run together), the number of the call whose answer was given (None: nobody answered), and
    whether it was given although no check accepted it."""

    rounds: tuple[tuple[Call, ...], ...]
    winner: int | None
    flagged: bool

    @property
    def calls(self) -> tuple[Call, ...]:
        """All of them in their order."""
        return tuple(itertools.chain.from_iterable(self.rounds))


def paths_of(decision: Decision, seconds: Mapping[str, float], fails: Mapping[str, float]) -> tuple[Path, ...]:
    """The courses of a decision, rarest ones cut off. `seconds`: what a call of each model takes, against the deadline; `fails`: the
    share of its calls that fail. Hedges are left out: they change when an answer comes, not which."""
    decision = msgspec.structs.replace(decision, hedge=None)
    found: list[Path] = []
    open_ends: list[tuple[tuple[tuple[Call, ...], ...], float]] = [((), 1.0)]
    while open_ends:
        done, chance = open_ends.pop()
        asked = _play(decision, done, seconds)
        if isinstance(asked, Result):
            found.append(Path(done, asked.winner, asked.flagged))
            continue
        for calls in itertools.product(*(_kinds(decision, attempt, done) for attempt in asked.attempts)):
            likely = chance
            for call in calls:
                likely *= min(3.0 * fails.get(call.model, 0.0), 1.0) if call.kind == "fail" else _GUESS[call.kind]
            if likely >= RARE:
                open_ends.append(((*done, calls), likely))
    return tuple(found)


def _play(decision: Decision, done: Sequence[tuple[Call, ...]], seconds: Mapping[str, float]) -> Round | Result:
    """What the course asks for after these rounds, or how it ended."""
    course = pursue(decision)
    costs = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=False)}
    try:
        asked = next(course)
        for calls in done:
            asked = course.send(tuple(_outcome(call, attempt, seconds, costs) for call, attempt in zip(calls, asked.attempts, strict=True)))
    except StopIteration as end:
        result: Result = end.value
        return result
    return asked


def _outcome(call: Call, attempt: Attempt, seconds: Mapping[str, float], costs: Mapping[str, float]) -> Outcome:
    if call.kind == "fail":
        return Outcome(ok=False, error="server", elapsed=0.2)
    elapsed = seconds.get(call.model, 0.0)
    if call.kind == "picked":
        return Outcome(ok=True, pick=call.pick, elapsed=elapsed)
    passed = call.kind.endswith("yes")
    verdicts = tuple(Verdict(name, passed) for name in attempt.validators[:1])
    return Outcome(
        ok=True, cost=costs.get(call.model, 0.0), elapsed=elapsed, verdicts=verdicts, feedback="" if passed else "not good enough"
    )


def _kinds(decision: Decision, attempt: Attempt, done: Sequence[tuple[Call, ...]]) -> list[Call]:
    """What this attempt may give."""
    checked = bool(attempt.validators)
    if attempt.cause == "judge":
        return _picks(attempt, done)
    kinds: list[Kind]
    if decision.combine is not None and attempt.cause == "branch":
        kinds = ["fail", "good yes", "bad yes", "good no", "bad no"] if checked else ["fail", "good yes", "bad yes"]
    else:
        kinds = ["fail", "yes", "no"] if checked else ["fail", "yes"]
    return [Call(attempt.target, attempt.cause, kind, checked, attempt.wait) for kind in kinds]


def _picks(attempt: Attempt, done: Sequence[tuple[Call, ...]]) -> list[Call]:
    """What a choice may come to. A model that judges picks the best or any; words alone come to one where enough of them are right,
    for wrong answers are taken to differ."""
    before = [call for calls in done for call in calls]
    good = [before[place].kind.startswith("good") for place in attempt.of]
    many = len(good)
    if attempt.target:
        best = good.index(True) if any(good) else 0
        return [Call(attempt.target, "judge", "picked", of=many, pick=place, right=place == best) for place in range(many)]
    agreed = sum(good) == many if attempt.combine is None or attempt.combine.by == "agreement" else sum(good) * 2 > many
    return [Call("", "judge", "picked", pick=good.index(True) if agreed else None)]
