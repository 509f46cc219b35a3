"""What the log says in sum, computed by SQL over the rows and never row by row in Python.

The cost of a request, all its attempts together, is counted to the model and tier that answered it. Latencies are those of
requests that were answered; percentiles are nearest ranks, so each is a latency that was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tierline.decision_log.codec import asked_cost
from tierline.decision_log.reader import EVERYTHING, Filter, LogReader

By = Literal["tier", "model", "task", "route"]
"""What rows may be grouped by."""

DIMENSIONS: tuple[By, ...] = ("tier", "model", "task", "route")
"""All of them."""


class Group(msgspec.Struct, frozen=True):
    """Figures of some requests. Costs are USD, latencies seconds (None where nothing was answered), rates and shares in [0, 1].

    `asked_rate` is the share of the group's requests about which a small model was asked what they are, remembered answers included;
    `asked_cost_share` the share of the group's own cost that went into asking."""

    name: str
    requests: int
    request_share: float
    cost: float
    cost_share: float
    cost_per_1k: float
    latency_p50: float | None
    latency_p95: float | None
    error_rate: float
    fallback_rate: float
    escalation_rate: float
    input_tokens: int
    output_tokens: int
    asked_rate: float = 0.0
    asked_cost_share: float = 0.0


class Stats(msgspec.Struct, frozen=True):
    """The figures of all rows that were asked for, and of each group, the one with most requests first."""

    by: By
    total: Group
    groups: tuple[Group, ...]


def stats(log: LogReader, by: By = "tier", which: Filter = EVERYTHING) -> Stats:
    """Sum up the rows of a log; raises ValueError for a dimension that is none of `DIMENSIONS`."""
    if by not in DIMENSIONS:
        raise ValueError(f"rows cannot be grouped by {by!r}: take one of {', '.join(DIMENSIONS)}")
    total = _groups(log, "''", which)
    whole = total[0] if total else _EMPTY
    return Stats(by, _shared(whole, whole), tuple(_shared(group, whole) for group in _groups(log, by, which)))


_PAGE = 5000
_EMPTY = Group("", 0, 0.0, 0.0, 0.0, 0.0, None, None, 0.0, 0.0, 0.0, 0, 0)


def _groups(log: LogReader, expression: str, which: Filter) -> list[Group]:
    condition, values = which.where()
    asked = _asked(log, expression, which)
    rows = log.query(
        f"""
        WITH ranked AS (
            SELECT {expression} AS name, cost, latency, status, error, fallbacks, escalations, input_tokens, output_tokens,
                   winner IS NOT NULL AS answered,
                   row_number() OVER (PARTITION BY {expression}, winner IS NULL ORDER BY latency) AS place,
                   count(*) OVER (PARTITION BY {expression}, winner IS NULL) AS size
            FROM decisions WHERE {condition}
        )
        SELECT name, count(*) AS requests, sum(cost) AS cost,
               max(CASE WHEN answered AND place = (size + 1) / 2 THEN latency END) AS p50,
               max(CASE WHEN answered AND place = (size * 95 + 99) / 100 THEN latency END) AS p95,
               avg(CASE WHEN status >= 400 OR error != '' THEN 1.0 ELSE 0.0 END) AS errors,
               avg(CASE WHEN fallbacks > 0 THEN 1.0 ELSE 0.0 END) AS fallbacks,
               avg(CASE WHEN escalations > 0 THEN 1.0 ELSE 0.0 END) AS escalations,
               sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
        FROM ranked GROUP BY name ORDER BY requests DESC, name
        """,  # noqa: S608  # the expression is one of DIMENSIONS, values travel as parameters
        values,
    )
    return [
        Group(
            row["name"],
            row["requests"],
            0.0,
            row["cost"],
            0.0,
            1000 * row["cost"] / row["requests"],
            row["p50"],
            row["p95"],
            row["errors"],
            row["fallbacks"],
            row["escalations"],
            int(row["input_tokens"]),
            int(row["output_tokens"]),
            asked[row["name"]][0] / row["requests"],
            asked[row["name"]][1] / row["cost"] if row["cost"] else 0.0,
        )
        for row in rows
    ]


def _shared(group: Group, whole: Group) -> Group:
    return msgspec.structs.replace(
        group,
        request_share=group.requests / whole.requests if whole.requests else 0.0,
        cost_share=group.cost / whole.cost if whole.cost else 0.0,
    )


def _asked(log: LogReader, expression: str, which: Filter) -> Mapping[str, Sequence[float]]:
    """For each group, about how many requests a small model was asked, and the USD of it: the few rows that made calls beside their
    attempts are read page by page."""
    condition, values = which.where()
    found: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    after = 0
    while True:
        page = log.query(
            f"SELECT seq, {expression} AS name, asides FROM decisions "  # noqa: S608  # the expression is one of DIMENSIONS
            f"WHERE {condition} AND asides IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?",
            [*values, after, _PAGE],
        )
        for row in page:
            cost = asked_cost(row["asides"])
            if cost is not None:
                found[row["name"]][0] += 1
                found[row["name"]][1] += cost
        if len(page) < _PAGE:
            return found
        after = page[-1]["seq"]
