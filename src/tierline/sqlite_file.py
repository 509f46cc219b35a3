"""The one SQLite file that the decision log and the ledger share: how it is opened, brought up to date and spoken of when it fails.

Each owner of tables is a *part* with its own migrations; the table `schema_version` holds how far each part has come. The file
carries Tierline's application id, so that a file of another application is never written to.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from tierline.types.errors import LogFailure

APPLICATION_ID = 0x54494552
"""`TIER` in ASCII, at byte 68 of every file of ours."""

Durability = Literal["process", "power"]
"""What an acknowledged row survives: the death of the process (kill -9), or also a loss of power, at the price of one fsync a batch."""

Connect = Callable[[Path], sqlite3.Connection]
"""How a connection is made: the seam for tests and for other builds of SQLite. The connection is in autocommit mode."""

_SYNCHRONOUS: dict[Durability, str] = {"process": "normal", "power": "full"}
BUSY = 5.0
"""Seconds for which a connection waits for another writer."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode that waits up to five seconds for another writer and may be handed between threads."""
    return sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)


def open_file(
    path: Path, part: str, migrations: Sequence[str], *, durability: Durability = "process", connect: Connect = connect
) -> sqlite3.Connection:
    """Open the file for writing, make it if it is not there, and bring `part` up to date.

    `migrations` is append-only: each is one script, run once, in order. Raises LogFailure when the file cannot be opened, is
    damaged, belongs to another application or was written by a newer Tierline."""
    with told(path):
        connection = connect(path)
        try:
            _check_owner(connection, path)
            # Only a file without pages takes this; it lets retention give space back to the disk.
            connection.execute("PRAGMA auto_vacuum = incremental")
            _write_ahead(connection)
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute("PRAGMA secure_delete = on")
            _migrate(connection, path, part, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path, part: str, known: int, *, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Open the file read-only, beside a running gateway or without one. `known` is the newest version of `part` that the caller reads,
    `factory` the class of the connection.

    Raises LogFailure when there is no such file, or it is not a decision log that this Tierline can read."""
    if not path.is_file():
        raise LogFailure(f"there is no decision log at {path}: give its path with --log, or start the gateway once to make it")
    with told(path):
        connection = _read_only(path, factory)
        try:
            _check_owner(connection, path)
            version = _version(connection, part)
        except BaseException:
            connection.close()
            raise
    if not 0 < version <= known:
        connection.close()
        raise _newer(path, part, version, known) if version else LogFailure(f"{path} holds no {part}: no gateway has written to it yet")
    return connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a LogFailure that names the file, what is wrong and how to mend it."""
    try:
        yield
    except sqlite3.Error as error:
        raise LogFailure(explain(path, error)) from error


def explain(path: Path, error: Exception) -> str:
    """What went wrong with the file, and how to mend it."""
    said = str(error)
    hint = mend(path) if "malformed" in said else next((hint for words, hint in _HINTS if words in said), "")
    return f"{path}: {said}" + (f"; {hint}" if hint else "")


def mend(path: Path) -> str:
    """What to do about a damaged file."""
    return (
        "the file is damaged: stop the gateway, keep a copy of it, then save what can be read with "
        f"`sqlite3 {path} .recover | sqlite3 mended.db` and put that in its place"
    )


_HINTS = (
    ("not a database", "move it away, or give another path with `decision_log.path`"),
    ("is full", "make room on the disk, rows wait in memory until then"),
    ("disk I/O error", "look at the disk and its quota, rows wait in memory until it can be written"),
    ("readonly", "give this user the right to write the file and its folder"),
    ("unable to open", "check that its folder exists and that this user may write there"),
    ("is locked", "another process holds the file for long: look for an open `sqlite3` shell or a backup"),
)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction, taken at once so that several writers queue instead of failing; rolled back on any exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _read_only(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """In WAL mode even a reader needs the shared-memory file beside the log; where it cannot be made (a read-only disk), and no log
    file waits there either, the file cannot change and is read as it stands."""
    address = path.resolve().as_uri()
    how: dict[str, Any] = {"uri": True, "isolation_level": None, "check_same_thread": False, "factory": factory}
    connection: sqlite3.Connection = sqlite3.connect(f"{address}?mode=ro", timeout=BUSY, **how)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        return cast(sqlite3.Connection, sqlite3.connect(f"{address}?immutable=1", **how))
    return connection


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    """Both questions are asked of one state of the file: between them another process may be making it."""
    connection.execute("BEGIN")
    try:
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    if owner != APPLICATION_ID and (owner or tables):
        raise LogFailure(f"{path} is a SQLite file of another application: give another path with `decision_log.path`")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite does not wait for other connections here, so the waiting is done for it: several processes
    that open a new file at once all come to this point."""
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _version(connection: sqlite3.Connection, part: str) -> int:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
        return 0
    row = connection.execute("SELECT version FROM schema_version WHERE part = ?", (part,)).fetchone()
    return int(row[0]) if row else 0


def _migrate(connection: sqlite3.Connection, path: Path, part: str, migrations: Sequence[str]) -> None:
    if _version(connection, part) == len(migrations):
        return
    with transaction(connection):
        version = _version(connection, part)
        if version > len(migrations):
            raise _newer(path, part, version, len(migrations))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (part TEXT PRIMARY KEY, version INTEGER NOT NULL)")
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute("INSERT OR REPLACE INTO schema_version VALUES (?, ?)", (part, len(migrations)))


def _statements(script: str) -> Iterator[str]:
    """`executescript` would commit the transaction: it is run statement by statement instead."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def _newer(path: Path, part: str, version: int, known: int) -> LogFailure:
    return LogFailure(
        f"{path}: its {part} are of version {version} and this Tierline knows {known}: it was written by a newer release, upgrade this one"
    )


def quick_check(path: Path) -> tuple[str, ...]:
    """What SQLite finds wrong with the whole file, empty when it is sound. Reads every page."""
    with told(path), closing(_read_only(path)) as connection:
        try:
            found = tuple(str(row[0]) for row in connection.execute("PRAGMA quick_check(20)"))
        except sqlite3.DatabaseError as error:
            if "malformed" not in str(error):
                raise
            found = (str(error),)
    return () if found == ("ok",) else found
