"""What every panel stands on: the gateway at work, the ledger, and the decision log for long reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import LogReader
from tierline.gateway.books import Books
from tierline.gateway.reload import Live

T = TypeVar("T")


class Ground(msgspec.Struct, frozen=True):
    """`live` is the gateway at work, `books` the ledger; `logs` is where the decision log is read, the whole of it last."""

    live: Live
    books: Books
    logs: tuple[Path | str, ...]

    async def read(self, act: Callable[[LogReader], T]) -> T:
        """What `act` returns, on a thread of its own with a reader of its own: the database where there is one, else the file."""
        return await asyncio.to_thread(_read, self.logs[-1], act)


def _read(where: Path | str, act: Callable[[LogReader], T]) -> T:
    with closing(LogReader(where) if isinstance(where, Path) else PostgresReader(where)) as reader:
        return act(reader)
