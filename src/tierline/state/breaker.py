"""When a failing door rests, and how it comes back: closed → open → half-open → closed. Pure: time is an argument, in seconds that never
go back.

    closed      calls go; it opens when, within the window, enough calls were made and enough of them failed, or at once where a failure
                says that every further call will fail too (`at_once`)
    open        calls stay away until the rest is over
    half-open   as many calls as `probes` may be on their way; that many good ones in a row close it, a bad one opens it for twice as long

A provider's own wish (`retry_after`) is kept as a pause beside it: it rests the door whatever the counts say, and is over without
probation. Where a failure opens the breaker, that wish takes the place of the spec's rest. No failure ever shortens a rest.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from tierline.config.spec import BreakerSpec

State = Literal["closed", "open", "half_open"]

LONGEST = 20
"""A rest doubles while probes fail, up to so many times the first."""

SHORTEST = 1.0
"""Seconds that an open breaker rests at least, whatever a provider wishes."""

LONGEST_PAUSE = 3600.0
"""Seconds that a provider's own wish is kept at most; then it is asked again."""

_SLICES = 10


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """What a call is given on its way in: in which of the breaker's lives it began, and whether it is a probe."""

    life: int
    probe: bool = False


class Breaker:
    """One door's breaker. Every ticket that `enter` gave is handed back once: to `succeeded`, `failed` or `abandoned`."""

    __slots__ = ("_counts", "_good", "_life", "_open", "_pause_heard", "_paused_until", "_probing", "_rest", "_rules", "_told", "_until")

    def __init__(self, rules: BreakerSpec) -> None:
        self._rules = rules
        self._counts = _Window(rules.window)
        self._life = 0
        self._open = False
        self._until = 0.0
        self._paused_until = 0.0
        self._pause_heard = 0.0
        self._told = False
        self._rest = float(rules.rest)
        self._probing = 0
        self._good = 0

    def state(self, now: float) -> State:
        """Where it stands."""
        if now < self._paused_until:
            return "open"
        if not self._open:
            return "closed"
        return "open" if now < self._until else "half_open"

    def rest(self, now: float) -> float:
        """Seconds of rest left, 0 when none."""
        until = max(self._paused_until, self._until) if self._open else self._paused_until
        return max(until - now, 0.0)

    def takes(self, now: float) -> bool:
        """Whether a call may go by here now: closed, or half-open with a probe to spare."""
        if now < self._paused_until:
            return False
        return not self._open or (now >= self._until and self._probing < self._rules.probes)

    def enter(self, now: float) -> Ticket:
        """Count a call in. It may be one although the breaker does not take it, where there is no other way: then it is no probe."""
        probe = self._open and self.takes(now)
        self._probing += probe
        return Ticket(self._life, probe)

    def succeeded(self, now: float, ticket: Ticket) -> None:
        """A call went well. Good probes close the breaker; what began before it opened says nothing about now."""
        if not self._hand_back(ticket):
            return
        if not self._open:
            self._counts.add(now, failed=False)
            return
        self._good += ticket.probe
        if self._good >= self._rules.probes:
            self._close()

    def failed(self, now: float, ticket: Ticket, *, at_once: bool = False, retry_after: float | None = None) -> None:
        """A call failed. `at_once`: so will every other; `retry_after`: seconds that the provider asks us to stay away."""
        if retry_after is not None:
            self.pause(now, retry_after)
        if not self._hand_back(ticket):
            return
        if self._open:
            if ticket.probe:
                self._rest = min(self._rest * 2, self._rules.rest * LONGEST)
                self._opens(now, self._rest)
            return
        self._counts.add(now, failed=True)
        good, bad = self._counts.counts(now)
        if at_once or (good + bad >= self._rules.min_requests and bad >= (good + bad) * self._rules.failures):
            self._opens(now, self._rest if retry_after is None else max(retry_after, SHORTEST))

    def abandoned(self, ticket: Ticket) -> None:
        """A call ended without saying anything about the door: the client's own fault, or gone."""
        self._hand_back(ticket)

    def pause(self, now: float, seconds: float) -> None:
        """Stay away for so long."""
        self._paused_until = max(self._paused_until, now + min(seconds, LONGEST_PAUSE))

    # what processes tell each other

    def told(self, now: float) -> tuple[float, float]:
        """Seconds of rest that this process has found needful itself, and of a provider's own wish; what it heard is not told again."""
        rest = max(self._until - now, 0.0) if self._open and not self._told else 0.0
        return rest, 0.0 if self._paused_until <= self._pause_heard else max(self._paused_until - now, 0.0)

    def hear(self, now: float, rest: float, pause: float) -> None:
        """Another process has opened its breaker for so many seconds, or was asked to stay away for so many. This one then rests too, and
        comes back by probes of its own."""
        if rest > 0.0 and (not self._open or (self._told and now >= self._until)):
            self._opens(now, rest)
            self._told = True
        if pause > 0.0 and now >= self._paused_until:
            self.pause(now, pause)
            self._pause_heard = self._paused_until

    def _hand_back(self, ticket: Ticket) -> bool:
        """Whether the call began in this life; a probe's place is free again."""
        if ticket.life != self._life:
            return False
        self._probing -= ticket.probe
        return True

    def _opens(self, now: float, rest: float) -> None:
        self._told = False
        self._open, self._until = True, max(self._until, now + min(rest, LONGEST_PAUSE))
        self._begin_again()

    def _close(self) -> None:
        self._open, self._rest = False, float(self._rules.rest)
        self._begin_again()

    def _begin_again(self) -> None:
        self._life += 1
        self._probing = self._good = 0
        self._counts.clear()


class _Window:
    """Good and failed calls of the last `seconds`, in slices: what leaves, leaves a tenth at a time."""

    __slots__ = ("_slice", "_slices")

    def __init__(self, seconds: float) -> None:
        self._slice = seconds / _SLICES
        self._slices: deque[list[int]] = deque()

    def add(self, now: float, *, failed: bool) -> None:
        number = int(now / self._slice)
        if not self._slices or self._slices[-1][0] != number:
            self._forget(number)
            self._slices.append([number, 0, 0])
        self._slices[-1][1 + failed] += 1

    def counts(self, now: float) -> tuple[int, int]:
        self._forget(int(now / self._slice))
        return sum(entry[1] for entry in self._slices), sum(entry[2] for entry in self._slices)

    def clear(self) -> None:
        self._slices.clear()

    def _forget(self, number: int) -> None:
        while self._slices and self._slices[0][0] <= number - _SLICES:
            self._slices.popleft()
