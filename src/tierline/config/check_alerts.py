"""Can what is to be watched be watched, and can those who are to be told be reached?"""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec
from typing import get_args
from urllib.parse import urlsplit

from tierline.config.alerts import LEAST_WINDOW, MOST_WINDOW, TARGETS, THRESHOLDS, WINDOWS, named
from tierline.config.case import Case
from tierline.config.check_names import all_exist
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.spec import WatchName, WatchSpec, WebhookSpec

NAMES: tuple[WatchName, ...] = get_args(WatchName)

BY_ROUTE = frozenset(NAMES) - {"budget_pace", "price_change", "served_model"}
"""Watches that can be narrowed to routes; most of them to tasks too."""

BY_TASK = BY_ROUTE - {"input_mix", "score_distribution"}

EVERY = (1.0, 86400.0)
"""Seconds between two looks, at least and at most."""

RATES = frozenset({"quality_drop", "fallback_rate", "escalation_rate", "latency_slo"})
"""Watches whose target is a rate."""


def examine_alerts(case: Case) -> None:
    """Reports watches that do not exist, stand twice or have settings that they do not know, and addresses that nobody can be told at."""
    alerts, problems = case.spec.alerts, case.problems
    seen: set[str] = set()
    for index, entry in enumerate(alerts.watch):
        place: Place = ("alerts", "watch", index)
        given = [(entry, WatchSpec())] if isinstance(entry, str) else list(entry.items())
        if len(given) != 1:
            problems.error(place, f"{len(given)} watches stand in one entry", "give each an entry of its own")
        for name, settings in given:
            if name not in NAMES:
                problems.unknown(place, "watch", name, NAMES)
            elif name in seen:
                problems.error(place, f"{name} stands twice", "keep one of them")
            else:
                _settings(case, (*place, name), name, settings)
            seen.add(name)
    _webhooks(case)
    if not EVERY[0] <= alerts.every <= EVERY[1]:
        problems.error(("alerts", "every"), "it is looked at every second at most, and daily at least", "write 1h, 15m or so")
    if alerts.watch and find_spec("scipy") is None:
        problems.error(("alerts", "watch"), "watching needs NumPy and SciPy", "pip install 'tierline[analysis]'")
    if (
        any(name == "budget_pace" for name, _ in named(alerts))
        and case.whole
        and not any(b.pace != "none" for b in case.spec.budgets.values())
    ):
        problems.warn(("alerts", "watch"), "budget_pace watches nothing: no budget is paced", "give a budget pace: spread")


def _settings(case: Case, place: Place, name: WatchName, given: WatchSpec) -> None:
    problems = case.problems
    all_exist(case, (*place, "tasks"), "task", given.tasks, case.tasks)
    all_exist(case, (*place, "routes"), "route", given.routes, case.routes)
    for field, known in (("target", TARGETS), ("threshold", THRESHOLDS), ("window", WINDOWS)):
        if getattr(given, field) is not None and name not in known:
            problems.error((*place, field), f"{name} has no {field}", "remove it")
    for field, narrow in (("tasks", BY_TASK), ("routes", BY_ROUTE)):
        if getattr(given, field) and name not in narrow:
            problems.error((*place, field), f"{name} is not by {field}", "remove it")
    if given.budget is not None and name != "latency_slo":
        problems.error((*place, "budget"), f"{name} has no budget", "remove it")
    if given.window is not None and not LEAST_WINDOW <= given.window <= MOST_WINDOW:
        problems.error((*place, "window"), "a window lasts from an hour to 14 days", "write 1d, 3d or so")
    if given.target is not None and name in RATES and not 0.0 < given.target < 1.0:
        problems.error((*place, "target"), "this target is a rate: more than 0 and less than 1", "write 0.95 or so")


def _webhooks(case: Case) -> None:
    alerts = case.spec.alerts
    if isinstance(alerts.webhook, WebhookSpec):
        _webhook(case, ("alerts", "webhook"), alerts.webhook)
    elif alerts.webhook:
        _address(case, ("alerts", "webhook"), alerts.webhook)
    for index, one in enumerate(alerts.webhooks):
        _webhook(case, ("alerts", "webhooks", index), one)
    if (alerts.webhook or alerts.webhooks) and not alerts.watch and case.whole:
        case.problems.warn(("alerts",), "nothing is watched, so nobody is ever told", "add watch: [quality_drop, price_change]")


def _webhook(case: Case, place: Place, given: WebhookSpec) -> None:
    _address(case, (*place, "url"), given.url)
    if given.secret and not has_placeholder(case.as_written(*place, "secret")):
        case.problems.warn((*place, "secret"), "a secret stands in the file", "keep it in the environment: ${NAME}")


def _address(case: Case, place: Place, url: str) -> None:
    """An address in full, and none by which a machine's own cloud hands out its credentials."""
    if has_placeholder(url):
        return
    scheme, host = _parts(url)
    if not host:
        case.problems.error(place, "this is no http address", "write it in full, e.g. https://hooks.example.com/tierline")
    elif _link_local(host):
        case.problems.error(place, "a link-local address is where clouds keep credentials, and no webhook", "name another host")
    elif scheme == "http" and not _loopback(host):
        case.problems.warn(place, "alerts go there unencrypted", "write https://…")


def _parts(url: str) -> tuple[str, str]:
    """Scheme and host of an http address; two empty texts where it is none."""
    try:
        parts = urlsplit(url)
        there = parts.scheme in ("http", "https") and (parts.port or 1) > 0
    except ValueError:
        return "", ""
    return (parts.scheme, parts.hostname or "") if there else ("", "")


def _link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return host == "metadata.google.internal"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
