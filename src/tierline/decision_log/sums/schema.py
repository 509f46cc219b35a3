"""The table of sums, and the statements that write it: the same for SQLite and PostgreSQL but for the form of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tierline.decision_log.sums.table import FIGURES, READ, Key, Sum, merged

KEY = ("span", "start", "route", "task", "tier", "model")
MOST = 1000
"""Rows that are added up one by one in one go: three milliseconds in which the event loop may have to wait."""

_MARKS = ", ".join("?" * (len(KEY) + len(FIGURES) + 1))
_SUMS = ", ".join(f"{name} = sums.{name} + excluded.{name}" for name in FIGURES)

# Names in these statements come from `table`; values travel as parameters.
AFTER = f"SELECT seq, {', '.join(READ)} FROM decisions WHERE seq > ? ORDER BY seq LIMIT {MOST}"  # noqa: S608
MARK = "SELECT seq, request_id FROM summed"
MOVE = "UPDATE summed SET seq = ?, request_id = ?"
FORGET = "DELETE FROM sums WHERE span = ? AND start < ?"
LATENCY = f"SELECT latency FROM sums WHERE {' AND '.join(f'{name} = ?' for name in KEY)}"  # noqa: S608
ADD = (
    f"INSERT INTO sums ({', '.join((*KEY, *FIGURES, 'latency'))}) VALUES ({_MARKS}) "  # noqa: S608
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {_SUMS}, latency = excluded.latency"
)

latencies = msgspec.msgpack.Decoder(dict[int, int]).decode
_packed = msgspec.msgpack.Encoder().encode


def values(key: Key, total: Sum, known: bytes | None) -> tuple[object, ...]:
    """The parameters of `ADD`; `known` is what stands under the key as its latencies."""
    latency = total.latency if known is None else merged(latencies(known), total.latency)
    return (*key, *(value if name == "cost" else int(value) for name, value in zip(FIGURES, total.figures, strict=True)), _packed(latency))


def mark(row: Callable[..., Any]) -> int:
    """The number of the last row that is added up; `row` gives the first row of a statement, None where there is none. Where retention has
    emptied the table numbers start again, and so does this."""
    seq, name = row(MARK)
    here = row("SELECT request_id FROM decisions WHERE seq = ?", seq)
    (newest,) = row("SELECT coalesce(max(seq), 0) FROM decisions")
    return 0 if newest < seq or (here is not None and here[0] != name) else int(seq)
