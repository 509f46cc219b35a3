"""A small decision log: one request that went well, one that climbed, one that fell back, one that was bad, one that nobody answered."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Record, Tried

PASSED, FAILED = (Verdict("orders/schema", True),), (Verdict("orders/schema", False),)


def record(request_id: str, *tried: Tried, flagged: bool = False) -> Record:
    decision = Decision(request_id, "auto", "3f9a1c0b77de", (Step("fast", ("mini",)), Step("best", ("opus",))), task="orders")
    return Record(1000.0, Features(request_id, language="en"), decision, tried, winner=len(tried) - 1 if tried else None, flagged=flagged)


def attempt(target: str, cause: str, verdicts: tuple[Verdict, ...], cost: float, ok: bool = True) -> Tried:
    return Tried(target, cause, ok, cost, 0.5, None, Usage(10, 5) if ok else NO_USAGE, "" if ok else "server", verdicts=verdicts)


RECORDS = [
    record("good", attempt("mini", "first", PASSED, 0.001)),
    record("climbed", attempt("mini", "first", FAILED, 0.001), attempt("opus", "escalation", PASSED, 0.02)),
    record("fell", attempt("mini", "first", (), 0.0, ok=False), attempt("opus", "fallback", (), 0.02)),
    record("bad", attempt("mini", "first", PASSED, 0.001)),
    record("nobody"),
]
SAID = [Feedback("good", 1.0, accept=True), Feedback("bad", 1.0, score=0.0), Feedback("bad", 2.0, score=0.4)]


def written(path: Path, records: list[Record]) -> Path:
    with closing(SqliteLog(path)) as log:
        for one in records:
            log.put(one)
        asyncio.run(log.flushed())
    with closing(Ledger(path)) as ledger:
        for said in SAID:
            ledger.feedback.add(said)
    return path
