"""The chore that looks at what was published, and takes it back where it is shown to be worse than what was before it."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tierline.gateway.books import Books
from tierline.gateway.lifecycle import WHO
from tierline.gateway.release import Desk, Wish
from tierline.gateway.reload import Live
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.release")

LOOK_EVERY = 2.0
"""Seconds between two looks; more where a look takes long."""

PATIENCE = 15.0
"""How many times as long as a look took is waited before the next."""


async def watch_published(live: Live, books: Books, where: Path | str, environ: Mapping[str, str]) -> None:
    """Look again and again, until cancelled. Nothing is read but one row of the ledger while nothing was published lately."""
    taken = 0.0
    while True:
        await asyncio.sleep(max(LOOK_EVERY, PATIENCE * taken))
        began = time.perf_counter()
        try:
            await _look(live, books, where, environ)
        except TierlineError as failure:
            _logger.error("what was published could not be looked at: %s", failure.message)
        taken = time.perf_counter() - began


async def _look(live: Live, books: Books, where: Path | str, environ: Mapping[str, str]) -> None:
    settings, now = live.gateway.loaded.spec.release, time.time()
    published = await books.ask(lambda ledger: ledger.releases.at_work())
    if published is None or published.stage != "published" or now - published.at >= float(settings.watch) or not settings.guards:
        return
    before = await books.ask(lambda ledger: _since(ledger, published))
    since = max(before, published.at - float(settings.compare))
    compared = importlib.import_module("tierline.evaluation.propose.watch").compared  # it needs NumPy, which is an extra
    found: list[Any] = await asyncio.to_thread(compared, where, settings, published.candidate, published.at, since)
    worse = next((one for one in found if one.worse), None)
    if worse is None:
        return
    wish = Wish(WHO, worse.sentence)
    taken = await books.ask(lambda ledger: Desk(ledger, live.gateway.loaded.path, environ).take_back(published, wish))
    if taken is not None:
        _logger.warning("%s is taken back and %s is at work again: %s", published.candidate, taken.candidate, worse.sentence)


def _since(ledger: Ledger, published: Release) -> float:
    """When the spec before was put to work."""
    for one in ledger.releases.list(1000):
        if one.id < published.id and one.candidate == published.before and one.stage in ("published", "rolled_back", "by_hand"):
            return one.at
    return 0.0
