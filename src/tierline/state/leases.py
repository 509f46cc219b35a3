"""One counter that several processes keep together, as one of them sees it: what it holds of the limit, has promised and has used.

    limit = used by all + held by others + held here          (never more, but for what calls cost over what was reserved for them)
    held here = promised to calls under way + free

A process promises only what it holds. Where that does not reach, it says what it has used since it last spoke and asks for more: what is
promised, what is needed now, and a part of what is left, so that leases get small as the limit comes near. A lease that is not renewed
runs out, and with it whatever its holder had promised: a crash leaks nothing.
"""

from __future__ import annotations

from tierline.types.shared import Claim, Grant

LEASE = 10.0
"""Seconds that a lease holds, where the spec does not say."""
RENEW = 3.0
"""Seconds after which it is renewed by a process that is alone."""
PORTION = 0.1
"""The part of what is left that a lease takes at most beyond what is needed at once."""
AHEAD = 64.0
"""A lease takes so many times what is needed now and was used since the last one: who is idle holds nothing."""
_DUST = 1e-12
"""What rounding may leave of an amount, as a share of the limit."""


class Counter:
    """One counter in one window of time. All amounts are in the counter's own unit.

    `used` is what all are known to have used, `open` the number of calls under way; `reserved_ever`, `settled_ever` and `released_ever` add
    up what became of all promises: reserved = settled + released as soon as none is open."""

    __slots__ = (
        "_dust", "_said", "_unsaid", "ask_again", "ends", "gone", "hold", "holds_until", "limit", "name", "open", "others",
        "released_ever", "reserved", "reserved_ever", "settled_ever", "warned", "window",
    )  # fmt: skip

    def __init__(self, name: str, window: str, limit: float, ends: float) -> None:
        self.name = name
        self.window = window
        self.ends = ends
        self.limit = limit
        self.hold = 0.0
        self.holds_until = 0.0
        self.ask_again = 0.0
        self.others = 0.0
        self.reserved = 0.0
        self.open = 0
        self.gone = False
        self.warned = False
        self.reserved_ever = self.settled_ever = self.released_ever = 0.0
        self._said = 0.0
        self._unsaid = 0.0
        self._dust = limit * _DUST

    @property
    def used(self) -> float:
        """What all are known to have used, this process's latest use included."""
        return self._said + self._unsaid

    @property
    def free(self) -> float:
        """What this process holds and has not promised."""
        return self.hold - self.reserved

    @property
    def left(self) -> float:
        """What could still be promised here: all that nobody has used, holds or was promised. Where the others cannot be asked, what is
        held. Below 0 where it is overdrawn."""
        return self.free if self.gone else self.limit - self.used - self.others - self.reserved

    @property
    def unsaid(self) -> float:
        """What was used here since the last claim."""
        return self._unsaid

    # promises

    def covers(self, amount: float, now: float) -> bool:
        """Whether so much can be promised without asking anybody."""
        return self.free >= amount - self._dust and (now < self.holds_until or self.gone)

    def reserve(self, amount: float) -> None:
        """Promise so much, whether it is covered or not."""
        self.reserved += amount
        self.reserved_ever += amount
        self.open += 1

    def settle(self, amount: float, used: float) -> None:
        """Let go of a promise of which so much was used. What was used beyond it is reserved and settled in one."""
        surprise = max(used - amount, 0.0)
        self.reserved_ever += surprise
        self.settled_ever += used
        self.released_ever += amount + surprise - used
        self.reserved -= amount
        self.open -= 1
        if not self.open:
            self.reserved = 0.0  # what rounding has left
        self.spend(used)

    def charge(self, used: float) -> None:
        """Count what nobody had reserved."""
        self.reserved_ever += used
        self.settled_ever += used
        self.spend(used)

    def spend(self, used: float) -> None:
        """Count a use."""
        self.hold -= used
        self._unsaid += used

    # leases

    def claim(self, need: float, lease: float = LEASE) -> Claim:
        """What to say and to wish for when `need` more is to be promised now."""
        left = max(self.limit - self.used - self.others - self.reserved - need, 0.0)
        wish = self.reserved + need + min(PORTION * left, AHEAD * (need + max(self._unsaid, 0.0)))
        return Claim(self.name, self.window, self.limit, self._unsaid, wish, lease, self.ends)

    def farewell(self, lease: float = LEASE) -> Claim:
        """What to say of a counter that is no longer needed: its last use, and that nothing is held but what is promised."""
        return Claim(self.name, self.window, self.limit, self._unsaid, self.reserved, lease, self.ends)

    def alone(self, share: float) -> None:
        """The others cannot be asked any more: go on with what is held, and with a share of what was left when they could."""
        if not self.gone:
            self.gone = True
            self.hold += share * max(self.limit - self.used - self.others - self.hold, 0.0)

    def granted(self, claim: Claim, grant: Grant, now: float) -> None:
        """Take what came of a claim; what was used here meanwhile is still to be said."""
        self._unsaid -= claim.used
        if abs(self._unsaid) < self._dust:
            self._unsaid = 0.0
        self._said = grant.used
        self.others = grant.others
        self.hold = grant.hold - self._unsaid
        self.holds_until = now + claim.lease
        self.gone = False
