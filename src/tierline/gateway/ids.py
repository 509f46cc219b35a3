"""Request ids that sort by time, so that the log's index grows at one end."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable


class Ids:
    """Ids of 22 hex digits: the millisecond, then 44 random bits. Two within one millisecond collide once in 17 million million.

    The random bits come from a generator of this process, seeded by the system: asking the system for each would cost a call
    that lets go of the interpreter. They are for telling requests apart, and no secret."""

    __slots__ = ("_bits", "_clock")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._bits = random.Random(os.urandom(16)).getrandbits  # noqa: S311  # no secret is made of it

    def __call__(self) -> str:
        """The next id."""
        return f"{int(self._clock() * 1000):011x}{self._bits(44):011x}"
