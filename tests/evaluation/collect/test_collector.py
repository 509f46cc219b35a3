"""Running prompts over candidates: resumed, capped, retried, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evaluation.collect.fleet import MINI, OPUS, Exact, Fleet, prompts, right
from tierline.evaluation.collect.call import Called, Candidate
from tierline.evaluation.collect.collector import Collector, Progress, Settings, Summary
from tierline.evaluation.collect.journal import Journal, JournalUnreadable
from tierline.evaluation.collect.prompts import Prompt
from tierline.evaluation.collect.rows import rows


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def collect(
    path: Path,
    fleet: Fleet,
    count: int = 4,
    models: Sequence[Candidate] = (MINI, OPUS),
    budget: float = 10.0,
    **more: Any,
) -> Summary:
    clock = more.pop("clock", Clock())
    grader = more.pop("grader", Exact())
    given = more.pop("prompts", prompts(count))
    settings = Settings(budget, more.pop("concurrency", 3))
    with Journal(path) as journal:
        collector = Collector(settings, journal, fleet.call, grader, clock=lambda: 1.0, sleep=clock.sleep, **more)
        return asyncio.run(collector.run(given, models))


def test_every_model_answers_every_prompt_once(tmp_path: Path) -> None:
    fleet = Fleet()
    summary = collect(tmp_path / "j", fleet)
    assert sorted(fleet.asked) == sorted((model, f"q{n}") for model in ("mini", "opus") for n in range(4))
    assert (summary.ended, summary.called, summary.graded, summary.failed, summary.left) == ("complete", 8, 8, 0, 0)
    assert fleet.at_once == 3


def test_a_resumed_run_calls_only_what_is_missing(tmp_path: Path) -> None:
    collect(tmp_path / "j", Fleet(), count=2)
    fleet = Fleet()
    summary = collect(tmp_path / "j", fleet, count=3)
    assert sorted(fleet.asked) == [("mini", "q2"), ("opus", "q2")]
    assert summary.kept == 4


def test_a_model_that_changed_is_run_again_and_no_other(tmp_path: Path) -> None:
    collect(tmp_path / "j", Fleet())
    fleet = Fleet()
    collect(tmp_path / "j", fleet, models=(MINI, msgspec.structs.replace(OPUS, fingerprint="opus-2")))
    assert {model for model, _ in fleet.asked} == {"opus"}


def test_a_prompt_that_changed_is_run_again(tmp_path: Path) -> None:
    collect(tmp_path / "j", Fleet(), count=2)
    first, second = prompts(2)
    fleet = Fleet()
    collect(tmp_path / "j", fleet, prompts=(msgspec.structs.replace(first, digest="another"), second))
    assert sorted(fleet.asked) == [("mini", "q0"), ("opus", "q0")]


def test_another_reference_grades_anew_without_a_call(tmp_path: Path) -> None:
    collect(tmp_path / "j", Fleet(), count=1)
    fleet = Fleet()
    changed = tuple(msgspec.structs.replace(prompt, reference="no such thing") for prompt in prompts(1))
    summary = collect(tmp_path / "j", fleet, prompts=changed)
    assert fleet.asked == []
    assert summary.graded == 2
    assert {line.score for line in Journal(tmp_path / "j").grades.values()} == {0.0}


def test_money_spent_never_passes_the_budget_by_more_than_the_calls_in_flight(tmp_path: Path) -> None:
    dear = 0.001 * 1.1  # what one answer of opus costs
    for concurrency in (1, 4):
        fleet = Fleet()
        path = tmp_path / f"j{concurrency}"
        summary = collect(path, fleet, count=50, models=(OPUS,), budget=10.5 * dear, concurrency=concurrency)
        assert summary.ended == "budget"
        assert summary.left + len(fleet.asked) == 50
        assert summary.spent <= 10.5 * dear + concurrency * dear
        assert summary.spent >= 5 * dear
        again = collect(path, fleet, count=50, models=(OPUS,), budget=10.5 * dear, concurrency=concurrency)
        assert again.spent <= 10.5 * dear + concurrency * dear, "a resumed run has the same budget, not another"


def test_a_budget_of_nothing_calls_nobody(tmp_path: Path) -> None:
    fleet = Fleet()
    summary = collect(tmp_path / "j", fleet, budget=0.0)
    assert (fleet.asked, summary.ended, summary.left, summary.spent) == ([], "budget", 8, 0.0)


def test_a_rate_limit_is_waited_out_as_long_as_the_provider_wishes(tmp_path: Path) -> None:
    refusals = [Called(trouble="passing", error="rate_limited", retry_after=7.0), Called(trouble="passing", error="overloaded")]
    fleet = Fleet(lambda candidate, prompt: refusals.pop(0) if refusals else right(candidate, prompt))
    clock = Clock()
    summary = collect(tmp_path / "j", fleet, count=1, models=(MINI,), clock=clock)
    assert clock.slept == [7.0, 2.0]
    assert summary.failed == 0
    assert Journal(tmp_path / "j").answers["q0", "mini"].calls == 3


def test_a_failure_is_a_row_without_a_score_and_is_tried_again_on_resume(tmp_path: Path) -> None:
    def fails(candidate: Candidate, prompt: Prompt) -> Called:
        return Called(trouble="final", error="context_exceeded", detail="too long") if prompt.id == "q0" else right(candidate, prompt)

    summary = collect(tmp_path / "j", Fleet(fails), count=2, models=(MINI,))
    assert summary.failed == 1
    table = list(rows(prompts(2), (MINI,), Journal(tmp_path / "j"), "exact"))
    assert [(row["score"], row["error"]) for row in table] == [(None, "context_exceeded"), (1.0, "")]
    fleet = Fleet()
    assert collect(tmp_path / "j", fleet, count=2, models=(MINI,)).failed == 0
    assert fleet.asked == [("mini", "q0")]


def test_a_model_of_which_nothing_will_come_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    def fails(candidate: Candidate, prompt: Prompt) -> Called:
        return Called(trouble="model", error="auth", detail="401") if candidate.name == "opus" else right(candidate, prompt)

    fleet = Fleet(fails)
    summary = collect(tmp_path / "j", fleet, count=9, concurrency=1)
    assert summary.given_up == {"opus": "401"}
    assert summary.failed == 9
    assert sum(model == "opus" for model, _ in fleet.asked) == 1
    assert sum(model == "mini" for model, _ in fleet.asked) == 9


def test_whoever_stops_it_keeps_what_was_answered(tmp_path: Path) -> None:
    fleet = Fleet()
    summary = collect(tmp_path / "j", fleet, concurrency=2, stopping=lambda: len(fleet.asked) >= 4)
    assert summary.ended == "stopped"
    assert len(Journal(tmp_path / "j").answers) == len(fleet.asked) == 8 - summary.left
    rest = Fleet()
    assert collect(tmp_path / "j", rest).ended == "complete"
    assert not set(rest.asked) & set(fleet.asked)


def test_a_cancelled_run_keeps_every_answer_that_came(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = Fleet()
        with Journal(tmp_path / "j") as journal:
            run = asyncio.create_task(
                Collector(Settings(10.0, 2), journal, fleet.call, Exact(), clock=lambda: 1.0).run(prompts(50), (MINI,))
            )
            while len(journal.answers) < 5:
                await asyncio.sleep(0)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

    asyncio.run(story())
    assert len(Journal(tmp_path / "j").answers) >= 5


def test_a_line_that_was_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    collect(path, Fleet(), count=2, models=(MINI,))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    fleet = Fleet()
    summary = collect(path, fleet, count=2, models=(MINI,))
    assert (fleet.asked, summary.graded) == ([], 1), "only the grade was lost"
    assert path.read_bytes().count(b"\n") == whole.count(b"\n")


def test_a_file_that_is_no_journal_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text("a file of somebody else's\n")
    with pytest.raises(JournalUnreadable, match="j:1 is no line of a journal"):
        Journal(path)
    assert path.read_text() == "a file of somebody else's\n"


def test_progress_says_what_was_done_and_spent(tmp_path: Path) -> None:
    seen: list[Progress] = []
    summary = collect(tmp_path / "j", Fleet(), told=seen.append)
    assert [step.done for step in seen] == list(range(9))
    assert seen[-1].spent == pytest.approx(summary.spent)
