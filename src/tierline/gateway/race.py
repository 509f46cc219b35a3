"""A round of several attempts, run together: branches of one answer, or a hedge against a slow first.

Attempt i starts `i * after` seconds after the first. Of a round `until="all"` every outcome is waited for. Of a round `until="first"` the
first accepted one wins, and so does the first whose stream has reached the client; the others are cancelled at once, and told as
`outraced` with what they have cost. Where one fails before the next has started, the next starts at once; where one answers, but not
well enough, those that have not started never do: what follows from a weak answer is the course's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from tierline.types.decision import Attempt, Round
from tierline.types.outcome import Outcome

Claim = Callable[[], None]
"""Called by the attempt that has something for the client, before it gives it: every other attempt of its race is cancelled."""

_DECIDED = frozenset({"cut", "cancelled"})
"""Errors after which no other attempt can answer: the client has seen a piece of this one, or has gone."""
_UNBEGUN = Outcome(ok=False, error="cancelled", detail="it never began")


class Calls(Protocol):
    """What makes an attempt. It never raises for what an upstream does, nor when it is cancelled: that is an outcome too."""

    def __call__(self, attempt: Attempt, claim: Claim | None = None) -> Awaitable[Outcome]:
        """The outcome of one attempt; `claim` is given to one that runs beside others of which only one may answer."""


async def race(asked: Round, call: Calls) -> tuple[Outcome, ...]:
    """The outcomes of a round, in the order of its attempts. One that never began has cost nothing and taken no time."""
    running = _Race(asked, call)
    try:
        return await running.outcomes()
    finally:
        running.stop()


class _Race:
    """One round: a task for each attempt, which waits for its turn first."""

    def __init__(self, asked: Round, call: Calls) -> None:
        self._asked = asked
        self._call = call
        loop = asyncio.get_running_loop()
        self._turns = [loop.create_future() for _ in asked.attempts]
        self._timers = [loop.call_later(at * asked.after, _give, turn) for at, turn in enumerate(self._turns) if at and asked.after]
        for turn in self._turns if not asked.after else self._turns[:1]:
            turn.set_result(None)
        self._begun = [False] * len(self._turns)
        self._outraced: set[int] = set()
        self._tasks = [asyncio.create_task(self._attempt(at)) for at in range(len(self._turns))]

    async def outcomes(self) -> tuple[Outcome, ...]:
        """Runs to the end. Where the whole race is cancelled, so is each attempt, and what they say of that is the outcome."""
        pending = set(self._tasks)
        while pending:
            try:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                self.stop()
                continue
            if self._asked.until == "first":
                for at, task in enumerate(self._tasks):
                    if task in done and at not in self._outraced:
                        self._heed(at, _outcome(task))
        return tuple([self._told(at, _outcome(task)) for at, task in enumerate(self._tasks)])

    def stop(self) -> None:
        """Cancels whatever still runs."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    async def _attempt(self, at: int) -> Outcome:
        await self._turns[at]
        self._begun[at] = True
        claim = None if self._asked.until == "all" else lambda: self._outrace(at)
        return await self._call(self._asked.attempts[at], claim)

    def _heed(self, at: int, outcome: Outcome) -> None:
        """What an outcome means for the others."""
        if outcome.accepted or outcome.error in _DECIDED:
            self._outrace(at)
        elif outcome.ok or outcome.error == "bad_request":
            self._outrace(at, unbegun_only=True)
        else:
            _give(next((turn for turn in self._turns if not turn.done()), None))

    def _outrace(self, winner: int, *, unbegun_only: bool = False) -> None:
        for at, task in enumerate(self._tasks):
            if at != winner and not task.done() and not (unbegun_only and self._begun[at]):
                self._outraced.add(at)
                task.cancel()

    def _told(self, at: int, outcome: Outcome) -> Outcome:
        """A loser's cancelling is told as what it was."""
        if outcome.error != "cancelled" or at not in self._outraced:
            return outcome
        detail = "another attempt of its round answered first" if self._begun[at] else outcome.detail
        return msgspec.structs.replace(outcome, error="outraced", detail=detail)


def _outcome(task: asyncio.Task[Outcome]) -> Outcome:
    """What came of a task that has ended, also of one that was cancelled before it began."""
    return _UNBEGUN if task.cancelled() else task.result()


def _give(turn: asyncio.Future[None] | None) -> None:
    """Let an attempt begin, unless it has, or was cancelled."""
    if turn is not None and not turn.done():
        turn.set_result(None)
