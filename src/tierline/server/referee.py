"""The chore that looks at the experiments of the spec at work, and does to their arms what the referee says."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from pathlib import Path
from typing import Any

from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.server")

LOOK_EVERY = 2.0
"""Seconds between two looks; more where a look takes long."""

PATIENCE = 15.0
"""How many times as long as a look took is waited before the next."""


async def watch_experiments(live: Live, books: Books, where: Path | str) -> None:
    """Look again and again, until cancelled. While no experiment has guards, an end or adaptive shares, nothing is read."""
    referee: Any = None
    taken = 0.0
    while True:
        await asyncio.sleep(max(LOOK_EVERY, PATIENCE * taken))
        loaded = live.gateway.loaded
        if not any(found.guards or found.stop or found.adaptive for found in loaded.spec.experiments.values()):
            referee = None
            continue
        began = time.perf_counter()
        try:
            referee = referee or await asyncio.to_thread(_referee, where)
            for act in await asyncio.to_thread(referee.look, loaded, time.time()):
                await books.ask(act)
        except TierlineError as failure:
            _logger.error("the experiments could not be looked at: %s", failure.message)
        taken = time.perf_counter() - began


def _referee(where: Path | str) -> Any:
    """A referee; it needs NumPy, which is an extra, so it is imported when an experiment asks for it."""
    return importlib.import_module("tierline.evaluation.experiments.referee").Referee(where)
