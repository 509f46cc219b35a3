"""The chore that looks at what was published, and takes it back where it is shown to be worse than what was before it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tierline.gateway.books import Books
from tierline.gateway.lifecycle import WHO
from tierline.gateway.release import Desk, Wish
from tierline.gateway.reload import Live
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release
from tierline.server.looks import Looks, imported
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.release")


async def watch_published(live: Live, books: Books, where: Path | str, environ: Mapping[str, str]) -> None:
    """Look again and again, until cancelled. Nothing is read but one row of the ledger while nothing was published lately."""
    looks = Looks()
    await looks.again_and_again(partial(_look, looks, live, books, where, environ), _told)


def _told(failure: TierlineError) -> None:
    _logger.error("what was published could not be looked at: %s", failure.message)


async def _look(looks: Looks, live: Live, books: Books, where: Path | str, environ: Mapping[str, str]) -> None:
    settings, now = live.gateway.loaded.spec.release, time.time()
    published = await books.ask(lambda ledger: ledger.releases.at_work())
    if published is None or published.stage != "published" or now - published.at >= float(settings.watch) or not settings.guards:
        return
    before = await books.ask(lambda ledger: _since(ledger, published))
    since = max(before, published.at - float(settings.compare))
    compared = (await imported("tierline.evaluation.propose.watch")).compared
    found: list[Any] = await looks.at(lambda: compared(where, settings, published.candidate, published.at, since))
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
