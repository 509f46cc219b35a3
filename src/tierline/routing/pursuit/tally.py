"""What a course has asked for, what came of it, and what is left of its time, money and attempts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tierline.routing.pursuit.failures import FINAL, PASSING, Stopped, broken_off
from tierline.types.decision import Attempt, Cause, Decision, Round, Step
from tierline.types.outcome import Outcome, Result


class Target(msgspec.Struct, frozen=True, gc=False):
    """A model of a step: the expected USD of a call, and its window in tokens (0: unknown)."""

    name: str
    cost: float = 0.0
    window: int = 0


class Resting(msgspec.Struct, frozen=True, gc=False):
    """A target that failed for a passing reason: its step, the second of the course at which it failed, and how long its provider wishes
    to be left alone."""

    target: Target
    step: int
    at: float
    retry_after: float


class Tally:
    """The account of one course. Time and money come from outcomes alone.

    `cause` is why the next attempt is made, `step` the number of the step it belongs to. `ended`: nothing more is to be asked."""

    calls = 0
    step = 0
    cause: Cause = "first"
    answer: int | None = None
    best: int | None = None
    ended = flagged = truncated = False
    stopped: Stopped = ""
    _rank = (-1, -1)
    _reached = -1
    _overflowed = 0

    def __init__(self, decision: Decision, spent: float, cost: float) -> None:
        self.decision = decision
        self.left = decision.deadline - spent
        self.cost = cost
        self.tried: list[tuple[Attempt, Outcome]] = []
        self.resting: dict[str, Resting] = {}
        self._asked: set[str] = set()

    # what may be asked

    def standing(self, step: Step) -> Iterator[Target]:
        """The targets of a step that were not asked yet, without those whose known window is no larger than one that overflowed."""
        costs, windows = step.costs, step.windows
        for place, name in enumerate(step.targets):
            window = windows[place] if windows else 0
            if name not in self._asked and not 0 < window <= self._overflowed:
                yield Target(name, costs[place] if costs else 0.0, window)

    def limit(self, cost: float, *, calls: int = 1, wait: float = 0.0) -> Stopped:
        """Which limit forbids to make so many calls for so much after such a wait; empty where none does."""
        decision = self.decision
        if self.calls + calls > decision.max_attempts:
            return "max_attempts"
        if self.left <= wait:
            return "deadline"
        if decision.max_cost is not None and self.cost + cost > decision.max_cost:
            return "max_cost"
        return ""

    def allows(self, target: Target, wait: float) -> bool:
        """Whether one more call fits. What is too dear is passed over, for a cheaper one may follow; any other limit ends the course."""
        limit = self.limit(target.cost, wait=wait)
        if limit:
            self.stopped = limit
            self.ended = limit != "max_cost"
        return not limit

    def attempt(self, target: Target, cause: Cause, step: Step, *, later: int = 0, wait: float = 0.0, feedback: str = "") -> Attempt:
        """The next attempt; `later` counts those of its own round that stand before it."""
        return Attempt(len(self.tried) + 1 + later, target.name, cause, step.validators, self.left - wait, wait, feedback)

    # what came of it

    def record(self, asked: Round, outcomes: Sequence[Outcome]) -> list[int]:
        """Take the outcomes of a round; the indices of those that were started. One that never was leaves no trace."""
        places = []
        first = asked.attempts[0]
        for attempt, outcome in zip(asked.attempts, outcomes, strict=True):
            if attempt is not first and not _started(outcome):
                continue
            number = len(self.tried) + 1
            self.tried.append((attempt if attempt.number == number else _renumbered(attempt, number), outcome))
            self.cost += outcome.cost
            self.calls += attempt.target != ""
            if attempt.cause != "judge":
                self._asked.add(attempt.target)
            places.append(number - 1)
        self.left -= first.wait + (lasted(asked, outcomes) if len(outcomes) > 1 else outcomes[0].elapsed)
        return places

    def settle(self, place: int, target: Target) -> Outcome:
        """Draw the consequence of one outcome that stands for itself."""
        _, outcome = self.tried[place]
        if outcome.accepted:
            self.win(place)
        elif outcome.ok:
            self.keep(place)
            if self.decision.stream == "optimistic" or self._merely_unsure(outcome):
                self.win(place, flagged=True)
        elif broken_off(self.decision, outcome):
            self.win(place, truncated=True)
        elif outcome.error in FINAL:
            self.stop(FINAL[outcome.error])
        else:
            self.fail(target, outcome)
        return outcome

    def win(self, place: int, *, flagged: bool = False, truncated: bool = False) -> None:
        """End here, with the answer of this attempt."""
        self.answer, self.flagged, self.truncated, self.ended = place, flagged, truncated, True

    def keep(self, place: int) -> None:
        """An answer that may yet be the best there is: the most verdicts passed, then the higher step, then the later."""
        self._reached = max(self._reached, self.step)
        rank = (sum(verdict.passed for verdict in self.tried[place][1].verdicts), self.step)
        if rank >= self._rank:
            self.best, self._rank = place, rank

    def fail(self, target: Target, outcome: Outcome) -> None:
        """A provider gave no answer."""
        if outcome.error == "context_exceeded":
            self._overflowed = max(self._overflowed, target.window)
        self.resting.pop(target.name, None)
        if outcome.error in PASSING:
            self.resting[target.name] = Resting(target, self.step, self.spent, outcome.retry_after or 0.0)

    def stop(self, why: Stopped) -> None:
        """End here, with the best answer so far."""
        self.stopped, self.ended = why, True

    # how it ends

    @property
    def spent(self) -> float:
        """Seconds of the deadline that are gone."""
        return self.decision.deadline - self.left

    def refuge(self) -> Target | None:
        """The model for what others refuse by their content policy, where the last outcome was such a refusal and it was not asked yet."""
        decision = self.decision
        if not decision.refusals or not self.tried or decision.refusals in self._asked:
            return None
        if self.tried[-1][1].error != "content_filter":
            return None
        return Target(decision.refusals, decision.refusal_cost)

    def worth(self, resting: Resting) -> bool:
        """Whether asking again could still better the answer: it stands on a higher step than any that answered."""
        return resting.step > self._reached

    def result(self) -> Result:
        """What the request gave."""
        if self.answer is not None:
            return Result(tuple(self.tried), self.answer, self.flagged, self.truncated)
        return Result(tuple(self.tried), self.best, flagged=self.best is not None, stopped=self.stopped)

    def _merely_unsure(self, outcome: Outcome) -> bool:
        lenient = self.decision.lenient
        return bool(lenient) and all(verdict.passed or verdict.validator in lenient for verdict in outcome.verdicts)


def lasted(asked: Round, outcomes: Sequence[Outcome]) -> float:
    """Seconds from the first attempt's start to the last one's end: each starts `after` the one before, or at once when that one failed."""
    start = end = 0.0
    for outcome in filter(_started, outcomes):
        end = max(end, start + outcome.elapsed)
        failed = not outcome.accepted and outcome.error != "outraced"
        start += min(asked.after, outcome.elapsed) if failed else asked.after
    return end


def _started(outcome: Outcome) -> bool:
    """Not so where another attempt of its round had answered before its turn came."""
    return outcome.error != "outraced" or outcome.elapsed > 0 or outcome.cost > 0


def _renumbered(attempt: Attempt, number: int) -> Attempt:
    return msgspec.structs.replace(attempt, number=number)
