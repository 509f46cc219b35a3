"""Everything that is live about one model: its doors with their breakers, its places, how long it takes, the pressure on it.

A **door** is one address with one secret. A call goes by the least loaded door that does not rest and that its request has not tried; among
equals they take turns. The model rests when all its doors do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from tierline.config.spec import LoadSpec
from tierline.state.breaker import Breaker, State, Ticket
from tierline.state.latency import Recent
from tierline.state.places import Places
from tierline.state.pressure import Pressure
from tierline.state.rates import Turn
from tierline.types.access import Door
from tierline.types.outcome import ErrorClass, Outcome

COUNTED: frozenset[ErrorClass] = frozenset(
    {"connect", "timeout", "rate_limited", "overloaded", "server", "auth", "malformed", "cut", "idle"}
)
"""Failures that are the door's own. All others are the client's, or say nothing of how the door is: a model that is `not_found` may be a
file or an earlier response that is not there."""

PROBED = 1.0
"""Seconds of rest that are shown while a half-open door has all its probes on their way."""

_UNKNOWN = 10.0
_LEAST = 1.0


class DoorState:
    """One door: its breaker, and the calls on their way through it. Its replies are to be looked at for limits from `look_at` on, by the
    world's clock."""

    __slots__ = ("breaker", "door", "in_flight", "look_at")

    def __init__(self, door: Door, breaker: Breaker) -> None:
        self.door = door
        self.breaker = breaker
        self.in_flight = 0
        self.look_at = 0.0


class Permit:
    """A call's way in: by which door of which model it goes, since when (the world's clock), and what its breaker gave it. `began` is when
    it began to wait for its place; `turn` its part of the model's rate, where it has one."""

    __slots__ = ("background", "began", "door", "model", "started", "ticket", "turn")

    def __init__(self, model: LiveModel, door: DoorState, ticket: Ticket, began: float, started: float, background: bool) -> None:
        self.model = model
        self.door = door
        self.ticket = ticket
        self.began = began
        self.started = started
        self.background = background
        self.turn: Turn | None = None

    @property
    def name(self) -> str:
        """The door's name."""
        return self.door.door.name


class LiveModel:
    """One model, alive. `timeout`: the seconds that its provider gives it to the first of an answer. `total` and `first` are what a
    caller waits for, to the whole answer and to its first content; `work` leaves out the wait for a place, where there is one."""

    def __init__(self, doors: Sequence[Door], load: LoadSpec, timeout: float, limit: int | None, most_waiting: int) -> None:
        self.places = Places(limit, most_waiting)
        self.total = Recent()
        self.first = Recent()
        self.work = Recent()
        self._turn = 0
        self.doors: tuple[DoorState, ...] = ()
        self.pressure: Pressure | None = None
        self._load: LoadSpec | None = None
        self.change(doors, load, timeout, limit, most_waiting)

    def change(self, doors: Sequence[Door], load: LoadSpec, timeout: float, limit: int | None, most_waiting: int) -> None:
        """What a new spec says of the same model. Doors that are the same keep their health, unless the breaker's rules are others."""
        same = self._load is not None and self._load.breaker == load.breaker
        known = {state.door: state for state in self.doors} if same else {}
        self.doors = tuple(known.get(door) or DoorState(door, Breaker(load.breaker)) for door in doors)
        if self._load is None or self._load.target != load.target:
            wanted = load.target.p95 is not None or load.target.queue is not None
            self.pressure = Pressure(load.target) if wanted else None
        self._load = load
        self._timeout, self._slow = timeout, load.breaker.slow
        self.places.change(limit, most_waiting)

    # doors

    def rest(self, now: float) -> float:
        """Seconds until a call may go to this model again, 0 when one may now."""
        shortest = float("inf")
        for state in self.doors:
            if state.breaker.takes(now):
                return 0.0
            shortest = min(shortest, state.breaker.rest(now) or PROBED)
        return shortest

    def go(self, now: float, began: float, tried: Collection[str], background: bool) -> Permit:
        """Count a call in by the best door. Its place has been taken."""
        state = self.doors[0] if len(self.doors) == 1 else self._best(now, tried)
        state.in_flight += 1
        return Permit(self, state, state.breaker.enter(now), began, now, background)

    def spare(self, now: float, tried: Collection[str]) -> int:
        """Doors that are not among `tried` and may be taken."""
        if len(self.doors) == 1:
            return 0
        return sum(state.door.name not in tried and state.breaker.takes(now) for state in self.doors)

    def _best(self, now: float, tried: Collection[str]) -> DoorState:
        """Not tried before tried, not resting before resting, the shorter rest, the lighter load; among equals in turn."""
        self._turn = (self._turn + 1) % len(self.doors)
        in_turn = self.doors[self._turn :] + self.doors[: self._turn]

        def rank(state: DoorState) -> tuple[bool, float, int]:
            rest = 0.0 if state.breaker.takes(now) else state.breaker.rest(now) or PROBED
            return (state.door.name in tried, rest, state.in_flight)

        return min(in_turn, key=rank)

    def visit(self, now: float, leave: Callable[[], object]) -> Permit | None:
        """A guest's way in: by a door that is well, to a place that stands empty, while no load is to move; None where there is none."""
        state = self._best(now, ())
        if state.breaker.state(now) != "closed" or (self.pressure is not None and self.pressure.value) or not self.places.visit(leave):
            return None
        state.in_flight += 1
        return Permit(self, state, state.breaker.enter(now), now, now, True)

    def depart(self, permit: Permit, leave: Callable[[], object]) -> None:
        """Count a guest out. It teaches nothing: clients are not to be routed by what befell a call that is none of theirs."""
        permit.door.in_flight -= 1
        permit.door.breaker.abandoned(permit.ticket)
        self.places.depart(leave)

    # what a call taught

    def leave(self, now: float, permit: Permit, outcome: Outcome) -> State:
        """Count a call out, and learn from what it gave. Returns where the door's breaker stands now."""
        state = permit.door
        state.in_flight -= 1
        self._judge(now, permit, outcome)
        if outcome.ok:
            self.total.add(now, outcome.elapsed)
            if outcome.ttft is not None:
                self.first.add(now, outcome.ttft)
            if self.places.limit is not None:
                self.work.add(now, now - permit.started)
        if self.pressure is not None and not permit.background and (outcome.ok or outcome.error in ("timeout", "idle")):
            self.pressure.ended(now, now - permit.began)
        self.places.give_back()
        return state.breaker.state(now)

    def _judge(self, now: float, permit: Permit, outcome: Outcome) -> None:
        breaker, taken = permit.door.breaker, now - permit.started
        if outcome.ok:
            slow = self._slow is not None and (taken if outcome.ttft is None else outcome.ttft) > self._slow
            if slow:
                breaker.failed(now, permit.ticket)
            else:
                breaker.succeeded(now, permit.ticket)
        elif outcome.error not in COUNTED or (outcome.error == "timeout" and taken < self._fair(now)):
            breaker.abandoned(permit.ticket)
        else:
            breaker.failed(now, permit.ticket, at_once=outcome.error == "auth", retry_after=outcome.retry_after)

    def _fair(self, now: float) -> float:
        """Seconds that a call must have had for its time-out to be the model's fault, and not that of a client in a hurry."""
        known = self.total.quantiles(now)
        usual = max(2 * known.p95, _LEAST) if known.count else _UNKNOWN
        return min(self._timeout, self._timeout if self._slow is None else self._slow, usual) * 0.99

    # the queue

    def expected(self, now: float, *, background: bool) -> float:
        """Seconds that a call which came now would take, its wait included, as far as the recent past tells; 0 where it tells nothing."""
        limit = self.places.limit
        if limit is None:
            return 0.0
        usual = self.work.quantiles(now).p50
        return usual * (1 + (self.places.ahead(background=background) + 1) / max(limit, 1))

    def look(self, now: float) -> float:
        """The pressure on it now."""
        if self.pressure is None:
            return 0.0
        queue = self.places.interactive
        return self.pressure.look(now, queue, self.expected(now, background=False) if queue else 0.0)
