"""The world as this process knows it, kept live and handed out as a snapshot.

The router reads a `View`; making one for every request would cost more than deciding. So the view is a snapshot that is
renewed at most every `REFRESH` seconds, on the first request that finds it old. Everything is keyed by model and route names
of the spec: a reload drops what the new spec no longer has, so nothing here grows with traffic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from tierline.state.latency import Recent
from tierline.types.catalog import Model
from tierline.types.features import Features
from tierline.types.outcome import Result
from tierline.types.view import View

REFRESH = 0.1
"""Seconds that a snapshot may be old."""

_LEARN = 0.05
_SCALE_BOUNDS = (0.2, 5.0)


class World:
    """Live state of one process. `clock` gives seconds that never go back."""

    def __init__(self, models: Mapping[str, Model], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limits: dict[str, int | None] = {}
        self._load: dict[str, int] = {}
        self._latency: dict[str, Recent] = {}
        self._scale: dict[str, float] = {}
        self._pins: Mapping[str, str] = {}
        self._view = View()
        self._renew_at = 0.0
        self.adopt(models.values())

    def adopt(self, models: Iterable[Model]) -> None:
        """Take the models of a new spec: what they share with the old one is kept, what is gone is forgotten.

        Calls still in flight on a model that is gone end without a trace."""
        self._limits = {model.name: model.max_concurrency for model in models}
        self._load = {name: self._load.get(name, 0) for name in self._limits}
        self._latency = {name: self._latency.get(name) or Recent() for name in self._limits}
        self._scale = {name: scale for name, scale in self._scale.items() if name in self._limits}
        self._renew_at = 0.0

    def view(self) -> View:
        """The world at one instant, at most `REFRESH` seconds ago."""
        now = self._clock()
        if now >= self._renew_at:
            self._renew_at = now + REFRESH
            self._view = View(
                load={name: count for name, count in self._load.items() if count},
                latency={name: seen for name, recent in self._latency.items() if (seen := recent.quantiles()).count},
                pins=self._pins,
                token_scale=dict(self._scale),
            )
        return self._view

    def pin(self, pins: Mapping[str, str]) -> None:
        """Replace the pins (route → model); the next view shows them."""
        if pins != self._pins:
            self._pins = dict(pins)
            self._renew_at = 0.0

    def enter(self, model: str) -> bool:
        """Count a call in; False, and not counted, when the model has as many as it may."""
        count = self._load.get(model, 0)
        limit = self._limits.get(model)
        if limit is not None and count >= limit:
            return False
        self._load[model] = count + 1
        return True

    def leave(self, model: str) -> None:
        """Count a call out."""
        count = self._load.get(model, 0)
        if model in self._limits:
            self._load[model] = max(count - 1, 0)
        else:
            self._load.pop(model, None)

    def settle(self, features: Features, result: Result) -> None:
        """Learn from what a request gave: how long each answer took, and how far the token estimate was off."""
        for attempt, outcome in result.attempts:
            recent = self._latency.get(attempt.target)
            if recent is None or not outcome.ok:
                continue
            recent.add(outcome.elapsed)
            usage = outcome.usage
            if usage.input and not usage.estimated and features.input_tokens:
                self._learn_scale(attempt.target, usage.input / features.input_tokens)

    def _learn_scale(self, model: str, measured: float) -> None:
        low, high = _SCALE_BOUNDS
        measured = min(max(measured, low), high)
        known = self._scale.get(model)
        self._scale[model] = measured if known is None else known + _LEARN * (measured - known)

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Calls in flight by model, now."""
        return dict(self._load)
