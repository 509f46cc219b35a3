"""Rules that remember: what is remembered changes no answer."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.worlds import requests
from tierline.config.expressions import Condition
from tierline.routing.facts import facts, getters
from tierline.routing.rules import Rules
from tierline.testing.builders import features
from tierline.types.features import Complexity, Features

SIGNALS = ("anger",)
SOURCES = [
    "turns > 3",
    "input_tokens > 2000",
    "needs.tools && input_tokens > 1000",
    "sensitivity.pii || complexity > 0.5",
    "signals.anger > 0 && complexity > 0.2",
    "operations[0] == 'reasoning'",
    "signals.unheard > 0",
    "task == 't' && session == '' && output_tokens < 500",
    "risk == 'high' && tags.exists(t, t == 'vip')",
    "!(key == 'team') && input_tokens + output_tokens > 3000",
]
CONDITIONS = [Condition.compile(source) for source in SOURCES]


@given(st.lists(st.sampled_from(CONDITIONS), max_size=6), st.lists(requests(), min_size=1, max_size=8), st.booleans())
def test_the_first_and_all_that_hold_are_what_each_says_of_itself(
    conditions: list[Condition], asked: list[Features], on_error: bool
) -> None:
    rules = Rules(conditions, SIGNALS, on_error=on_error)
    for request in [*asked, *asked]:
        values = facts(getters(conditions, SIGNALS), request, "t", "high")
        holding = [i for i, condition in enumerate(conditions) if condition.holds(values, on_error=on_error)]
        strictly = [i for i, condition in enumerate(conditions) if condition.holds(values)]
        assert list(rules.holding(request, "t", "high")) == holding
        if not on_error:
            assert rules.first(request, "t", "high") == (strictly[0] if strictly else -1)


@given(st.lists(st.sampled_from(CONDITIONS), max_size=6), requests(), st.data())
def test_between_two_cuts_nothing_changes(conditions: list[Condition], request: Features, data: st.DataObject) -> None:
    rules = Rules(conditions, SIGNALS, on_error=True)
    cuts = rules.cuts(request, "t", "high")
    if cuts is None:
        return
    at = {"input_tokens": request.input_tokens, "output_tokens": request.output_tokens, "complexity": request.complexity.score}
    other = {name: data.draw(st.integers(0, 5_000) if name != "complexity" else st.floats(0, 1), label=name) for name in at}
    for name, numbers in cuts.items():
        other[name] = (
            at[name] if any((at[name] < n) != (other[name] < n) or (at[name] == n) != (other[name] == n) for n in numbers) else other[name]
        )
    moved = msgspec.structs.replace(
        request,
        input_tokens=int(other["input_tokens"]),
        output_tokens=int(other["output_tokens"]),
        complexity=Complexity(float(other["complexity"])),
    )
    assert list(rules.holding(moved, "t", "high")) == list(rules.holding(request, "t", "high"))


def test_sizes_that_are_only_compared_have_cuts_and_others_have_none() -> None:
    compared = Rules([Condition.compile("input_tokens > 2000 || 0.5 <= complexity"), Condition.compile("input_tokens == 7")], SIGNALS)
    assert compared.cuts(features(), "", "") == {"input_tokens": {2000.0, 7.0}, "complexity": {0.5}}
    added = Rules([Condition.compile("input_tokens + output_tokens > 3000")], SIGNALS)
    assert added.cuts(features(), "", "") is None
    named = Rules([Condition.compile("session == 'a'")], SIGNALS)
    assert named.cuts(features(), "", "") is None


@given(st.lists(st.tuples(st.sampled_from([1_999, 2_000, 2_001, 9_000]), st.sampled_from([0.0, 0.499, 0.5, 0.501])), max_size=12))
def test_sizes_below_on_and_above_a_cut_are_told_apart(sizes: list[tuple[int, float]]) -> None:
    conditions = [Condition.compile("input_tokens > 2000 && complexity >= 0.5"), Condition.compile("input_tokens == 2000")]
    rules = Rules(conditions, SIGNALS)
    for tokens, score in sizes:
        expected = 0 if tokens > 2_000 and score >= 0.5 else 1 if tokens == 2_000 else -1
        asked = msgspec.structs.replace(features(), input_tokens=tokens, complexity=Complexity(score))
        assert rules.first(asked, "", "") == expected


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_remembered_is_bounded(source: str) -> None:
    rules = Rules([Condition.compile(source)], SIGNALS)
    for turns in range(5000):
        rules.first(features(turns=turns), "", "")
    assert len(rules._seen) <= 4096
