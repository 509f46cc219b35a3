"""A ledger of its own for each test, in a file and in PostgreSQL, and the time it lives in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from databases import ask, fresh_database
from ledger.clock import Clock
from tierline.ledger.ledger import Ledger
from tierline.postgres.migrate import upgrade

_TABLES = """specs, pins, audit, feedback, reviews, labels, judges, shadows, keys, key_secrets, arms, releases, rehearsals,
alerts, hours, watchers, signoffs, arrivals"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tierline.db"


@pytest.fixture(scope="session")
def database(postgres: str) -> Iterator[str]:
    """One database for all, with the tables in it."""
    with fresh_database(postgres) as url:
        asyncio.run(upgrade(url))
        yield url


@pytest.fixture
def url(database: str) -> str:
    """An empty ledger in PostgreSQL."""
    ask(database, "SET session_replication_role = replica", f"TRUNCATE {_TABLES} RESTART IDENTITY")
    return database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the `path` looks into the file itself; every other is about ledgers in either place."""
    if "where" in metafunc.fixturenames:
        alone = "path" in inspect.signature(metafunc.function).parameters
        metafunc.parametrize("where", ["file"] if alone else ["file", "database"], indirect=True)


@pytest.fixture
def where(request: pytest.FixtureRequest, path: Path) -> Path | str:
    """The place of a ledger: the laws hold wherever it is."""
    return path if request.param == "file" else str(request.getfixturevalue("url"))


@pytest.fixture
def ledger(where: Path | str, clock: Clock) -> Iterator[Ledger]:
    with closing(Ledger(where, clock=clock)) as ledger:
        yield ledger
