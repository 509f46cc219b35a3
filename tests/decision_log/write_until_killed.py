"""Run by a test: puts rows and prints the id of each once it is acknowledged, until it is killed."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from decision_log.make_records import typical
from tierline.decision_log.postgres.log import PostgresLog


async def main(path: str, url: str) -> None:
    log = PostgresLog(path, url=url)
    for number in range(1_000_000):
        log.put(typical(f"r{number:07}", at=1_790_000_000.0 + number))
        await log.flushed()
        sys.stdout.write(f"r{number:07}\n")
        sys.stdout.flush()


asyncio.run(main(*sys.argv[1:]))
