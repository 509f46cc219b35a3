"""How long a request was with upstreams, however many were busy for it at the same time."""

from __future__ import annotations

from tierline.gateway.trace import Trace
from tierline.state.turns import Turns


class Waiting:
    """Adds up the seconds in which at least one call was under way, beginning with those that others have counted. `seconds` is right
    whenever none is. `trace` is told when each call begins, where the request is traced, and `turns` when it is away and back, where it
    takes turns with others."""

    __slots__ = ("_calls", "_since", "_turns", "seconds", "trace")

    def __init__(self, seconds: float = 0.0, trace: Trace | None = None, turns: Turns | None = None) -> None:
        self.seconds = seconds
        self.trace = trace
        self._turns = turns
        self._calls = 0
        self._since = 0.0

    def begin(self, now: float) -> None:
        """A call begins at this reading of `perf_counter`."""
        if not self._calls:
            self._since = now
            if self._turns is not None:
                self._turns.away()
        self._calls += 1

    def total(self, now: float) -> float:
        """Seconds so far, with what is under way."""
        return self.seconds + (now - self._since if self._calls else 0.0)

    def end(self, now: float) -> None:
        """A call has ended."""
        self._calls -= 1
        if not self._calls:
            self.seconds += now - self._since
            if self._turns is not None:
                self._turns.back()
