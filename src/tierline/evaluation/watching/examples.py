"""Which requests show an alert: some ids, found in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from tierline.config.alerts import Watch
from tierline.decision_log.codec import attempted, stored_features
from tierline.decision_log.reader import LogReader
from tierline.types.alert import Alert
from tierline.types.record import Tried
from tierline.watch.tally import NOT_THE_PROVIDER

SHOWN = 5
"""Ids that an alert names."""

READ = 20_000
"""Rows that are read in search of them, the newest first."""

_SELECT = (
    "SELECT request_id, at, seq, route, task, tier, model, cost, fallbacks, escalations, latency, features, tried FROM decisions "
    "WHERE at >= ? AND at <= ? AND (at, seq) < (?, ?) ORDER BY at DESC, seq DESC LIMIT ?"
)

Shows = Callable[[Any], bool]


def shown_by(reader: LogReader, alert: Alert, watch: Watch, budgets: Mapping[str, float]) -> tuple[str, ...]:
    """Some requests since the alert's beginning that show it; none where it is of no requests (a price, a budget)."""
    if alert.watch in ("price_change", "budget_pace"):
        return ()
    shows = _shows(alert, budgets)
    rows = (row for row in _newest(reader, alert.since, alert.raised) if _watched(watch, row) and shows(row))
    return tuple(row["request_id"] for row in islice(rows, SHOWN))


def _newest(reader: LogReader, since: float, until: float) -> Iterator[Any]:
    page, left = 500, READ
    after: tuple[float, int] = (until + 1.0, 0)
    while left > 0:
        rows = reader.query(_SELECT, (since, until, *after, page))
        yield from rows
        left -= len(rows)
        if len(rows) < page:
            return
        after = (rows[-1]["at"], rows[-1]["seq"])


def _watched(watch: Watch, row: Any) -> bool:
    return (not watch.routes or row["route"] in watch.routes) and (not watch.tasks or row["task"] in watch.tasks)


def _shows(alert: Alert, budgets: Mapping[str, float]) -> Shows:
    """Whether a row shows an alert."""
    kind, _, name = alert.subject.partition("/")
    wanted = "" if name == "none" else name

    def of_subject(row: Any) -> bool:
        return kind not in ("task", "route") or row[kind] == wanted

    def of_model(row: Any, has: Callable[[Tried], bool]) -> bool:
        return any((kind != "model" or tried.target == name) and has(tried) for tried in attempted(row["tried"]))

    served = [word.strip(",:") for word in alert.what.partition("served as ")[2].split()[:1]]
    shows: Mapping[str, Shows] = {
        "quality_drop": lambda row: of_model(row, _rejected),
        "fallback_rate": lambda row: of_model(row, _failed) if kind == "model" else row["fallbacks"] > 0,
        "escalation_rate": lambda row: row["escalations"] > 0,
        "cost_per_request": lambda row: row["cost"] >= alert.now,
        "latency_slo": lambda row: row["latency"] > budgets.get(row["task"], budgets.get("", float("inf"))),
        "served_model": lambda row: of_model(row, lambda tried: tried.served_model in served),
        "prompt_change": lambda row: _prompt_in(row, alert.what),
    }
    found = shows.get(alert.watch, _any)
    return lambda row: of_subject(row) and found(row)


def _any(_: Any) -> bool:
    return True


def _rejected(tried: Tried) -> bool:
    return tried.ok and not all(verdict.passed for verdict in tried.verdicts)


def _failed(tried: Tried) -> bool:
    return tried.error not in NOT_THE_PROVIDER


def _prompt_in(row: Any, what: str) -> bool:
    prompt = stored_features(row["features"]).prompt_fingerprint
    return bool(prompt) and f"digest is {prompt[:12]}," in what
