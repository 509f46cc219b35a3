"""The same requests of a seed, in whatever order they come, in memory that is bounded."""

from __future__ import annotations

import hashlib
import heapq
from typing import Generic, TypeVar

One = TypeVar("One")


def lot(seed: int, request_id: str) -> int:
    """A request's number in the draw: the lowest are taken. It depends on seed and id alone, never on the request's own `draw`, by which
    experiments and exploration choose."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{request_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Sample(Generic[One]):
    """Keeps the `most` requests with the lowest lots (bottom-k sampling: Cohen and Kaplan 2007): every set of so many is equally likely."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[int, str, One]] = []
        self.seen = 0

    def wants(self, drawn: int) -> bool:
        """Counts a request, and says whether it is to be kept so far."""
        self.seen += 1
        return len(self._kept) < self._most or -drawn > self._kept[0][0]

    def keep(self, drawn: int, request_id: str, one: One) -> None:
        """Keeps a wanted request; the highest lot makes room."""
        entry = (-drawn, request_id, one)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heapreplace(self._kept, entry)

    def taken(self) -> tuple[One, ...]:
        """Those kept, by their lots."""
        return tuple(one for _, _, one in sorted(self._kept, key=lambda entry: (-entry[0], entry[1])))
