"""What a process has said that it used of each counter, in all: claims say the whole use, so one that arrives twice counts once."""

from __future__ import annotations

from tierline.types.shared import Claim

MOST_USES = 50_000
"""Counters whose whole use is remembered; past it those whose window ends first are forgotten."""


class Uses:
    """The whole use by counter and window."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, float]] = {}
        self._forgot = False

    def whole(self, claim: Claim) -> float | None:
        """The use in all, with what the claim says anew; None where what was said before has been forgotten here."""
        known = self._known.get((claim.counter, claim.window))
        if known is None:
            return None if self._forgot else claim.used
        return known[0] + claim.used

    def keep(self, claim: Claim, whole: float) -> None:
        """The claim was heard, and this is the whole use."""
        self._known[claim.counter, claim.window] = (whole, claim.ends)
        if len(self._known) > MOST_USES:
            self._forgot = True
            for name in sorted(self._known, key=lambda name: self._known[name][1])[: MOST_USES // 10]:
                del self._known[name]

    def since(self, now: float) -> list[tuple[str, str]]:
        """The counters whose window has not ended (Unix seconds)."""
        return [name for name, (_, ends) in self._known.items() if ends > now]
