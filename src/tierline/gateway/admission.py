"""The way in to a model, and out again: a place, a door, and what the world learns from the call.

A model that rests is not called: the outcome is `overloaded` at once, so that the course goes on with another. It is called all the same
where the decision knew that nobody else is there (`least_bad`, `limits_lifted`), or where the course itself has waited for it. Where every
place is taken, a call waits for one within its own time.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

from tierline.providers.rate_limits import exhausted, limits_told
from tierline.state.live_model import Permit
from tierline.state.rates import Turn
from tierline.state.world import World
from tierline.types.decision import Decision, Why
from tierline.types.features import Features
from tierline.types.outcome import Outcome
from tierline.types.wire import Reply

_UNSAID = Outcome(False, error="cancelled")
"""What the world is told of a call that ended without an outcome."""

_LOOK_EVERY = 1.0
"""Seconds between two looks for limits where there were none."""

_NOBODY_ELSE = frozenset({Why.LEAST_BAD, Why.LIMITS_LIFTED})


class Admission:
    """The world as the calls of one request meet it: those of its `decision`, or those that are made beside it."""

    __slots__ = ("_background", "_decision", "_tokens", "_tried", "_world")

    def __init__(self, world: World, features: Features, decision: Decision | None = None) -> None:
        self._world = world
        self._decision = decision
        self._tokens = features.input_tokens + features.output_tokens
        self._background = world.patient(features, "" if decision is None else decision.task)
        self._tried: dict[str, set[str]] = {}

    async def through(self, model: str, seconds: float, make: Callable[[Permit], Awaitable[Outcome]], *, waited: bool = False) -> Outcome:
        """The outcome of one call that `make` makes, once there is a way in within so many seconds; of `overloaded`, where there is none.
        `waited`: the model has had its rest already. However the call ends, its place is free again."""
        permit = self._walk_in(model, waited) or await self._queued(model, seconds, waited)
        if isinstance(permit, Permit) and model in self._world.rates.models:
            permit = await self._rated(model, permit)
        if isinstance(permit, Outcome):
            return permit
        try:
            outcome = await make(permit)
        except BaseException:
            self._world.leave(permit, _UNSAID)
            raise
        return self._left(model, permit, outcome)

    def heed(self, permit: Permit, reply: Reply) -> None:
        """Rest a door whose provider says that it has nothing left, before it has to refuse a call. One that tells no limits is looked at
        now and then only."""
        if permit.started < permit.door.look_at:
            return
        told = limits_told(reply.headers)
        if not told:
            permit.door.look_at = permit.started + _LOOK_EVERY
            return
        pause = exhausted(reply.headers, told, time.time())
        if pause is not None:
            self._world.pause(permit, pause)

    def _walk_in(self, model: str, waited: bool) -> Permit | Outcome | None:
        """The way in, or why there is none; None where every place is taken."""
        if (rest := self._world.rest(model)) and not (waited or self._is_last_resort):
            return Outcome(False, error="overloaded", retry_after=rest, detail=f"it rests for {rest:.1f} s after failing")
        return self._world.enter(model, self._tried.get(model, ()), background=self._background)

    async def _queued(self, model: str, seconds: float, waited: bool) -> Permit | Outcome:
        """The way in, once a place is free."""
        world, tried = self._world, self._tried.get(model, ())
        began, insist = world.clock(), waited or (self._is_last_resort and world.rest(model) > 0)
        permit = await world.wait(model, seconds, tried, background=self._background, insist=insist)
        if permit is None:
            queued = world.clock() - began
            return Outcome(False, error="overloaded", elapsed=queued, detail="every place that the spec gives it is taken")
        return permit

    async def _rated(self, model: str, permit: Permit) -> Permit | Outcome:
        """The same way in, with a lease on the model's rate where several processes count together."""
        if self._world.leases is not None:
            await self._world.lease(permit, model, self._tokens)
        return self._counted(model, permit)

    def _counted(self, model: str, permit: Permit) -> Permit | Outcome:
        """The way in to a model with a rate, of which this call is a part."""
        turn = self._world.rates.call(model, self._tokens)
        if isinstance(turn, Turn):
            permit.turn = turn
            return permit
        self._world.leave(permit, _UNSAID)
        return Outcome(False, error="rate_limited", retry_after=turn, detail="it has had the calls or tokens that its rate gives it")

    def _left(self, model: str, permit: Permit, outcome: Outcome) -> Outcome:
        """The outcome with the door it went by and how many are left to try."""
        self._world.leave(permit, outcome)
        if outcome.ok:
            return msgspec.structs.replace(outcome, endpoint=permit.name)
        tried = self._tried.setdefault(model, set())
        tried.add(permit.name)
        return msgspec.structs.replace(outcome, endpoint=permit.name, spare=self._world.spare(permit, tried))

    @property
    def _is_last_resort(self) -> bool:
        return self._decision is not None and any(reason.why in _NOBODY_ELSE for reason in self._decision.reasons)
