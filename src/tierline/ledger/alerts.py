"""What is watched and has moved, as the ledger keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.ledger.connection import Connection, told
from tierline.types.alert import Alert

_COLUMNS = "watch, subject, raised, since, was, now, sure, what, todo, requests, recovered, id"


class Alerts:
    """The alerts of a ledger."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def list(self, limit: int = 100) -> Sequence[Alert]:
        """Those that have not recovered, the newest first."""
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM alerts WHERE recovered IS NULL ORDER BY raised DESC, id DESC LIMIT ?",  # noqa: S608  # a constant
                (limit,),
            ).fetchall()
        return [_alert(row) for row in rows]


def _alert(row: Sequence[Any]) -> Alert:
    given = dict(zip(Alert.__struct_fields__, row, strict=True))
    return msgspec.convert({**given, "requests": msgspec.json.decode(given["requests"])}, Alert)
