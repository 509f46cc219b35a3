"""A test of a decision as a dialogue: what is asked for, and what came of it.

    assert (Playbook(decision) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> ok()).answered_by("sonnet")

`<<` states the attempt that the course must ask for next, `>>` tells it the outcome. For a round of several attempts, both take as many:

    Playbook(decision) << (("mini", "branch"), ("local", "branch")) >> (ok(), ok()) << ("", "judge") >> ok(pick=0)
"""

from __future__ import annotations

from tierline.routing.pursue import Course, pursue
from tierline.types.decision import Decision, Round
from tierline.types.outcome import Outcome, Result

Line = tuple[str, str]
"""The target and the cause of one attempt."""


class Playbook:
    """A course under test; `spent` seconds and `cost` USD are gone before it begins. Every `<<` is checked at once, so a failure names the
    line of the dialogue that went wrong."""

    def __init__(self, decision: Decision, spent: float = 0.0, cost: float = 0.0) -> None:
        self._course: Course = pursue(decision, spent, cost)
        self._result: Result | None = None
        self._round: Round | None = None
        self._advance(None)

    def __lshift__(self, expected: Line | tuple[Line, ...]) -> Playbook:
        """The course must now ask for this (target, cause), or for these together."""
        lines = expected if isinstance(expected[0], tuple) else (expected,)
        if self._round is None:
            raise AssertionError(f"the course has ended ({self._result!r}), but {expected} was to be asked")
        asked = tuple([(attempt.target, attempt.cause) for attempt in self._round.attempts])
        if asked != lines:
            raise AssertionError(f"asked for {asked}, not for {lines}")
        return self

    def __rshift__(self, outcome: Outcome | tuple[Outcome, ...]) -> Playbook:
        """Tell the course what came of its attempt, or of each of them."""
        if self._round is None:
            raise AssertionError("the course has ended, nothing was asked")
        outcomes = (outcome,) if isinstance(outcome, Outcome) else outcome
        if len(outcomes) != len(self._round.attempts):
            raise AssertionError(f"{len(outcomes)} outcomes for {self._round!r}")
        self._advance(outcomes)
        return self

    @property
    def asked(self) -> Round:
        """The round that the course waits for; an AssertionError when it has ended."""
        if self._round is None:
            raise AssertionError(f"the course has ended: {self._result!r}")
        return self._round

    def answered_by(self, model: str) -> bool:
        """The course has ended with an accepted answer of this model."""
        return self.result.model == model and not self.result.flagged

    def flagged_from(self, model: str) -> bool:
        """The course has ended with the best answer there was, of this model, which no validator accepted."""
        return self.result.model == model and self.result.flagged

    def gave_up(self, stopped: str = "") -> bool:
        """The course has ended without an answer, for this reason."""
        return self.result.winner is None and self.result.stopped == stopped

    @property
    def result(self) -> Result:
        """How the course ended; an AssertionError while it still goes on."""
        if self._result is None:
            raise AssertionError(f"the course still asks for {self._round!r}")
        return self._result

    def _advance(self, outcomes: tuple[Outcome, ...] | None) -> None:
        try:
            self._round = next(self._course) if outcomes is None else self._course.send(outcomes)
        except StopIteration as end:
            self._round, self._result = None, end.value
