"""An outage in a log: what tripped, when, who answered, and what a normal day is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evaluation.review.traffic import DAY, MIDNIGHT, numbered, request, written
from tierline.decision_log.reader import LogReader
from tierline.evaluation.review.incident import Incident, incident_of
from tierline.types.record import Record

HOUR = 3600.0


def normal(day: int) -> Iterator[Record]:
    for n in range(60):
        yield request(n, MIDNIGHT - day * DAY + 60.0 * n, climbs=n % 10 == 0)


def outage() -> Iterator[Record]:
    """From the tenth minute to the fortieth mini fails; five requests find nobody."""
    for n in range(60):
        bad = 10 <= n < 40
        yield request(n, MIDNIGHT + 60.0 * n, down=bad, nobody=bad and n < 15)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Incident:
    path = written(tmp_path_factory.mktemp("outage"), numbered(normal(1), normal(2), outage())).parent / "tierline.db"
    with closing(LogReader(path)) as reader:
        return incident_of(reader, {}, MIDNIGHT, MIDNIGHT + HOUR)


def test_what_failed_is_named_with_when_and_who_answered_instead(found: Incident) -> None:
    (mini,) = found.tripped
    assert (mini.model, mini.calls, mini.failed, mini.kinds) == ("mini", 60, 30, {"server": 30})
    assert (mini.first, mini.last, mini.answered_again) == (MIDNIGHT + 600.0, MIDNIGHT + 39 * 60.0, MIDNIGHT + 2400.0)
    assert mini.instead == {"opus": 25, "": 5} and len(mini.requests) == 5
    assert len(found.unanswered) == 5


def test_its_hour_is_compared_with_the_same_hour_of_the_days_before(found: Incident) -> None:
    assert found.normal is not None and found.normal_of == "the same hours of 2 of the 7 days before"
    assert (found.during.requests, found.normal.requests) == (60, 120)
    assert found.during.error_rate == pytest.approx(5 / 60) and found.normal.error_rate == 0.0
    assert found.during.fallback_rate == pytest.approx(25 / 60), "the other five had nobody to fall back to"
    assert found.normal.escalation_rate == pytest.approx(0.1)
    assert found.extra_cost == pytest.approx(sum([30 * 0.001, 25 * 0.01]) - 60 * (0.001 + 0.1 * 0.01))


def test_its_course_counts_every_request_and_every_failed_call_once(found: Incident) -> None:
    assert sum(bar.requests for bar in found.course) == 60
    assert sum(bar.failed_calls for bar in found.course) == 30
    assert [bar.failed_calls for bar in found.course[:10]] == [0] * 10


def test_a_stretch_without_traffic_says_so_and_one_that_ends_before_it_begins_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, numbered(normal(1))).parent / "tierline.db"
    with closing(LogReader(path)) as reader:
        empty = incident_of(reader, {}, MIDNIGHT, MIDNIGHT + HOUR)
        assert (empty.during.requests, empty.tripped) == (0, ())
        with pytest.raises(ValueError, match="ends after it begins"):
            incident_of(reader, {}, MIDNIGHT, MIDNIGHT)
