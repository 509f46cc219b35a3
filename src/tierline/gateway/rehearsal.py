"""A candidate in shadow: it decides beside the spec at work, on the same requests in the same world, and answers nobody.

What it decides is counted, never called: it costs one decision a request, made after the answer is out."""

from __future__ import annotations

import asyncio
import logging

from tierline.config.loaded import Loaded
from tierline.config.scorers import scorers_of
from tierline.gateway.weighed import Weighed
from tierline.ledger.releases import Rehearsed
from tierline.routing.extract import Extractor
from tierline.routing.router import Router
from tierline.types.access import Key
from tierline.types.decision import Decision
from tierline.types.errors import RequestError
from tierline.types.scores import NO_SCORES

_logger = logging.getLogger("tierline.gateway")

MOST = 10_000
"""Kinds of decisions that are told apart between two looks; a spec has tasks × models² at most."""


class Rehearsal:
    """The candidate, and what it has decided since `take` was last called. `release` is the id of the row that put it here."""

    def __init__(self, candidate: Loaded, release: int) -> None:
        self.release = release
        self._router = Router(candidate)
        self._extract = Extractor(candidate)
        self._scorers = scorers_of(candidate)
        self._seen: dict[tuple[str, str, str], list[float]] = {}
        self._failed = False

    def begin(self, weighed: Weighed, key: Key) -> None:
        """Decide on a request once whoever waits for its answer has it."""
        asyncio.get_running_loop().call_soon(self.see, weighed, key)

    def see(self, weighed: Weighed, key: Key) -> None:
        """Decide on a request and count what came of it."""
        try:
            other = self._decided(weighed, key)
        except RequestError:
            other = None
        except Exception as error:
            if not self._failed:
                _logger.error("a candidate in shadow failed to decide (%s); such requests count as refused", type(error).__name__)
            self._failed, other = True, None
        mine = weighed.decision
        kind = (mine.task, mine.target, "" if other is None else other.target)
        if kind in self._seen or len(self._seen) < MOST:
            counted = self._seen.setdefault(kind, [0, 0.0, 0.0])
            counted[0] += 1
            counted[1] += _first_cost(mine)
            counted[2] += 0.0 if other is None else _first_cost(other)

    def take(self) -> list[Rehearsed]:
        """What was counted since the last call."""
        seen, self._seen = self._seen, {}
        return [Rehearsed(*kind, int(count), cost, other) for kind, (count, cost, other) in seen.items()]

    def _decided(self, weighed: Weighed, key: Key) -> Decision:
        request = weighed.request
        features = self._extract(request, key)
        settled = self._router.settle(features)
        scores = NO_SCORES if settled is not None else self._scorers[features.route].score(request, features)
        return self._router.decide(features, scores, weighed.view, settled)


def _first_cost(decision: Decision) -> float:
    costs = decision.steps[0].costs if decision.steps else ()
    return costs[0] if costs else 0.0
