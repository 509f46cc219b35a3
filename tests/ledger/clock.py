"""Time that tests move."""

from __future__ import annotations


class Clock:
    """Unix time that moves when the test says so."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
