"""The world as this process knows it, kept live and handed out as a snapshot.

The router reads a `View`; making one for every request would cost more than deciding. So the view is a snapshot that is
renewed at most every `REFRESH` seconds, on the first request that finds it old, and at once when a door begins or ends to rest. Everything
is keyed by model and route names of the spec, and sessions are bounded: nothing here grows with traffic. A reload keeps what it
knows of models that have not changed, and drops what the new spec no longer has.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import LoadSpec
from tierline.interfaces import Shared
from tierline.state.breaker import State
from tierline.state.budgets import Budgets
from tierline.state.leases import LEASE
from tierline.state.live_model import LiveModel, Permit
from tierline.state.rates import Rates, Turn
from tierline.state.sessions import Sessions
from tierline.state.shared_places import PlaceLeases
from tierline.state.shared_rates import RateLeases
from tierline.state.standing import LEAST_REST, MOST_SESSIONS, Answered, Standing
from tierline.state.turns import Turns
from tierline.types.access import Door, Key
from tierline.types.catalog import Model
from tierline.types.features import Features
from tierline.types.outcome import Outcome, Result
from tierline.types.view import View

REFRESH = 0.1
"""Seconds that a snapshot may be old."""

PATIENT = 60.0
"""A latency budget of so many seconds or more means that nobody waits: such a request is background work."""

_OF_MODEL = "places/model/"
_OF_KEY = "places/key/"
_LEARN = 0.05
_SCALE_BOUNDS = (0.2, 5.0)


class DoorSeen(msgspec.Struct, frozen=True):
    """One door of one model, to be looked at. `rest` is seconds left."""

    door: str
    state: State
    rest: float
    in_flight: int


class ModelSeen(msgspec.Struct, frozen=True):
    """One model, to be looked at: its doors, calls in flight and waiting, its pressure, seconds to whole answers and first content."""

    doors: tuple[DoorSeen, ...]
    in_flight: int
    waiting: int
    pressure: float
    p50: float
    p95: float
    ttft_p95: float


class World:
    """Live state of one process. `clock` gives seconds that never go back, `wall` Unix seconds, by which rates and budgets are
    counted; `shared` is what other processes hold in common with this one, None: there are none. `lease` is in seconds; `member` is the
    name of this process."""

    def __init__(
        self,
        loaded: Loaded,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        shared: Shared | None = None,
        lease: float = LEASE,
    ) -> None:
        self.clock = clock
        self.leases = None if shared is None else RateLeases(shared, wall, lease)
        self.seats = None if shared is None else PlaceLeases(shared, wall, lease)
        self.rates = Rates(wall, None if self.leases is None else self.leases.window)
        self.budgets = Budgets(loaded, wall, shared, lease)
        self.member = self.budgets.member
        self.turns = Turns()
        self._loaded = loaded
        self._models: dict[str, LiveModel] = {}
        self._scale: dict[str, float] = {}
        self._pins: Mapping[str, str] = {}
        self._arms: Mapping[str, float] = {}
        self._sticky: Mapping[str, float] = {}
        self._patient: frozenset[str] = frozenset()
        self._sessions = Sessions()
        self._view = View()
        self._renew_at = 0.0
        self._elsewhere: Mapping[str, int] = {}
        self._heard_pins: Mapping[str, str] = {}
        self._own_pins: Mapping[str, str] = {}
        self._fresh: deque[Answered] | None = None if shared is None else deque(maxlen=MOST_SESSIONS)
        self.adopt(loaded)

    def adopt(self, loaded: Loaded) -> None:
        """Take a new spec: what it shares with the old one is kept, what is gone or another model now is forgotten.

        Calls still in flight on a model that is gone end without a trace."""
        self.budgets.adopt(loaded)
        before, old = self._models, self._loaded
        self._models = {}
        for name, model in loaded.models.items():
            live = before.get(name) if name in old.models and _same(model, old.models[name]) else None
            self._models[name] = self._alive(loaded, model, live)
        if self.seats is not None:
            self.seats.keep(_OF_MODEL, {_OF_MODEL + name for name, model in loaded.models.items() if model.max_concurrency is not None})
        self._loaded = loaded
        self._scale = {name: scale for name, scale in self._scale.items() if self._models.get(name) is before.get(name)}
        self._sessions.keep({name for name, live in self._models.items() if live is before.get(name)})
        self._sticky = {name: float(route.session.ttl) for name, route in loaded.spec.routes.items() if route.session.sticky}
        self.rates.adopt(loaded)
        patient = {name: task.latency_budget for name, task in loaded.spec.tasks.items()}
        self._patient = frozenset(name for name, wait in patient.items() if wait is not None and wait >= PATIENT)
        self._renew_at = 0.0

    def _alive(self, loaded: Loaded, model: Model, live: LiveModel | None) -> LiveModel:
        """A model of the spec, alive: as it was known, or anew. Of places that processes count together it has those that are held here."""
        endpoint, load, limit = loaded.providers[model.provider], loaded.spec.load, model.max_concurrency
        shared = self.seats if limit is not None else None
        if live is None:
            live = LiveModel(endpoint.doors, load, endpoint.timeout, limit if shared is None else 0, model.max_queue)
        if shared is not None and limit is not None:
            limit = shared.held(_OF_MODEL + model.name, limit, live.places)
        live.change(endpoint.doors, load, endpoint.timeout, limit, model.max_queue)
        return live

    def beside(self, loaded: Loaded) -> World:
        """The world of another spec that answers for some of the requests: money and rates are counted together, and a model that both
        reach by the same doors is one, with its health, its places and its load; the rest is its own."""
        other = World(loaded, self.clock)
        other.budgets, other.rates, other.turns = self.budgets, self.rates, self.turns
        for name, live in self._models.items():
            model = loaded.models.get(name)
            if model is not None and _same(model, self._loaded.models[name]) and _doors(loaded, model) == _doors(self._loaded, model):
                other._models[name] = live
        return other

    # what the router reads

    def view(self, features: Features | None = None) -> View:
        """The world at one instant, at most `REFRESH` seconds ago; with the warm model of the request's session on a sticky route,
        and what is left of the budgets that concern it."""
        now = self.clock()
        if now >= self._renew_at:
            self._renew(now)
        view = self._view
        if features is not None and features.session and features.route in self._sticky:
            warm = self._sessions.model(now, _session(features))
            if warm:
                view = msgspec.structs.replace(view, warm=warm)
        return self.budgets.see(view, features) if self.budgets.active and features is not None else view

    def _renew(self, now: float) -> None:
        self._renew_at = now + REFRESH
        models = self._models.items()
        self._view = View(
            resting={name: rest for name, live in models if (rest := live.rest(now))},
            load={name: calls for name, live in models if (calls := live.places.taken + self._elsewhere.get(name, 0))},
            latency={name: seen for name, live in models if (seen := live.total.quantiles(now)).count},
            pins=self._pins,
            token_scale=dict(self._scale),
            pressure={name: pressure for name, live in models if (pressure := live.look(now))},
            ttft={name: seen for name, live in models if (seen := live.first.quantiles(now)).count},
            limited=self.rates.limited() if self.rates.models else {},
            arms=self._arms,
        )

    def pin(self, pins: Mapping[str, str]) -> None:
        """Replace the pins (route → model) of this process's own ledger; the next view shows them, and those of other replicas."""
        self._own_pins = pins = dict(pins)
        self._show_pins({**self._heard_pins, **pins})

    def _show_pins(self, pins: Mapping[str, str]) -> None:
        if pins != self._pins:
            self._pins = dict(pins)
            self._renew_at = 0.0

    def set_arms(self, shares: Mapping[str, float]) -> None:
        """Replace the shares of arms that are others than the spec's; the next view shows them."""
        if shares != self._arms:
            self._arms = dict(shares)
            self._renew_at = 0.0

    def patient(self, features: Features, task: str) -> bool:
        """Whether nobody waits for this request's answer: such calls let interactive ones go first."""
        wait = features.hints.latency_budget
        return task in self._patient if wait is None else wait >= PATIENT

    # one call

    def rest(self, model: str) -> float:
        """Seconds until a call may go to this model, 0 when one may now."""
        live = self._models.get(model)
        return 0.0 if live is None else live.rest(self.clock())

    def enter(self, model: str, tried: Collection[str] = (), *, background: bool = False) -> Permit | None:
        """A place and a door for a call, at once; None where every place is taken. `tried` are doors that its request has been through."""
        live = self._models.get(model) or _stranger()
        return self._go(live, self.clock(), tried, background) if live.places.take() else None

    async def wait(
        self, model: str, seconds: float, tried: Collection[str] = (), *, background: bool = False, insist: bool = False
    ) -> Permit | None:
        """A place and a door for a call within so many seconds, or None: the queue is full, or by what is known of the model the
        call could not be answered in that time, or the time is up, or the model has begun to rest (unless it is to be called all the same:
        `insist`)."""
        live, began = self._models.get(model) or _stranger(), self.clock()
        if self.seats is not None and (permit := await self._another(self.seats, model, live, began, tried, background)):
            return permit
        if live.expected(began, background=background) > seconds:
            return None
        if not await live.places.wait(seconds, background=background):
            return None
        if not insist and live.rest(self.clock()):
            live.places.give_back()
            return None
        return self._go(live, began, tried, background)

    async def _another(
        self, seats: PlaceLeases, model: str, live: LiveModel, began: float, tried: Collection[str], background: bool
    ) -> Permit | None:
        """A place that the other processes leave to this one; None where there is none, or they are not counted together."""
        known = self._loaded.models.get(model)
        if known is None or known.max_concurrency is None:
            return None
        await seats.cover(_OF_MODEL + model, known.max_concurrency, live.places)
        return self._go(live, began, tried, background) if not live.places.waiting and live.places.take() else None

    def visit(self, model: str, leave: Callable[[], object]) -> Permit | None:
        """A way in for a guest: a call that nobody waits for, at a place that would stand empty; None where the model has none to spare,
        rests or is under pressure. `leave` is called when its place is wanted. It ends with `depart`, and leaves no trace in the world."""
        live = self._models.get(model)
        return None if live is None else live.visit(self.clock(), leave)

    def depart(self, permit: Permit, leave: Callable[[], object]) -> None:
        """A guest is gone."""
        permit.model.depart(permit, leave)

    async def turn(self, key: Key) -> Turn:
        """A limited key's next request, not counted yet; with a lease on it where several processes count together."""
        turn = self.rates.turn(key)
        if self.leases is not None:
            await self.leases.ask(turn.limits, 1.0, 0.0)
        if self.seats is not None and key.max_concurrency is not None:
            await self.seats.cover(_OF_KEY + key.name, key.max_concurrency, turn.limits)
        return turn

    def keep_keys(self, names: Collection[str]) -> None:
        """Forget what is counted of all keys but these."""
        gone = self.rates.keep(names)
        if self.leases is not None:
            self.leases.forget(gone)
        if self.seats is not None:
            self.seats.keep(_OF_KEY, {_OF_KEY + name for name in names})

    async def renew(self) -> None:
        """Say what was used and keep what is held of what several processes count together; called again and again."""
        await self.budgets.renew()
        if self.leases is not None:
            await self.leases.renew()
        if self.seats is not None:
            await self.seats.renew()

    async def reserve(self, turn: Turn, tokens: int) -> None:
        """Reserve the tokens of a key's request; raises RateLimited."""
        if self.leases is not None:
            await self.leases.ask(turn.limits, 0.0, tokens)
        turn.reserve(tokens)

    async def lease(self, permit: Permit, model: str, tokens: int) -> None:
        """Have a lease on the rate of a model, for a call that has its place; that is free again where the call is cancelled."""
        try:
            if self.leases is not None and model in self.rates.models:
                await self.leases.ask(self.rates.models[model], 1.0, tokens)
        except BaseException:
            self.leave(permit, Outcome(False, error="cancelled"))
            raise

    def shares(self, share: float) -> None:
        """The part of what is left that this process may use while the others cannot be asked."""
        self.budgets.share = share
        for held in (self.leases, self.seats):
            if held is not None:
                held.share = share

    def leave(self, permit: Permit, outcome: Outcome) -> None:
        """Count a call out and learn from what it gave: the door's health, and how long the answer took."""
        now, live = self.clock(), permit.model
        if permit.turn is not None:
            permit.turn.settle(outcome.usage.input + outcome.usage.output)
            permit.turn.close()
        before = permit.door.breaker.state(now)
        if live.leave(now, permit, outcome) != before or before == "half_open":
            self._renew_at = 0.0

    def pause(self, permit: Permit, seconds: float) -> None:
        """The door that this call went by has nothing left to give for so many seconds."""
        permit.door.breaker.pause(self.clock(), seconds)
        self._renew_at = 0.0

    def spare(self, permit: Permit, tried: Collection[str]) -> int:
        """Doors of the same model that are not among `tried` and do not rest."""
        return permit.model.spare(self.clock(), tried)

    def _go(self, live: LiveModel, began: float, tried: Collection[str], background: bool) -> Permit:
        permit = live.go(self.clock(), began, tried, background)
        if permit.ticket.probe:
            self._renew_at = 0.0
        return permit

    # one request

    def settle(self, features: Features, result: Result) -> None:
        """Learn from what a request gave: which model its session is with, and how far the token estimate was off."""
        for attempt, outcome in result.attempts:
            usage = outcome.usage
            if outcome.ok and usage.input and not usage.estimated and features.input_tokens and attempt.target in self._models:
                self._learn_scale(attempt.target, usage.input / features.input_tokens)
        ttl = self._sticky.get(features.route)
        if ttl is not None and features.session and result.model in self._models:
            self._sessions.learn(self.clock(), _session(features), result.model, ttl)
            if self._fresh is not None:
                self._fresh.append(Answered(_session(features), result.model, ttl))

    def _learn_scale(self, model: str, measured: float) -> None:
        low, high = _SCALE_BOUNDS
        measured = min(max(measured, low), high)
        known = self._scale.get(model)
        self._scale[model] = measured if known is None else known + _LEARN * (measured - known)

    # what processes tell each other

    def standing(self, policy: str, since: float) -> Standing:
        """How this process stands, and since when it runs that spec."""
        now = self.clock()
        told = {
            name: {state.door.name: seconds for state in live.doors if max(seconds := state.breaker.told(now)) > LEAST_REST}
            for name, live in self._models.items()
        }
        rests, pauses = (
            {name: {door: seconds[which] for door, seconds in doors.items()} for name, doors in told.items() if doors} for which in (0, 1)
        )
        load = {name: live.places.taken for name, live in self._models.items() if live.places.taken}
        return Standing(policy, since, rests, pauses, load, self._own_pins)

    def news(self) -> list[Answered]:
        """The sessions that were answered since this was asked last."""
        fresh = [] if self._fresh is None else list(self._fresh)
        if self._fresh is not None:
            self._fresh.clear()
        return fresh

    def hear(self, others: Collection[Standing], news: Collection[Answered]) -> None:
        """What the other processes said: their load and pins as of now, what has failed them, and with whom sessions are."""
        now = self.clock()
        load: Counter[str] = Counter()
        pins: dict[str, str] = {}
        for other in others:
            load.update(other.load)
            pins.update(other.pins)
            for name in (other.rests.keys() | other.pauses.keys()) & self._models.keys():
                rests, pauses = other.rests.get(name, {}), other.pauses.get(name, {})
                for state in self._models[name].doors:
                    door = state.door.name
                    state.breaker.hear(now, rests.get(door, 0.0), pauses.get(door, 0.0))
                self._renew_at = 0.0
        for answered in news:
            if answered.model in self._models:
                self._sessions.learn(now, answered.session, answered.model, answered.ttl)
        self._elsewhere, self._heard_pins = load, pins
        self._show_pins({**pins, **self._own_pins})

    # for those who look

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Calls in flight by model, now."""
        return {name: live.places.taken for name, live in self._models.items()}

    def seen(self) -> Mapping[str, ModelSeen]:
        """Every model as it stands now."""
        now = self.clock()
        return {name: _seen(live, now) for name, live in self._models.items()}


def _session(features: Features) -> str:
    """One client's session on one route: another key that names the same session means another."""
    return f"{features.route}/{features.key}/{features.session}"


def _same(new: Model, old: Model) -> bool:
    """Whether it is the same upstream model at the same provider, whatever else was said of it."""
    return (new.provider, new.upstream) == (old.provider, old.upstream)


def _doors(loaded: Loaded, model: Model) -> tuple[Door, ...]:
    return loaded.providers[model.provider].doors


def _stranger() -> LiveModel:
    """A model of a spec that is no longer at work: its last calls go by its first door, and teach nothing."""
    return LiveModel((Door(""),), LoadSpec(), float("inf"), None, 0)


def _seen(live: LiveModel, now: float) -> ModelSeen:
    total = live.total.quantiles(now)
    return ModelSeen(
        doors=tuple(DoorSeen(state.door.name, state.breaker.state(now), state.breaker.rest(now), state.in_flight) for state in live.doors),
        in_flight=live.places.taken,
        waiting=live.places.waiting,
        pressure=0.0 if live.pressure is None else live.pressure.value,
        p50=total.p50,
        p95=total.p95,
        ttft_p95=live.first.quantiles(now).p95,
    )
