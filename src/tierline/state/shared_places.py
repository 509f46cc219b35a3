"""Calls at one time that several processes count together: each holds a part of the places, and asks for more only where they are taken.

What all hold is never above the limit, and nobody lets a call in beyond what it holds, so there is no overshoot while the others can be
asked. What is held is renewed at every beat and shrinks to what is in use: a place that is given back here can be taken by another process
after the next beat. A lease that is not renewed runs out, so that a crash leaks no place. Where the others cannot be asked, a process goes
on with what it holds and its share of what was left, one place at the least: then all together may be above a limit that is smaller than
their number, by less than that number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from tierline.interfaces import Shared
from tierline.types.errors import SharedStateGone
from tierline.types.shared import Claim

ASK_AGAIN = 0.05
"""Seconds after which places that were all taken are asked for again by a call; the beat asks for those that wait."""
AHEAD = 0.1
"""The part of what is left that is held beyond what is in use, at most as much as was in use since the last beat."""
MOST_CLAIMED = 250
"""Limits of one claim."""
_WINDOW = "now"
_FORGOTTEN_AFTER = 3600.0


class Sized(Protocol):
    """Places of this process: a model's, or a key's requests in flight."""

    @property
    def busy(self) -> int:
        """Places that are taken, and calls that wait for one."""

    def resize(self, limit: int) -> None:
        """So many may be taken from now on; what is taken already ends in its own time."""


class _Part:
    """The part of one limit that this process holds. `most` is the most that was in use since the last beat, `alone` what is held while the
    others cannot be asked."""

    __slots__ = ("alone", "ask_again", "held", "limit", "most", "name", "others", "places")

    def __init__(self, name: str, limit: int, places: Sized) -> None:
        self.name = name
        self.limit = limit
        self.places = places
        self.held = 0
        self.alone: int | None = None
        self.others = 0.0
        self.most = 0
        self.ask_again = 0.0

    def wish(self, need: int) -> int:
        """What to hold when `need` more places are to be taken now."""
        wanted = self.places.busy + need
        left = max(self.limit - wanted - self.others, 0.0)
        return min(wanted + min(int(AHEAD * left), max(self.most, need)), self.limit)

    def go_alone(self, held: int, share: float) -> None:
        """The others cannot be asked: so much was held when they could."""
        if self.alone is None:
            self.alone = max(held + int(share * max(self.limit - held - self.others, 0.0)), 1)
        self.hold(min(self.alone, self.limit))

    def hold(self, held: int) -> None:
        """Let so many in from now on."""
        self.held = held
        self.places.resize(held)


class PlaceLeases:
    """The parts of one process. `share` is the part of what is left that it may take while the others cannot be asked; `clock` gives Unix
    time, `lease` is in seconds."""

    def __init__(self, shared: Shared, clock: Callable[[], float], lease: float) -> None:
        self.share = 1.0
        self._shared = shared
        self._clock = clock
        self._lease = lease
        self._parts: dict[str, _Part] = {}
        self._asking = asyncio.Lock()

    def held(self, name: str, limit: int, places: Sized) -> int:
        """What is held of a limit now; nothing of one that was not known."""
        return self._part(name, limit, places).held

    def forget(self, names: Collection[str]) -> None:
        """These are no longer limited; what is held of them runs out."""
        for name in names:
            self._parts.pop(name, None)

    def keep(self, prefix: str, names: Collection[str]) -> None:
        """Of those whose name begins so, forget all but these."""
        self.forget([name for name in self._parts if name.startswith(prefix) and name not in names])

    async def cover(self, name: str, limit: int, places: Sized) -> None:
        """Ask for a place where all that is held is taken. Nothing is awaited after it was granted, so whoever asked takes it."""
        part = self._part(name, limit, places)
        part.most = max(part.most, places.busy + 1)
        if self._lacks(part):
            async with self._asking:
                if self._lacks(part):
                    await self._claim([part], 1)

    async def renew(self) -> None:
        """Keep what is in use or waited for, and let go of the rest: called again and again, off the path of requests."""
        async with self._asking:
            parts = [part for part in self._parts.values() if part.held or part.places.busy]
            for at in range(0, len(parts), MOST_CLAIMED):
                await self._claim(parts[at : at + MOST_CLAIMED], 0)

    def _lacks(self, part: _Part) -> bool:
        return part.places.busy >= part.held and part.held < part.limit and self._clock() >= part.ask_again

    async def _claim(self, parts: Sequence[_Part], need: int) -> None:
        before = [part.held for part in parts]
        claims = [self._said(part, need) for part in parts]
        try:
            grants = await self._shared.claim(claims)
        except SharedStateGone:
            for part, held in zip(parts, before, strict=True):
                part.go_alone(held, self.share)
            return
        for part, claim, grant in zip(parts, claims, grants, strict=True):
            part.alone, part.others, part.most = None, grant.others, part.places.busy
            part.ask_again = self._clock() + ASK_AGAIN if grant.hold < claim.hold else 0.0
            part.hold(int(grant.hold + 1e-9))

    def _said(self, part: _Part, need: int) -> Claim:
        wish = part.wish(need)
        if wish < part.held:  # what is let go of may be another's before the answer is here
            part.hold(wish)
        return Claim(part.name, _WINDOW, float(part.limit), 0.0, float(wish), self._lease, self._clock() + _FORGOTTEN_AFTER)

    def _part(self, name: str, limit: int, places: Sized) -> _Part:
        part = self._parts.get(name)
        if part is None:
            part = self._parts[name] = _Part(name, limit, places)
        if part.places is not places:
            part.places = places
            places.resize(part.held)
        part.limit = limit
        return part
