"""Every model: is it well, what does it cost, how does it answer, and how was that over time."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.codec import attempted
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sums.read import Summed, read_sums
from tierline.decision_log.sums.table import FIGURES, Sum
from tierline.ledger.ledger import Ledger
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.panels.overview import DIMENSIONS, Group, group_of, groups_of, order_of, span_of
from tierline.server.route import Route, Routes
from tierline.types.alert import Alert
from tierline.types.record import Tried

MOST_ROWS = 4000
"""Decisions, the newest of the time, whose attempts are looked at one by one."""

_MODEL = DIMENSIONS["model"]
_TRIED = "SELECT tried FROM decisions WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?"


class Calls(msgspec.Struct, frozen=True):
    """The calls to one model, each on its own, whether its answer went out or not: how many; the share that broke; of the answers that
    were checked, the share that passed; mean USD of a call; median seconds to its first words (None: it never streamed); and how often it
    broke in which way."""

    calls: int
    broke: float
    checked: int
    pass_rate: float | None
    cost: float
    ttft: float | None
    errors: Mapping[str, int]


class Models:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/models: every model of the spec: where it is, what it costs and who says so, how it stands now, what it did in a time
        (`since`, `until`, Unix seconds; the last day, where they are left out), its share over that time, and its open alerts."""
        since, until = span_of(Asked(exchange.incoming.query_string), now := time.time())
        found, tried = await self._ground.read(lambda log: (read_sums(log, since, until, now), _tried(log, since, until)))
        alerts = await self._ground.books.ask(_alerts)
        loaded, seen = exchange.gateway.loaded, self._ground.live.world.seen()
        groups = {group.name: group for group in groups_of(found, _MODEL, order_of(loaded, "model"))}
        calls, rows = _calls(tried), len(tried)
        names = [*order_of(loaded, "model"), *(name for name in groups if name and name not in loaded.models)]
        exchange.json(
            {
                "since": found.since,
                "until": found.until,
                "span": found.span,
                "left": found.left,
                "rows": rows,
                "models": [_told(name, loaded, seen, groups, calls, alerts) for name in names],
                "series": _shares(found, names),
            }
        )

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/models/{name}: one model over a time: requests, cost, latency, and the shares that passed, escalated and fell back."""
        since, until = span_of(Asked(exchange.incoming.query_string), now := time.time())
        name = exchange.rest
        if name not in exchange.gateway.loaded.models:
            raise NotFound(f"the spec has no model {name[:100]!r}")
        found = await self._ground.read(lambda log: read_sums(log, since, until, now, {"model": name}))
        exchange.json({"name": name, "span": found.span, "series": _series(found)})


def routes(ground: Ground) -> Routes:
    """The two addresses."""
    panel = Models(ground)
    return Routes({("GET", "/admin/models"): Route(panel.list, "read")}, {("GET", "/admin/models/"): Route(panel.one, "read")})


def _alerts(ledger: Ledger) -> Mapping[str, list[Alert]]:
    """The open ones by model."""
    found = defaultdict[str, list[Alert]](list)
    for alert in ledger.alerts.list():
        kind, _, name = alert.subject.partition("/")
        if kind == "model":
            found[name].append(alert)
    return found


def _told(
    name: str,
    loaded: Loaded,
    seen: Mapping[str, Any],
    groups: Mapping[str, Group],
    calls: Mapping[str, Calls],
    alerts: Mapping[str, Sequence[Alert]],
) -> dict[str, Any]:
    """One model; None stands for what the spec at work does not know of it."""
    model = loaded.models.get(name)
    return {
        "name": name,
        "model": model,
        "price": None if model is None or not model.price.known else _price(model.price),
        "health": seen.get(name),
        "figures": groups.get(name),
        "calls": calls.get(name),
        "alerts": alerts.get(name, ()),
    }


def _price(price: Any) -> dict[str, Any]:
    """With the prices that default to another."""
    return {"input": price.input, "output": price.output, "cache_read": price.cache_read, "cache_write": price.cache_write}


def _tried(log: LogReader, since: float, until: float) -> list[tuple[Tried, ...]]:
    return [attempted(row[0]) for row in log.query(_TRIED, (since, until, MOST_ROWS))]


def _calls(rows: Sequence[Sequence[Tried]]) -> dict[str, Calls]:
    by_model: defaultdict[str, list[Tried]] = defaultdict(list)
    for tried in rows:
        for one in tried:
            by_model[one.target].append(one)
    return {name: _of_calls(tried) for name, tried in by_model.items()}


def _of_calls(tried: Sequence[Tried]) -> Calls:
    checked = [all(verdict.passed for verdict in one.verdicts) for one in tried if one.ok and one.verdicts]
    first = sorted(one.ttft for one in tried if one.ttft is not None)
    return Calls(
        len(tried),
        sum(not one.ok for one in tried) / len(tried),
        len(checked),
        sum(checked) / len(checked) if checked else None,
        sum(one.cost for one in tried) / len(tried),
        first[len(first) // 2] if first else None,
        Counter(one.error for one in tried if one.error),
    )


def _shares(found: Summed, names: Sequence[str]) -> dict[str, Any]:
    """Requests of each model over time."""
    times = range(found.since, found.until, found.span)
    by: defaultdict[tuple[str, int], float] = defaultdict(float)
    for key, total in found.sums:
        by[str(key[_MODEL]), key[1]] += total.figures[FIGURES.index("requests")]
    seen = {name for name, _ in by}
    return {"times": [*times], "requests": {name: [by[name, at] for at in times] for name in names if name in seen}}


def _series(found: Summed) -> dict[str, Any]:
    """The figures over time, None where nothing happened that could give one."""
    times = range(found.since, found.until, found.span)
    at: defaultdict[int, list[Sum]] = defaultdict(list)
    for key, total in found.sums:
        at[key[1]].append(total)
    groups = [group_of("", at[start], None) for start in times]

    def each(value: Callable[[Group], float | None]) -> list[float | None]:
        return [value(group) if group.requests else None for group in groups]

    return {
        "times": [*times],
        "requests": [group.requests for group in groups],
        "cost": [group.cost for group in groups],
        "latency_p50": each(lambda group: group.latency_p50),
        "latency_p95": each(lambda group: group.latency_p95),
        "pass_rate": each(lambda group: group.pass_rate),
        "fallback_rate": each(lambda group: group.fallback_rate),
        "escalation_rate": each(lambda group: group.escalation_rate),
        "failed_rate": each(lambda group: group.failed_rate),
    }
