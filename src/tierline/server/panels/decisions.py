"""The decisions of the log, newest first, page by page, and those that have come since."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.decision_log.reader import ANY_ERROR, LogReader
from tierline.server.exchange import Exchange
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.types.errors import BadRequest

MOST = 200
"""Rows of one page."""
MOST_USD = 1e9

_COLUMNS = (
    "seq", "request_id", "at", "route", "task", "key", "tier", "model", "first_model", "status", "error", "cost", "input_tokens",
    "output_tokens", "attempts", "fallbacks", "escalations", "latency", "ttft", "flagged", "truncated", "answered", "arm",
)  # fmt: skip
_SELECT = "SELECT " + ", ".join(f'"{name}"' for name in _COLUMNS) + " FROM decisions WHERE "  # noqa: S608  # names of ours
_EQUAL = ("route", "task", "tier", "model", "key")
_LAST = "\U0010ffff"


class Row(msgspec.Struct, frozen=True):
    """One decision, as a list shows it. USD, seconds, Unix time."""

    seq: int
    request_id: str
    at: float
    route: str
    task: str
    key: str
    tier: str
    model: str
    first_model: str
    status: int
    error: str
    cost: float
    input_tokens: int
    output_tokens: int
    attempts: int
    fallbacks: int
    escalations: int
    latency: float
    ttft: float | None
    flagged: int
    truncated: int
    answered: str
    arm: str


class Decisions:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/decisions: rows of the log, newest first. `before` takes the `next` of the page before; `after`, the `newest` of an
        answer, takes what was written since. Narrowed by time, route, task, tier, model, key, status, error (`any`: every error), flagged,
        changed (escalations and fallbacks), least cost, and the beginning of an id."""
        asked = Asked(exchange.incoming.query_string)
        limit = asked.count("limit", 50, MOST)
        after = asked.place("after")
        terms, values = _condition(asked)
        order = "seq DESC" if after is not None else "at DESC, seq DESC"
        if after is not None:
            terms.append("seq > ?")
            values.append(after)
        elif before := asked.word("before"):
            terms.append("(at, seq) < (?, ?)")
            values.extend(_place(before))
        statement = f"{_SELECT}{' AND '.join(terms) or '1 = 1'} ORDER BY {order} LIMIT ?"
        rows, newest = await self._ground.read(lambda log: _read(log, statement, [*values, limit + 1]))
        last = rows[limit - 1] if len(rows) > limit else None
        exchange.json(
            {"decisions": rows[:limit], "next": None if last is None or after is not None else f"{last.at!r}_{last.seq}", "newest": newest}
        )


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/decisions"): Route(Decisions(ground).list, "read")})


def _read(log: LogReader, statement: str, values: list[Any]) -> tuple[list[Row], int]:
    """The rows, and the number of the newest of all."""
    newest = log.newest()
    return [Row(*row) for row in log.query(statement, values)], newest


def _condition(asked: Asked) -> tuple[list[str], list[Any]]:
    """SQL terms and their values; an id is looked for in all times."""
    terms, values = list[str](), list[Any]()
    given: list[tuple[str, Any]] = [
        ("at >= ?", asked.number("since")),
        ("at < ?", asked.number("until")),
        *((f'"{name}" = ?', asked.word(name) or None) for name in _EQUAL),
        ("cost >= ?", asked.number("min_cost", MOST_USD)),
    ]
    for term, value in given:
        if value is not None:
            terms.append(term)
            values.append(value)
    status = asked.word("status")
    if status:
        terms.append("status >= ? AND status < ?")
        values.extend(_statuses(status))
    error = asked.word("error")
    if error == ANY_ERROR:
        terms.append("error != ''")
    elif error:
        terms.append("error = ?")
        values.append(error)
    if asked.flag("flagged"):
        terms.append("flagged = 1")
    if asked.flag("changed"):
        terms.append("(fallbacks > 0 OR escalations > 0)")
    if beginning := asked.word("id"):
        return ["(request_id = ? OR (request_id >= ? AND request_id < ?))"], [beginning, beginning, beginning + _LAST]
    return terms, values


def _statuses(status: str) -> tuple[int, int]:
    """429 is one status, 4xx all that begin so."""
    if status.isdecimal() and len(status) == 3:
        return int(status), int(status) + 1
    if len(status) == 3 and status[0] in "12345" and status[1:] == "xx":
        return int(status[0]) * 100, int(status[0]) * 100 + 100
    raise BadRequest("status: one like 429, or a class like 4xx", param="status")


def _place(before: str) -> tuple[float, int]:
    at, _, seq = before.partition("_")
    try:
        return float(at), int(seq)
    except ValueError:
        raise BadRequest("before: the `next` of a page", param="before") from None
