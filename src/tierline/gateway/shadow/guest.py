"""The way in of calls that nobody waits for: a place that would stand empty, given up as soon as a client's call wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tierline.gateway.admission import Admission
from tierline.state.live_model import Permit
from tierline.state.world import World
from tierline.types.features import Features
from tierline.types.outcome import Outcome
from tierline.types.wire import Reply

NO_PLACE = "no place to spare"


class Guest(Admission):
    """Every call by it is a guest's: it waits for nothing, teaches the world nothing, and its task is cancelled when its place is
    wanted."""

    __slots__ = ("_host",)

    def __init__(self, world: World, features: Features) -> None:
        super().__init__(world, features)
        self._host = world

    async def through(
        self,
        model: str,
        seconds: float,  # noqa: ARG002  # a guest does not wait
        make: Callable[[Permit], Awaitable[Outcome]],
        *,
        waited: bool = False,  # noqa: ARG002  # nor does it insist
    ) -> Outcome:
        """The outcome of one call, made at once; of `overloaded` where there is no place to spare."""
        task = asyncio.current_task()
        assert task is not None
        leave = task.cancel
        permit = self._host.visit(model, leave)
        if permit is None:
            return Outcome(False, error="overloaded", detail=NO_PLACE)
        try:
            return await make(permit)
        finally:
            self._host.depart(permit, leave)

    def heed(self, permit: Permit, reply: Reply) -> None:
        """What a provider says of its limits is heeded by the calls of clients."""
