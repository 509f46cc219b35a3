"""What is lost when a task's primary is down."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evaluation.tables import table
from tierline.evaluation.drill import Decide, Decided, drill
from tierline.types.view import View

SCORES = [[1, 1]] * 10 + [[0, 1]] * 10
TASKS = ["easy"] * 10 + ["hard"] * 10


def ladder(choice: dict[str, str], fallback: dict[str, str]) -> Decide:
    def decide(rows: Sequence[int], view: View) -> list[Decided]:
        first = [(TASKS[row], choice[TASKS[row]]) for row in rows]
        return [Decided(task, fallback.get(model, "") if model in view.resting else model) for task, model in first]

    return decide


def test_who_answers_instead_and_what_is_lost() -> None:
    told = drill(table(SCORES, task=TASKS), ladder({"easy": "mini", "hard": "opus"}, {"mini": "opus", "opus": "mini"}), {"hard": 0.9})
    hard, easy = told.tasks
    assert (hard.task, hard.primary, hard.instead, hard.quality_lost) == ("hard", "opus", {"mini": 1.0}, 1.0)
    assert hard.below_bar
    assert hard.cost_before == pytest.approx(0.02) and hard.cost_after == pytest.approx(0.01)
    assert (easy.task, easy.primary, easy.instead, easy.quality_lost, easy.below_bar) == ("easy", "mini", {"opus": 1.0}, 0.0, False)


def test_a_task_that_nobody_else_can_serve_scores_nothing() -> None:
    hard = drill(table(SCORES, task=TASKS), ladder({"easy": "mini", "hard": "opus"}, {})).tasks[0]
    assert (hard.instead, hard.unanswered, hard.quality_after, hard.cost_after) == ({"nobody": 1.0}, 10, 0.0, 0.0)


def test_the_primary_is_the_model_of_most_queries() -> None:
    def decide(rows: Sequence[int], view: View) -> list[Decided]:
        return [Decided("one", "opus" if row % 4 == 0 or "mini" in view.resting else "mini") for row in rows]

    (only,) = drill(table(SCORES), decide).tasks
    assert (only.primary, only.primary_share, only.instead) == ("mini", 0.75, {"opus": 1.0})
    assert only.quality_lost is not None and only.quality_low is not None and only.quality_high is not None
    assert only.quality_low < only.quality_lost < 0 < -only.quality_low, "opus is the better one here"


def test_a_task_that_nobody_serves_even_on_a_good_day_is_left_out() -> None:
    assert drill(table(SCORES, task=TASKS), lambda rows, view: [Decided("easy", "")] * len(rows)).tasks == ()
