"""What the section `alerts` comes to: each watch with every setting filled in, and whom to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from tierline.config.spec import AlertsSpec, WatchName, WatchSpec, WebhookSpec
from tierline.types.access import Webhook

DAY = 86400.0

TARGETS: Mapping[WatchName, float | None] = {
    "quality_drop": None,
    "fallback_rate": None,
    "escalation_rate": None,
    "cost_per_request": None,
    "latency_slo": 0.95,
}
"""Watches that may be held against a target, and the one they have by default (None: their own past)."""

THRESHOLDS: Mapping[WatchName, float] = {
    "tier_share_shift": 0.02,
    "input_mix": 0.05,
    "score_distribution": 0.05,
    "quality_drop": 0.01,
    "fallback_rate": 0.01,
    "escalation_rate": 0.01,
    "cost_per_request": 0.05,
    "budget_pace": 0.05,
    "price_change": 0.0,
    "prompt_change": 0.05,
    "served_model": 0.02,
}
"""The least move that each tells of, where it has such a thing."""

WINDOWS: Mapping[WatchName, float] = {
    "tier_share_shift": 3 * DAY,
    "input_mix": 3 * DAY,
    "score_distribution": 3 * DAY,
    "quality_drop": 7 * DAY,
    "fallback_rate": 7 * DAY,
    "escalation_rate": 7 * DAY,
    "cost_per_request": 7 * DAY,
    "latency_slo": 3 * DAY,
    "price_change": 7 * DAY,
    "prompt_change": DAY,
    "served_model": DAY,
}
"""The longest stretch, in seconds, that each looks at at once, where it has such a thing."""

LEAST_WINDOW, MOST_WINDOW = 3600.0, 14 * DAY


class Watch(msgspec.Struct, frozen=True):
    """One watch with every setting filled in. Seconds; `target` None: its own past; `tasks` and `routes` empty: all. `alpha` is the
    number of false alarms in a quarter that are accepted over all its subjects."""

    name: WatchName
    threshold: float = 0.0
    target: float | None = None
    window: float = 7 * DAY
    budget: float | None = None
    tasks: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    alpha: float = 0.5


def watches(alerts: AlertsSpec) -> tuple[Watch, ...]:
    """Everything that is watched, in the order in which it is written."""
    return tuple(_watch(name, given, alerts.false_alarms) for name, given in named(alerts))


def named(alerts: AlertsSpec) -> list[tuple[str, WatchSpec]]:
    """Each entry of `watch` by its name, as it is written: a name may be nobody's, where the spec has not been checked."""
    return [pair for entry in alerts.watch for pair in ([(entry, WatchSpec())] if isinstance(entry, str) else entry.items())]


def webhooks(alerts: AlertsSpec) -> tuple[Webhook, ...]:
    """Whom to tell."""
    first = alerts.webhook if isinstance(alerts.webhook, WebhookSpec) else WebhookSpec(url=alerts.webhook)
    found = [("alerts.webhook", first)] if first.url else []
    found += [(f"alerts.webhooks[{index}]", one) for index, one in enumerate(alerts.webhooks)]
    return tuple(Webhook(place, one.url, one.shape, one.secret) for place, one in found)


def _watch(name: str, given: WatchSpec, alpha: float) -> Watch:
    watch = cast("WatchName", name)
    return Watch(
        watch,
        THRESHOLDS.get(watch, 0.0) if given.threshold is None else given.threshold,
        TARGETS.get(watch) if given.target is None else given.target,
        WINDOWS.get(watch, 7 * DAY) if given.window is None else float(given.window),
        None if given.budget is None else float(given.budget),
        frozenset(given.tasks),
        frozenset(given.routes),
        alpha,
    )
