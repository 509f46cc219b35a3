"""What a scrape shows of the live world: doors, queues, pressure. Labels are names of the spec; a door that is gone goes to 0."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from tierline.state.world import ModelSeen

_STATES = {"closed": 0, "half_open": 1, "open": 2}


class WorldGauges:
    """The gauges of every model and door. Of several workers counts are summed, and of states the worst is shown."""

    def __init__(self, registry: CollectorRegistry) -> None:
        door, model = ["model", "door"], ["model"]
        self._state = Gauge(
            "tierline_breaker_state",
            "0 closed, 1 half-open, 2 open or paused",
            door,
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._rest = Gauge("tierline_rest_seconds", "Rest left before a door", door, registry=registry, multiprocess_mode="livemax")
        self._calls = Gauge("tierline_calls_in_flight", "Calls by door", door, registry=registry, multiprocess_mode="livesum")
        self._waiting = Gauge(
            "tierline_calls_waiting", "Calls that wait for a place", model, registry=registry, multiprocess_mode="livesum"
        )
        self._pressure = Gauge(
            "tierline_pressure",
            "Share of interactive traffic that is to move down",
            model,
            registry=registry,
            multiprocess_mode="livemax",
        )
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
