"""Latency of the recent past: a small ring of samples for each model, quantiles on demand."""

from __future__ import annotations

from collections import deque

from tierline.types.view import Latency

WINDOW = 128
"""Samples kept; the oldest falls out, so that a model's past is forgotten at the speed of its traffic."""


class Recent:
    """The last `WINDOW` times to a whole answer, in seconds."""

    __slots__ = ("_changed", "_quantiles", "_samples")

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=WINDOW)
        self._quantiles = Latency(0.0, 0.0, 0)
        self._changed = False

    def add(self, seconds: float) -> None:
        """Take one sample."""
        self._samples.append(seconds)
        self._changed = True

    def quantiles(self) -> Latency:
        """Median, 95th percentile (nearest rank) and how many samples they rest on; all zero before the first."""
        if self._changed:
            ordered = sorted(self._samples)
            count = len(ordered)
            self._quantiles = Latency(ordered[(count - 1) // 2], ordered[min(count - 1, int(count * 0.95))], count)
            self._changed = False
        return self._quantiles
