"""Rows of a database, as the tool `sql` asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

MOST = 2
"""Rows that are read: the second one tells that the query does not name one answer."""

Row = Mapping[str, Any]


class Rows(Protocol):
    """One query of one database, which can only be read."""

    async def find(self, values: Mapping[str, str]) -> Sequence[Row]:
        """The first rows for these parameters, column → value; raises AnswererFailure, which quotes no value."""

    async def close(self) -> None:
        """Let go of the database."""
