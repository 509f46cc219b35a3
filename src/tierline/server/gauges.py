"""What a scrape shows of the live world: doors, queues, pressure. Labels are names of the spec; a door that is gone goes to 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import Gauge

from tierline.gateway.together import SharedSeen
from tierline.server.metric_kit import MetricKit
from tierline.state.budgets import BudgetSeen
from tierline.state.world import ModelSeen

_STATES = {"closed": 0, "half_open": 1, "open": 2}


class WorldGauges:
    """The gauges of every model and door. Of several workers counts are summed, and of states the worst is shown."""

    def __init__(self, kit: MetricKit) -> None:
        door, model = ["model", "door"], ["model"]
        self._state = kit.gauge("tierline_breaker_state", "0 closed, 1 half-open, 2 open or paused", door)
        self._rest = kit.gauge("tierline_rest_seconds", "Rest left before a door", door)
        self._calls = kit.gauge("tierline_calls_in_flight", "Calls by door", door, "livesum")
        self._waiting = kit.gauge("tierline_calls_waiting", "Calls that wait for a place", model, "livesum")
        self._pressure = kit.gauge("tierline_pressure", "Share of interactive traffic that is to move down", model)
        self._doors: set[tuple[str, str]] = set()
        self._models: set[str] = set()

    def show(self, models: Mapping[str, ModelSeen]) -> None:
        """Set every gauge to what the world shows now."""
        doors = {(name, door.door): door for name, seen in models.items() for door in seen.doors}
        for labels in self._doors - doors.keys():
            for gauge in (self._state, self._rest, self._calls):
                gauge.labels(*labels).set(0)
        for labels, door in doors.items():
            self._state.labels(*labels).set(_STATES[door.state])
            self._rest.labels(*labels).set(door.rest)
            self._calls.labels(*labels).set(door.in_flight)
        for name in self._models - models.keys():
            self._waiting.labels(name).set(0)
            self._pressure.labels(name).set(0)
        for name, seen in models.items():
            self._waiting.labels(name).set(seen.waiting)
            self._pressure.labels(name).set(seen.pressure)
        self._doors, self._models = set(doors), set(models)


class BudgetGauges:
    """The gauges of every budget; one that is gone goes to 0. Of several workers the highest is shown: each knows what all have used."""

    def __init__(self, kit: MetricKit) -> None:
        def gauge(name: str, says: str) -> Gauge:
            return kit.gauge(f"tierline_budget_{name}", says, ["budget"])

        self._of: Mapping[str, Gauge] = {
            "limit": gauge("limit", "The limit of a budget, in USD or tokens"),
            "used": gauge("used", "What was used of a budget in its period"),
            "reserved": gauge("reserved", "What calls under way may still use of a budget"),
            "left": gauge("left", "What is left of a budget in its period; of several counters the sum"),
            "most_used": gauge("used_share", "The share of its limit that a budget has used; of several counters the highest"),
            "pace": gauge("pace", "How far spending runs ahead of (above 0) or behind its plan, from -1 to 1"),
            "projected": gauge("projected", "What will have been used of a paced budget at its period's end"),
        }
        self._exhausted = gauge("exhausted_at_seconds", "When a paced budget will reach its limit, Unix time; 0: not in this period")
        self._known: set[str] = set()

    def show(self, budgets: Sequence[BudgetSeen]) -> None:
        """Set every gauge to what the budgets show now."""
        for name in self._known - {budget.name for budget in budgets}:
            for gauge in (*self._of.values(), self._exhausted):
                gauge.labels(name).set(0)
        for budget in budgets:
            for field, gauge in self._of.items():
                gauge.labels(budget.name).set(getattr(budget, field) or 0.0)
            self._exhausted.labels(budget.name).set(budget.exhausted_at or 0.0)
        self._known = {budget.name for budget in budgets}


class SharedGauges:
    """The gauges of what processes share. Of several workers the worst is shown. A gateway that shares nothing shows 1, 0 and 0."""

    def __init__(self, kit: MetricKit) -> None:
        self._up = kit.gauge(
            "tierline_shared_up", "Whether the engine that replicas share answers; 1 too where there is none", several="livemin"
        )
        self._others = kit.gauge("tierline_shared_others", "Other processes that are heard of", several="livemin")
        self._behind = kit.gauge("tierline_spec_behind", "Whether another process took another spec later")
        self._up.set(1)

    def show(self, seen: SharedSeen) -> None:
        """Set every gauge to how it stands."""
        self._up.set(seen.up)
        self._others.set(seen.others)
        self._behind.set(seen.spec_behind)
