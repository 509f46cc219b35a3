"""How much of a model's interactive traffic is to move down the ladder: a controller with steps and hysteresis. Pure: time is an argument.

Past its target it rises by a `STEP` at most every `EVERY` seconds; it falls by a `STEP` for each `hold` during which it stayed below
`clear` of the target. In between nothing moves. Only calls that began after the last step are evidence for the next: those from
before it tell of a load that is no more. So from full pressure it is back at zero `1/STEP` times `hold` after relief.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from tierline.config.spec import TargetSpec

STEP = 0.2
EVERY = 1.0
"""Seconds between two steps up."""
WINDOW = 10.0
"""Seconds that a call is evidence for."""
ENOUGH = 5
"""Calls that make a 95th percentile; fewer say nothing."""

_MOST = 500
_STEPS = round(1 / STEP)

Reading = Literal["past", "between", "clear"]


class Pressure:
    """The controller of one model. Feed it each interactive call as it ends, and ask for its `value` as often as you like."""

    __slots__ = ("_calls", "_clear_since", "_looked", "_queue", "_risen", "_since", "_steps", "_target")

    def __init__(self, target: TargetSpec) -> None:
        self._target = target
        self._steps = 0
        self._calls: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._since = float("-inf")  # calls that began before are no evidence
        self._risen = float("-inf")
        self._clear_since: float | None = None
        self._looked = float("-inf")
        self._queue = 0

    @property
    def value(self) -> float:
        """The share of interactive traffic that is to move, in [0, 1]."""
        return self._steps / _STEPS

    def ended(self, now: float, elapsed: float) -> None:
        """An interactive call ended, `elapsed` seconds (its wait for a place included) after it began."""
        if now - elapsed >= self._since:
            self._calls.append((now, elapsed))

    def look(self, now: float, queue: int, wait: float) -> float:
        """The value now. `queue`: interactive calls that wait for a place; `wait`: seconds that one which came now would take in all, as
        far as can be told from the queue (0: it would not have to wait)."""
        while self._calls and self._calls[0][0] <= now - WINDOW:
            self._calls.popleft()
        reading = self._read(queue, wait)
        if reading == "past":
            self._clear_since = None
            if now >= self._risen + EVERY and self._steps < _STEPS:
                self._step(now, +1)
        elif reading == "between":
            self._clear_since = None
        else:
            self._fall(now)
        self._looked, self._queue = now, queue
        return self.value

    def _fall(self, now: float) -> None:
        if self._clear_since is None:  # between two looks far apart there were no calls, so it has been clear since the first
            self._clear_since = now if now - self._looked < self._target.hold else max(self._looked, now - self._target.hold * _STEPS)
        while self._steps and now - self._clear_since >= self._target.hold:
            self._clear_since += self._target.hold
            self._step(now, -1)

    def _step(self, now: float, by: int) -> None:
        self._steps += by
        self._since = now
        self._calls.clear()
        if by > 0:
            self._risen = now

    def _read(self, queue: int, wait: float) -> Reading:
        """Where latency and queue stand to the target. A queue that is past it but gets shorter needs no further step."""
        target, p95 = self._target, self._p95()
        longer = queue >= self._queue and queue > 0
        late = target.p95 is not None and (p95 > target.p95 or (longer and wait > target.p95))
        full = target.queue is not None and queue > target.queue and longer
        if late or full:
            return "past"
        quick = target.p95 is None or max(p95, wait) <= target.p95 * target.clear
        short = target.queue is None or queue <= target.queue * target.clear
        return "clear" if quick and short else "between"

    def _p95(self) -> float:
        if len(self._calls) < ENOUGH:
            return 0.0
        ordered = sorted(elapsed for _, elapsed in self._calls)
        return ordered[int((len(ordered) - 1) * 0.95)]
