"""The law that everything offline stands on: what was logged decides again, to the same decision."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings

from routing.worlds import beliefs, requests, routers, views
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sqlite import SqliteLog
from tierline.routing.router import Router
from tierline.types.features import Features
from tierline.types.record import Record
from tierline.types.scores import Scores
from tierline.types.view import View


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(routers(), requests(), beliefs(), views())
def test_a_row_read_back_from_the_log_decides_to_its_own_decision(
    tmp_path: Path, router: Router, request: Features, scores: Scores, view: View
) -> None:
    path = tmp_path / "tierline.db"
    for number in range(3):
        asked = msgspec.structs.replace(request, request_id=f"r{number}", draw=(request.draw + number / 3) % 1.0)
        decision = router.decide(asked, scores, view)
        written = Record(at=1.0 + number, features=asked, decision=decision, scores=scores, view=router.seen(asked, decision, view))
        read = _through_the_log(path, written)
        assert read.decision == decision
        assert router.decide(read.features, read.scores, read.view) == read.decision


def _through_the_log(path: Path, record: Record) -> Record:
    log = SqliteLog(path, retention=None, text_retention=60.0, max_queue=1000, clock=lambda: 2.0)
    log.put(record)
    asyncio.run(log.flushed())
    log.close()
    reader = LogReader(path)
    try:
        read = reader.get(record.features.request_id)
    finally:
        reader.close()
    assert read is not None
    return read
