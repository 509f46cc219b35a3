"""Rules that remember: what is remembered changes no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.worlds import requests
from tierline.config.expressions import Condition
from tierline.routing.facts import facts, getters
from tierline.routing.rules import Rules
from tierline.testing.builders import features
from tierline.types.features import Features

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


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_remembered_is_bounded(source: str) -> None:
    rules = Rules([Condition.compile(source)], SIGNALS)
    for turns in range(5000):
        rules.first(features(turns=turns), "", "")
    assert len(rules._seen) <= 4096
