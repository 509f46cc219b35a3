"""Queries of real databases: SQLite in a file, and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from answerers.asking import FEATURES, answers, asks, run, spec
from tierline.answerers.sql import Sql
from tierline.types.access import Source
from tierline.types.errors import AnswererFailure

TABLE = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, eta TEXT, paid BOOLEAN);
INSERT INTO orders VALUES (42, 'shipped', 'Friday', true), (43, 'packed', NULL, false), (44, NULL, NULL, NULL);
"""
QUERY = "select status from orders where id = :id"
PATTERN = r"(?i)where is order (?P<id>\d+)"
POSTGRES_TABLE = f"DROP TABLE IF EXISTS orders; {TABLE}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the table: its address in a spec that stands in `tmp_path`."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "orders.db")) as connection:
            connection.executescript(TABLE)
        return "sqlite:///orders.db"
    url: str = request.getfixturevalue("postgres")
    run(executed(url, POSTGRES_TABLE))
    return url


async def executed(url: str, script: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.execute(script) if ";" in script else await connection.fetchval(script)
    finally:
        await connection.close()


def tool(url: str, folder: Path, query: str = QUERY, pattern: str = PATTERN, **entry: Any) -> Sql:
    source = Source("orders", url, query)
    return Sql({"sql": "orders", "pattern": pattern, "timeout": "2s", **entry}, spec(folder, orders=source))


def test_the_row_that_the_question_names_is_the_answer(database: str, tmp_path: Path) -> None:
    assert answers(tool(database, tmp_path), "Hello, where is order 42?") == "shipped"


@pytest.mark.parametrize("words", ["Where is my cat?", "Where is order 45?", "Where is order 44?", ""])
def test_no_match_no_row_and_nothing_in_it_are_all_not_known(database: str, tmp_path: Path, words: str) -> None:
    assert answers(tool(database, tmp_path), words) is None


def test_a_template_names_columns_and_groups(database: str, tmp_path: Path) -> None:
    query = "select status, eta, paid from orders where id = :id"
    asked = tool(database, tmp_path, query, answer="Order {id} is {status} and comes on {eta}. {{sic}}")
    assert answers(asked, "where is order 42") == "Order 42 is shipped and comes on Friday. {sic}"
    assert answers(tool(database, tmp_path, query, answer="It comes on {eta}."), "where is order 43") is None


def test_without_a_template_several_columns_stand_with_their_names(database: str, tmp_path: Path) -> None:
    asked = tool(database, tmp_path, "select id, status, eta from orders where id = :id")
    assert answers(asked, "where is order 43") == "id: 43\nstatus: packed"


def test_two_rows_are_no_answer(database: str, tmp_path: Path) -> None:
    with pytest.raises(AnswererFailure, match="more than one row"):
        answers(tool(database, tmp_path, "select status from orders where id <= :id"), "where is order 43")


def test_a_name_that_is_neither_column_nor_group_is_told(database: str, tmp_path: Path) -> None:
    with pytest.raises(AnswererFailure, match="'colour'"):
        answers(tool(database, tmp_path, answer="It is {colour}."), "where is order 42")


@pytest.mark.parametrize("words", ["' OR '1'='1", "42' OR 'a'='a", "x'; DROP TABLE orders; --"])
def test_what_a_question_names_is_never_read_as_sql(database: str, tmp_path: Path, words: str) -> None:
    asked = tool(database, tmp_path, "select status from orders where status = :status", r"status is (?P<status>.+)")
    assert answers(asked, f"status is {words}") is None
    assert answers(tool(database, tmp_path), "where is order 42") == "shipped"


@pytest.mark.parametrize(
    "query", ["delete from orders where id = :id", "insert into orders (id) values (:id + 100)", "drop table orders", "vacuum"]
)
def test_nothing_can_be_written_whatever_the_query_says(database: str, tmp_path: Path, query: str) -> None:
    with pytest.raises(AnswererFailure, match="refused the query"):
        answers(tool(database, tmp_path, query), "where is order 42")
    assert answers(tool(database, tmp_path), "where is order 42") == "shipped"


def test_another_file_cannot_be_attached_and_written(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "orders.db").close()
    with pytest.raises(AnswererFailure, match="SQLITE_AUTH"):
        answers(tool("sqlite:///orders.db", tmp_path, "attach 'new.db' as more"), "where is order 42")
    assert not (tmp_path / "new.db").exists()


def test_a_failure_says_what_kind_it_is_and_quotes_no_value(database: str, tmp_path: Path) -> None:
    with pytest.raises(AnswererFailure) as told:
        answers(tool(database, tmp_path, "select nothing from nowhere where id = :id"), "where is order 424242")
    assert "424242" not in told.value.message and "nowhere" not in told.value.message


def test_a_query_that_never_ends_ends_by_itself(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "orders.db")) as connection:
        connection.executescript(TABLE)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n where i <> :id"
    with pytest.raises(AnswererFailure, match="SQLITE_INTERRUPT"):
        answers(tool("sqlite:///orders.db", tmp_path, endless, timeout="50ms"), "where is order 42")


def test_postgresql_ends_a_query_that_takes_too_long(postgres: str, tmp_path: Path) -> None:
    slow = tool(postgres, tmp_path, "select pg_sleep(20)::text where :id <> ''", timeout="100ms")
    with pytest.raises((AnswererFailure, TimeoutError)):
        answers(slow, "where is order 42")
    left = run(executed(postgres, "select count(*) from pg_stat_activity where query like '%pg_sleep(20)%' and pid <> pg_backend_pid()"))
    assert left == 0


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("bigint", "9000000000"),
        ("numeric", "1.50"),
        ("uuid", "00000000-0000-0000-0000-000000000042"),
        ("date", "2026-11-22"),
        ("boolean", "true"),
        ("text", "a name"),
        ("double precision", "2.5"),
        ("timestamp", "2026-11-22T10:00:00"),
    ],
)
def test_postgresql_reads_a_parameter_as_the_type_it_has(postgres: str, tmp_path: Path, kind: str, named: str) -> None:
    asked = tool(postgres, tmp_path, f"select 'found' where cast(:value as {kind}) = cast('{named}' as {kind})", "is (?P<value>.+)")
    assert answers(asked, f"is {named}") == "found"


def test_postgresql_is_not_asked_what_is_not_of_the_parameters_type(postgres: str, tmp_path: Path) -> None:
    run(executed(postgres, POSTGRES_TABLE))
    with pytest.raises(AnswererFailure, match="not of the type"):
        answers(tool(postgres, tmp_path, pattern="where is (?P<id>.+)"), "where is my cat")


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    asked = tool("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    with pytest.raises(AnswererFailure, match="cannot be reached"):
        answers(asked, "where is order 42")


def test_one_connection_serves_many_questions(postgres: str, tmp_path: Path) -> None:
    run(executed(postgres, POSTGRES_TABLE))
    asked = tool(postgres, tmp_path)

    async def story() -> Iterator[str | None]:
        hits = await asyncio.gather(*[asked.answer(asks("where is order 42"), FEATURES) for _ in range(20)])
        await asked.close()
        return (None if hit is None else hit.text for hit in hits)

    assert set(run(story())) == {"shipped"}


def test_a_database_that_could_not_be_reached_is_left_alone_for_a_moment(tmp_path: Path) -> None:
    asked = tool("postgresql://nobody@127.0.0.1:1/none", tmp_path)

    async def story() -> list[str]:
        said = []
        for _ in range(2):
            with pytest.raises(AnswererFailure) as told:
                await asked.answer(asks("where is order 42"), FEATURES)
            said.append(told.value.message)
        await asked.close()
        return said

    first, second = run(story())
    assert "cannot be reached" in first and "a moment ago" in second
