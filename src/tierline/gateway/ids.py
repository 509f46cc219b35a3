"""Request ids that sort by time, so that the log's index grows at one end, and tell the process that made them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from tierline.state.local_shared import new_member


class Ids:
    """Ids of 22 hex digits: the millisecond (11), the process (7, see `Shared.member`), a number that goes round (4). Two are alike only
    where one process makes 65 536 in a millisecond, or where two of 268 million names are. They tell requests apart, and are no secret."""

    __slots__ = ("_clock", "_member", "_numbers")

    def __init__(self, clock: Callable[[], float] = time.time, member: str = "") -> None:
        self._clock = clock
        self._member = member or new_member()
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        """The next id."""
        return f"{int(self._clock() * 1000):011x}{self._member}{next(self._numbers) & 0xFFFF:04x}"
