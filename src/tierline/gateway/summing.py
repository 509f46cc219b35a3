"""The rows of the log are added up as they come, beside everything else, so that whoever looks at a month need not read it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from tierline.config.loaded import Loaded
from tierline.decision_log.sums.keep import add_up
from tierline.decision_log.sums.schema import MOST
from tierline.types.errors import LogFailure

EVERY = 5.0
"""Seconds between two looks at what has come."""

BREATH = 0.05
"""Seconds between two goes while more is waiting, so that the log's own writer comes first."""

_logger = logging.getLogger("tierline.gateway")


async def keep_summed(loaded: Loaded, path: Path) -> None:
    """Add up the rows of the log at `path`, or of the database that it goes on to, until cancelled."""
    where: Path | str = loaded.spec.decision_log.url or path
    problem = ""
    while True:
        try:
            went, said = await asyncio.to_thread(add_up, where), ""
        except LogFailure as failure:
            went, said = 0, failure.message
            if said != problem:
                _logger.warning("the log is not added up, and the dashboard adds what it can itself: %s", said)
        problem = said
        await asyncio.sleep(BREATH if went >= MOST else EVERY)
