"""The walk over the data finds something exactly where the strict reader would refuse it."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.document import Document
from tierline.config.problems import Problems
from tierline.config.spec import Spec
from tierline.config.structure import decode_unit, fit, meaning, shape

WHOLE: dict[str, Any] = {
    "version": 1,
    "providers": {"p": {"preset": "openai", "headers": {"a": "b"}, "timeout": "10s", "script": {"seed": 1}}},
    "models": {"m": {"provider": "p", "tier": "fast", "price": {"input": 1, "output": 2.5}, "capabilities": ["tools"], "context": 5}},
    "tiers": ["fast"],
    "signals": {"s": {"keywords": ["a"], "patterns": ["b"]}},
    "tasks": {"t": {"why": "x", "quality_bar": 0.9, "reviewed": datetime.date(2026, 1, 1), "tokens": {"input": 3}, "quality": {"m": 1}}},
    "routes": {
        "auto": {"rules": [{"when": "code", "why": "x", "use": ["m"]}, {"when": "code", "why": "x", "use": "fast"}], "explore": 0.1}
    },
    "governance": {"rules": [{"when": "code", "why": "x", "allow": {"residency": ["a"], "region": "eu"}}]},
    "keys": {"k": {"secret": "s", "scopes": ["call"]}},
    "decision_log": {"retention": None, "max_queue": 100},
    "server": {"max_body": "1MB"},
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.sampled_from(["", "x", "2s", "1MB", "call", "${A}"[:1], "openai"]),
    st.dates(),
    st.datetimes(),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.dictionaries(st.sampled_from(["why", "input", "x"]), st.sampled_from(["a", 1]), max_size=2),
)


def places(data: Any) -> list[tuple[Any, ...]]:
    """Every place in the data."""
    if isinstance(data, dict):
        return [(key,) for key in data] + [(key, *inner) for key, value in data.items() for inner in places(value)]
    if isinstance(data, list):
        return [(index,) for index in range(len(data))] + [(i, *inner) for i, value in enumerate(data) for inner in places(value)]
    return []


def changed(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at one place."""
    copy: Any = dict(data) if isinstance(data, dict) else list(data)
    copy[place[0]] = value if len(place) == 1 else changed(data[place[0]], place[1:], value)
    return copy


def walked(data: dict[str, Any]) -> tuple[Spec, Problems]:
    problems = Problems(Document("s.yaml", data, None, ()))
    return fit(data, problems), problems


@given(st.sampled_from(places(WHOLE)), VALUES)
def test_the_walk_and_the_strict_reader_agree(place: tuple[Any, ...], value: Any) -> None:
    data = changed(WHOLE, place, value)
    try:
        msgspec.convert(data, Spec, dec_hook=decode_unit)
        refused = False
    except msgspec.ValidationError:
        refused = True
    assert walked(data)[1].errors is refused


@given(st.lists(st.tuples(st.sampled_from(places({**WHOLE, "routes": {}})), VALUES), max_size=3))
def test_what_does_not_fit_never_stops_the_check(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = WHOLE
    for place, value in changes:
        try:
            data = changed(data, place, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    spec, _ = walked(data)
    assert isinstance(spec, Spec)


def test_every_key_of_the_spec_has_a_type_that_can_be_said_in_words() -> None:
    assert all(meaning(field.type) for field in shape().fields)
