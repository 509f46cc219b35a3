"""The drivers of `routing/pursue` for work offline: the same generator as in the live gateway, over time that is reckoned, not waited for.

A `Stage` holds the time and what is to happen when. `perform` runs one course on it and any number of courses may run on one stage, so
that requests wait for each other as they would; `drive` runs a single one to its end.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator
from typing import Protocol

from tierline.types.decision import Attempt, Round
from tierline.types.outcome import Outcome, Result

Course = Generator[Round, tuple[Outcome, ...], Result]
Finish = Callable[[Outcome], None]
"""Called once, with what an attempt gave."""

Cancel = Callable[[], Outcome]
"""Gives up an attempt that runs, and says what it has cost so far."""

Begin = Callable[[Attempt, Finish], Cancel]
"""Starts an attempt now; `Finish` is called when it has ended, never at once."""

_NEVER_BEGAN = Outcome(ok=False, error="outraced")


class Time(Protocol):
    """Where courses run: what time it is, in seconds, and what is to happen later."""

    @property
    def now(self) -> float:
        """Seconds since the start."""

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen so many seconds from now."""


class Stage:
    """Reckoned time, in seconds from 0, and what is to happen then."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen so many seconds from now; what is due at the same time happens in the order in which it was asked for."""
        heapq.heappush(self._due, (self.now + max(seconds, 0.0), next(self._numbers), act))

    def run(self) -> None:
        """Let everything happen, in its time."""
        while self._due:
            self.now, _, act = heapq.heappop(self._due)
            act()


def perform(stage: Time, course: Course, begin: Begin, done: Callable[[Result], None]) -> None:
    """Run a course on the stage; `done` is called with what it gave."""

    def on(outcomes: tuple[Outcome, ...] | None) -> None:
        try:
            asked = next(course) if outcomes is None else course.send(outcomes)
        except StopIteration as end:
            done(end.value)
            return
        _Together(stage, asked, begin, on)

    on(None)


def drive(course: Course, call: Callable[[Attempt], Outcome]) -> Result:
    """Run one course to its end, every attempt answered by `call`; an outcome takes the seconds that it says."""
    stage, results = Stage(), list[Result]()

    def begin(attempt: Attempt, finish: Finish) -> Cancel:
        outcome, began = call(attempt), stage.now
        stage.after(outcome.elapsed, lambda: finish(outcome))
        return lambda: part_of(outcome, stage.now - began)

    perform(stage, course, begin, results.append)
    stage.run()
    return results[0]


def part_of(outcome: Outcome, elapsed: float) -> Outcome:
    """What is left of an outcome that was given up after so many seconds: its cost in proportion."""
    share = min(elapsed / outcome.elapsed, 1.0) if outcome.elapsed > 0 else 0.0
    return Outcome(ok=False, error="outraced", elapsed=elapsed, cost=outcome.cost * share)


class _Together:
    """The attempts of one round while they run."""

    def __init__(self, stage: Time, asked: Round, begin: Begin, on: Callable[[tuple[Outcome, ...]], None]) -> None:
        self._stage, self._round, self._begin, self._on = stage, asked, begin, on
        self._outcomes: list[Outcome | None] = [None] * len(asked.attempts)
        self._running: dict[int, Cancel] = {}
        self._next = 0
        self._over = False
        for place in range(len(asked.attempts)):
            stage.after(place * asked.after, lambda place=place: self._start(place))  # type: ignore[misc]  # a lambda's default has no type

    def _start(self, place: int) -> None:
        """Begin an attempt, unless one before it has failed early and so begun it already."""
        if self._over or place < self._next:
            return
        self._next = place + 1
        attempt = self._round.attempts[place]
        self._stage.after(attempt.wait, lambda: self._call(place, attempt))

    def _call(self, place: int, attempt: Attempt) -> None:
        if not self._over:
            self._running[place] = self._begin(attempt, lambda outcome: self._ended(place, outcome))

    def _ended(self, place: int, outcome: Outcome) -> None:
        if self._over or place not in self._running:
            return
        del self._running[place]
        self._outcomes[place] = outcome
        first = self._round.until == "first"
        if first and outcome.accepted:
            self._close()
        elif self._next < len(self._outcomes) and first and not outcome.ok:
            self._start(self._next)
        elif all(found is not None for found in self._outcomes):
            self._close()

    def _close(self) -> None:
        self._over = True
        for place, cancel in self._running.items():
            self._outcomes[place] = cancel()
        self._on(tuple(_NEVER_BEGAN if outcome is None else outcome for outcome in self._outcomes))
