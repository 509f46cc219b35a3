"""Conditions: compiled once, evaluated safely, the first that holds wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.expressions import Condition, ExpressionInvalid, FirstMatch

THRESHOLDS = st.lists(st.integers(0, 50), max_size=60)


@given(THRESHOLDS, st.integers(0, 50))
def test_the_first_of_many_is_the_first_one_by_one(thresholds: list[int], turns: int) -> None:
    conditions = [Condition.compile(f"turns > {threshold}") for threshold in thresholds]
    values = {"turns": turns}
    one_by_one = next((index for index, condition in enumerate(conditions) if condition.holds(values)), -1)
    assert FirstMatch(conditions)(values) == one_by_one


def test_a_condition_that_cannot_be_evaluated_does_not_hold_and_hides_none_behind_it() -> None:
    match = FirstMatch([Condition.compile("tags[5] == 'x'"), Condition.compile("code")])
    assert match({"tags": [], "code": True}) == 1
    assert match({"tags": [], "code": False}) == -1


def test_the_answer_of_a_condition_that_cannot_be_evaluated_can_be_chosen() -> None:
    condition = Condition.compile("tags[5] == 'x'")
    assert condition.holds({"tags": []}, on_error=True)
    assert not condition.holds({"tags": []})


@pytest.mark.parametrize(("source", "unknown"), [("foo > 1", ("foo",)), ("foo && bar", ("bar", "foo")), ("code &&", ())])
def test_what_does_not_compile_says_what_nobody_knows(source: str, unknown: tuple[str, ...]) -> None:
    with pytest.raises(ExpressionInvalid) as raised:
        Condition.compile(source)
    assert raised.value.unknown == unknown


@pytest.mark.parametrize("value", ["1", "'x'", "null", "turns"])
def test_only_true_holds(value: str) -> None:
    values: dict[str, Any] = {"turns": 1}
    assert not Condition.compile(value).holds(values)
