"""Which tasks are due, and why: each reason on facts that show it, and on none that do not."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.spec import TaskSpec
from tierline.evaluation.review.due import Due, Looked, difference, due_of
from tierline.evaluation.review.facts import ModelFacts, TaskFacts
from tierline.evaluation.wilson import wilson
from tierline.types.alert import Alert

TODAY = datetime.date(2026, 11, 22)
SPEC = TaskSpec(why="A test.", models=["mini", "opus"])
MINI = ModelFacts(1.0, 4.0, asked=1000, judged=1000, passed=950, p50=0.5, p95=1.0)
FACTS = TaskFacts(
    0.0, 1.0, requests=1000, share=0.5, cost=0.001, p50=0.5, p95=1.0, fallbacks=10, escalations=50, failures=1, flagged=2,
    judged=1000, passed=950, models={"mini": MINI}, prompts={"p1": 1.0},
)  # fmt: skip


def due(now: TaskFacts = FACTS, spec: TaskSpec = SPEC, alerts: tuple[Alert, ...] = (), days: int = 3, before: TaskFacts = FACTS) -> Due:
    return due_of("orders", spec, now, Looked(TODAY - datetime.timedelta(days), "anna", "fine", before), alerts, TODAY)


def changed(**facts: Any) -> TaskFacts:
    return msgspec.structs.replace(FACTS, **facts)


def mini(**facts: Any) -> TaskFacts:
    return changed(models={"mini": msgspec.structs.replace(MINI, **facts)})


def spec(**settings: Any) -> TaskSpec:
    return msgspec.structs.replace(SPEC, **settings)


def alert(subject: str, recovered: float | None = None) -> Alert:
    return Alert("quality_drop", subject, 1.0, 0.5, 0.95, 0.9, 0.999, "it passes less", "look", recovered=recovered)


def test_a_task_for_which_nothing_moved_is_not_due() -> None:
    assert due().causes == ()


def test_a_task_that_nobody_ever_looked_at_is_due_by_the_calendar() -> None:
    assert [cause.kind for cause in due_of("orders", SPEC, FACTS, None, (), TODAY).causes] == ["calendar"]


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (due(days=90), "calendar", "90 days ago"),
        (due(mini(input=1.2)), "price", "input tokens of mini cost $1 then and $1.2 now"),
        (due(mini(passed=900)), "evaluation", "passed 95.0% of 1,000 then and 90.0%"),
        (due(spec=spec(quality={"mini": 0.99})), "assumed", "said to pass 99.0%"),
        (due(mini(p95=1.6)), "latency", "1.00 s at the 95th percentile then and 1.60 s"),
        (due(spec=spec(latency_budget=0.8)), "latency", "callers wait 0.8 s"),
        (due(changed(share=0.6)), "mix", "50% of the requests then and is 60%"),
        (due(spec=spec(traffic_share=0.3)), "mix", "assumed to be 30%"),
        (due(changed(prompts={"p1": 0.7, "p2": 0.3})), "prompt", "30% of its requests"),
        (due(changed(fallbacks=60)), "failures", "fell back"),
        (due(changed(failures=40)), "failures", "got no answer"),
        (due(alerts=(alert("task/orders"),)), "drift", "quality drop: it passes less"),
        (due(alerts=(alert("model/opus"),)), "drift", "it passes less"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_has_moved_is_a_reason_by_itself(found: Due, kind: str, words: str) -> None:
    assert [cause.kind for cause in found.causes] == [kind]
    assert words in found.causes[0].what


@pytest.mark.parametrize(
    "found",
    [
        due(days=89),
        due(mini(passed=945)),
        due(mini(passed=10, judged=20)),
        due(mini(p95=1.2)),
        due(changed(fallbacks=15)),
        due(changed(fallbacks=0)),
        due(alerts=(alert("task/letters"), alert("task/orders", recovered=2.0))),
    ],
)
def test_what_may_be_chance_or_is_another_tasks_or_is_better_is_none(found: Due) -> None:
    assert found.causes == ()


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1))
def test_two_rates_are_as_sure_to_differ_from_either_side(of: int, of_then: int, rate: float, rate_then: float) -> None:
    good, good_then = round(of * rate), round(of_then * rate_then)
    sure = difference(good, of, good_then, of_then)
    assert 0.0 <= sure <= 1.0
    assert sure == pytest.approx(difference(good_then, of_then, good, of))
    assert difference(good, of, good, of) == 0.0


@given(st.integers(1, 5000), st.floats(0, 1))
def test_an_interval_holds_its_rate_and_stays_between_nothing_and_all(of: int, rate: float) -> None:
    good = round(of * rate)
    low, high = wilson(good, of)
    assert -1e-9 <= low <= good / of + 1e-9 and good / of - 1e-9 <= high <= 1 + 1e-9
