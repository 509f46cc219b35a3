"""A ledger has the same tables in a file and in a database."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from databases import ask
from tierline.ledger.ledger import Ledger

ALONE = {"arrivals", "decisions", "texts", "shipments", "sums", "summed", "tierline_version"}
"""Tables of the database that are not the ledger's own."""


def test_tables_columns_and_what_may_be_empty_are_the_same_in_both_places(path: Path, database: str) -> None:
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'schema_version'")]
        here = {table: {row[1]: bool(row[3] or row[5]) for row in file.execute(f"PRAGMA table_info({table})")} for table in tables}
    there: dict[str, dict[str, bool]] = {}
    for table, column, nullable in ask(
        database, "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
    ):
        if table not in ALONE and not re.search(r"_\d{8}$", table):
            there.setdefault(table, {})[column] = nullable == "NO"
    assert there == here
