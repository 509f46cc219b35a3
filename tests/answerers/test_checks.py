"""The built-in answerers keep the laws that every plug-in's must."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from answerers.asking import asks, run, spec
from tierline.answerers.cache import Cache
from tierline.answerers.lookup import Lookup
from tierline.answerers.sql import Sql
from tierline.interfaces import Answerer
from tierline.testing.checks import check_answerer
from tierline.types.access import Source
from tierline.types.ask import Hit
from tierline.types.features import Features
from tierline.types.request import Request


def made(kind: str, folder: Path) -> Callable[[], Answerer]:
    if kind == "cache":
        return lambda: Cache({"cache": "exact"}, spec())
    if kind == "lookup":
        (folder / "faq.csv").write_text("question,answer\nis it 42?,yes\n")
        return lambda: Lookup({"lookup": "faq.csv"}, spec(folder))
    with closing(sqlite3.connect(folder / "n.db")) as connection:
        connection.executescript("create table n (n integer, word text); insert into n values (42, 'yes');")
    source = Source("n", "sqlite:///n.db", "select word from n where n = :n")
    return lambda: Sql({"sql": "n", "pattern": r"(?P<n>\d+)"}, spec(folder, n=source))


@pytest.mark.parametrize("kind", ["cache", "lookup", "sql"])
def test_a_built_in_keeps_the_laws(kind: str, tmp_path: Path) -> None:
    run(check_answerer(made(kind, tmp_path), asks("is it 42?"), asks("is it 43?")))


class Guesses:
    """Answers everything."""

    name = "guesses"

    async def answer(self, request: Request, features: Features) -> Hit | None:
        return Hit("Perhaps.")

    async def close(self) -> None:
        """Nothing is open."""


def test_one_that_answers_what_it_does_not_know_breaks_them() -> None:
    with pytest.raises(AssertionError, match="what is not known"):
        run(check_answerer(Guesses, asks("is it 42?"), asks("is it 43?")))
