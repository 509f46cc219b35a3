"""Bringing a database up to date: the revisions under `migrations`, run by alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierline.postgres.connection import connect, missing
from tierline.types.errors import LogFailure

if TYPE_CHECKING:
    import asyncpg

LOCK = 0x5449_4552_0001
"""The advisory lock that everyone who changes the tables takes: revisions, partitions and batches come one after another."""


HEAD = "0004"
"""The newest revision: a database that has it is not looked at any further."""


async def upgrade(url: str) -> None:
    """Make the tables, or bring them up to date; several may call at once. Raises LogFailure where the extra is missing, or the
    database was written by a newer Tierline."""
    connection = await connect(url, reading=True)
    try:
        current = await is_current(connection)
    finally:
        await connection.close(timeout=2.0)
    if not current:
        await _upgrade(url)


async def is_current(connection: asyncpg.Connection) -> bool:
    """Whether the tables are those of this Tierline."""
    known = await connection.fetchval("SELECT to_regclass('tierline_version')")
    return known is not None and await connection.fetchval("SELECT version_num FROM tierline_version") == HEAD


async def _upgrade(url: str) -> None:
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
