"""The sums of a SQLite file's rows, most of which SQLite adds up by itself.

SQLite lets go of the interpreter's lock before each row that it gives and takes it again, in the midst of the event loop's work: row by
row that costs four times what the reading does, and most of it the loop pays. So what is plain (at most one attempt, nothing asked
beside it) comes as sums, and the rest as one value.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

import msgspec

from tierline.decision_log.codec import PASSED
from tierline.decision_log.sums.schema import MOST
from tierline.decision_log.sums.table import FIGURES, MINUTE, READ, Key, Sum, add, bucket, narrow, span_of, widened

AT_ONCE = 20_000
"""Numbers of rows of one go."""

_FIGURES = {
    "requests": "count(*)",
    "answered": "count(winner)",
    "by_tools": "sum(answered != '')",
    "failed": "sum(status >= 400 OR error != '')",
    "checked": "sum(checked > 0)",
    "passed": f"sum(checked = {PASSED})",
    "flagged": "sum(flagged)",
    "fallbacks": "sum(fallbacks > 0)",
    "escalations": "sum(escalations > 0)",
    "input_tokens": "sum(input_tokens)",
    "output_tokens": "sum(output_tokens)",
    "cached_tokens": "sum(cached_tokens)",
    "cost": "sum(cost)",
    "final_input": "sum(CASE WHEN winner IS NOT NULL THEN input_tokens END)",
    "final_output": "sum(CASE WHEN winner IS NOT NULL THEN output_tokens END)",
    "final_cached": "sum(CASE WHEN winner IS NOT NULL THEN cached_tokens END)",
}
_PLAIN = "(attempts <= 1 AND asides IS NULL AND checked IS NOT NULL)"
_GROUPS = (
    f"SELECT CAST(at AS INTEGER) / {MINUTE} * {MINUTE}, route, task, tier, model, "  # noqa: S608  # names of ours
    f"group_concat(CASE WHEN winner IS NOT NULL THEN latency END), {', '.join(_FIGURES[name] for name in FIGURES)} "
    f"FROM decisions WHERE seq > ? AND seq <= ? AND {_PLAIN} GROUP BY 1, 2, 3, 4, 5"
)
_READ = ", ".join({"at": "CAST(at AS INTEGER)", "tried": "hex(tried)"}.get(name, name) for name in READ)
_REST = (
    f"SELECT json_group_array(json_array(seq, {_READ})) FROM "  # noqa: S608  # names of ours
    f"(SELECT seq, {', '.join(READ)} FROM decisions WHERE seq > ? AND seq <= ? AND NOT {_PLAIN} ORDER BY seq LIMIT {MOST})"
)
_LAST = f"SELECT seq, request_id FROM decisions WHERE seq < ? + {AT_ONCE} ORDER BY seq DESC LIMIT 1"  # noqa: S608

_rows = msgspec.json.Decoder(list[list[Any]]).decode


def behind(file: sqlite3.Connection, seq: int, minutes_from: float) -> tuple[dict[Key, Sum], tuple[int, str] | None]:
    """The sums of the next rows behind `seq`, as `table.summed` gives them, latencies and amounts of money to fifteen digits; number and id
    of the last of these rows, None where there are none."""
    (first,) = file.execute("SELECT min(seq) FROM decisions WHERE seq > ?", (seq,)).fetchone()
    if first is None:
        return {}, None
    last = file.execute(_LAST, (first,)).fetchone()
    rest = _rows(*file.execute(_REST, (seq, last[0])).fetchone())
    for row in rest:
        row[-1] = bytes.fromhex(row[-1])
    if len(rest) == MOST:
        last = (rest[-1][0], rest[-1][1])
    found = narrow(rest, minutes_from)
    for start, route, task, tier, model, latencies, *figures in file.execute(_GROUPS, (seq, last[0])):
        taken = Counter([bucket(float(one)) for one in latencies.split(",")]) if latencies else {}
        total = Sum([float(figure or 0) for figure in figures], dict(taken))
        add(found, (*span_of(start, minutes_from), route, task, tier, model), total)
    return widened(found), last
