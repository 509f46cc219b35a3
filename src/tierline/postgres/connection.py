"""How the database is reached, and how statements that SQLite understands are put to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tierline.types.errors import LogFailure

if TYPE_CHECKING:
    import asyncpg

SCHEMES = ("postgresql://", "postgres://")
"""How an address of a database begins."""

CONNECT_WITHIN = 5.0
STATEMENT_WITHIN = 60.0


def is_address(where: object) -> bool:
    """Whether that is the address of a database, rather than the path of a file."""
    return str(where).startswith(SCHEMES)


def place_of(where: str | Path) -> Path:
    """What messages and reports call a place: the file's path, or PostgreSQL (never its address, which holds a password)."""
    return Path("PostgreSQL") if is_address(where) else Path(where)


async def connect(url: str, *, reading: bool = False) -> asyncpg.Connection:
    """A connection that gives up after `CONNECT_WITHIN` seconds, and on a statement after `STATEMENT_WITHIN`, and gives sums as plain
    numbers; `reading`: that can do nothing but read. Raises LogFailure where the extra is missing, and what asyncpg raises."""
    try:
        import asyncpg  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise missing() from None
    settings = {"application_name": "tierline", **({"default_transaction_read_only": "on"} if reading else {})}
    connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN, command_timeout=STATEMENT_WITHIN, server_settings=settings)
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text")
    return connection


def numbered(statement: str) -> str:
    """`?` as `$1`, `$2`, …: no question mark stands in a literal of ours."""
    parts = statement.split("?")
    return "".join([parts[0], *[f"${number}{part}" for number, part in enumerate(parts[1:], 1)]])


def missing() -> LogFailure:
    """What is said where the extra is not installed."""
    return LogFailure("a decision log in PostgreSQL needs more packages: pip install 'tierline[postgres]'")


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)
