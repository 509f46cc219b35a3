"""The cost cap. A call begins only while what was spent, what is expected of the calls in flight and what is expected of itself fit in it.

So the cap is overrun by no more than the calls in flight (at most as many as run at one time) cost above what was expected of them.
"""

from __future__ import annotations

import asyncio


class Purse:
    """USD that may be spent, `spent` and reserved for calls in flight."""

    def __init__(self, budget: float, spent: float = 0.0) -> None:
        self.budget = budget
        self.spent = spent
        self._reserved: dict[int, float] = {}
        self._number = 0
        self._settled = asyncio.Event()

    async def reserve(self, expected: float) -> int | None:
        """A ticket for a call of about so much, as soon as it fits; None when it fits not even with nothing in flight."""
        while self.spent + sum(self._reserved.values()) + expected > self.budget:
            if not self._reserved:
                return None
            self._settled.clear()
            await self._settled.wait()
        self._number += 1
        self._reserved[self._number] = expected
        return self._number

    def settle(self, ticket: int, cost: float) -> None:
        """The call is over and cost so much."""
        del self._reserved[ticket]
        self.spent += cost
        self._settled.set()
