"""The chore that looks at the experiments of the spec at work, and does to their arms what the referee says."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.server.looks import Looks, imported
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.server")


async def watch_experiments(live: Live, books: Books, where: Path | str) -> None:
    """Look again and again, until cancelled. While no experiment has guards, an end or adaptive shares, nothing is read."""
    looks = Looks()
    referee: Any = None

    async def look() -> None:
        nonlocal referee
        loaded = live.gateway.loaded
        if not any(found.guards or found.stop or found.adaptive for found in loaded.spec.experiments.values()):
            referee = None
            return
        referee = referee or (await imported("tierline.evaluation.experiments.referee")).Referee(where)
        at_work = referee
        for act in await looks.at(lambda: at_work.look(loaded, time.time())):
            await books.ask(act)

    await looks.again_and_again(look, _told)


def _told(failure: TierlineError) -> None:
    _logger.error("the experiments could not be looked at: %s", failure.message)
