"""Bringing a database up to date: the revisions under `migrations`, run by alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierline.types.errors import LogFailure

if TYPE_CHECKING:
    import asyncpg

CONNECT_WITHIN = 5.0
STATEMENT_WITHIN = 60.0

LOCK = 0x5449_4552_0001
"""The advisory lock that everyone who changes the tables takes: revisions, partitions and batches come one after another."""


async def connect(url: str, *, reading: bool = False) -> asyncpg.Connection:
    """A connection that gives up after `CONNECT_WITHIN` seconds, and on a statement after `STATEMENT_WITHIN`; `reading`: that can do
    nothing but read, and gives sums as plain numbers. Raises LogFailure where the extra is missing, and what asyncpg raises."""
    try:
        import asyncpg  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise missing() from None
    settings = {"application_name": "tierline", **({"default_transaction_read_only": "on"} if reading else {})}
    connection = await asyncpg.connect(url, timeout=CONNECT_WITHIN, command_timeout=STATEMENT_WITHIN, server_settings=settings)
    if reading:
        await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=float, format="text")
    return connection


async def upgrade(url: str) -> None:
    """Make the tables, or bring them up to date; several may call at once. Raises LogFailure where the extra is missing, or the
    database was written by a newer Tierline."""
    try:
        from alembic import command  # noqa: PLC0415  # an optional extra
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util.exc import CommandError  # noqa: PLC0415
        from sqlalchemy import NullPool, text  # noqa: PLC0415
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    except ImportError:
        raise missing() from None
    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, async_creator=lambda: connect(url))

    def run(connection: Any) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LogFailure(f"the log's database was written by a newer Tierline: upgrade this one ({error})") from None

    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.run_sync(run)
    finally:
        await engine.dispose()


def missing() -> LogFailure:
    """What is said where the extra is not installed."""
    return LogFailure("a decision log in PostgreSQL needs more packages: pip install 'tierline[postgres]'")
