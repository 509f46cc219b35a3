"""Logs written as the gateway writes them, by a router and a world of one's own, for the tests of replay."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tierline.decision_log.sqlite import SqliteLog
from tierline.evaluation.replay.logged import labels_of
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router
from tierline.testing.builders import features
from tierline.types.features import Features
from tierline.types.outcome import Usage
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View

Asked = tuple[Features, Scores, View]
Good = Callable[[float, str], float]
"""Difficulty and model → the chance that the answer is good."""


def asking(count: int, seed: int = 1) -> list[Asked]:
    """Plain requests of every difficulty."""
    dice = random.Random(seed)
    return [(features(round(dice.random(), 3), request_id=f"r{n}", draw=dice.random()), NO_SCORES, NO_VIEW) for n in range(count)]


def serve(path: Path, router: Router, asked: Sequence[Asked], good: Good | None = None, *, labelled: float = 1.0, seed: int = 2) -> Path:
    """A log of these requests as this router decides them; with `good`, a share of the answers is judged in the ledger beside it."""
    log = SqliteLog(path, retention=None, text_retention=60.0, max_queue=100_000, clock=lambda: 2.0)
    dice, judged = random.Random(seed), []
    for number, (one, scores, view) in enumerate(asked):
        decision = router.decide(one, scores, view)
        tried = (
            (Tried(decision.target, "first", True, 0.001 * (1 + len(decision.target)), 0.5, 0.1, Usage(200, 100)),)
            if decision.steps
            else ()
        )
        log.put(Record(at=1.0 + number, features=one, decision=decision, tried=tried, scores=scores, view=router.seen(one, decision, view),
                       winner=0 if tried else None))  # fmt: skip
        if good is not None and tried and dice.random() < labelled:
            judged.append((one.request_id, float(dice.random() < good(one.complexity.score, decision.target))))
    asyncio.run(log.flushed())
    log.close()
    ledger = Ledger(path, durability="process")
    for request_id, score in judged:
        ledger.feedback.add(Feedback(request_id, 3.0, score=score))
    ledger.close()
    return path


def labels(path: Path) -> dict[str, float]:
    return labels_of(path)
