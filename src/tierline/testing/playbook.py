"""A test of a decision as a dialogue: what is asked for, and what came of it.

    assert (Playbook(decision) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> ok()).answered_by("sonnet")

`<<` states the attempt that the course must ask for next, `>>` tells it the outcome.
"""

from __future__ import annotations

from tierline.routing.pursue import Course, pursue
from tierline.types.decision import Decision, Round
from tierline.types.outcome import Outcome, Result


class Playbook:
    """A course under test. Every `<<` is checked at once, so a failure names the line of the dialogue that went wrong."""

    def __init__(self, decision: Decision) -> None:
        self._course: Course = pursue(decision)
        self._result: Result | None = None
        self._round: Round | None = None
        self._advance(None)

    def __lshift__(self, expected: tuple[str, str]) -> Playbook:
        """The course must now ask for this (target, cause)."""
        if self._round is None:
            raise AssertionError(f"the course has ended ({self._result!r}), but {expected} was to be asked")
        attempt = self._round.attempts[0]
        if (attempt.target, attempt.cause) != expected:
            raise AssertionError(f"asked for {(attempt.target, attempt.cause)}, not for {expected}")
        return self

    def __rshift__(self, outcome: Outcome) -> Playbook:
        """Tell the course what came of its attempt."""
        if self._round is None:
            raise AssertionError("the course has ended, nothing was asked")
        self._advance((outcome,))
        return self

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
