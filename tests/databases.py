"""Databases of a real PostgreSQL server (the fixture `postgres`), each for a test or several of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg


@contextmanager
def fresh_database(postgres: str) -> Iterator[str]:
    """The address of a new database on the server at `postgres`, which is gone at the end."""
    name = f"tierline_{uuid.uuid4().hex[:12]}"
    ask(postgres, f"CREATE DATABASE {name}")
    head, _, query = postgres.partition("?")
    yield head.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
    ask(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def ask(url: str, *statements: str) -> list[Any]:
    """What the last of the statements gives."""

    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            found: list[Any] = []
            for statement in statements:
                found = list(await connection.fetch(statement))
            return found
        finally:
            await connection.close()

    return asyncio.run(fetch())
