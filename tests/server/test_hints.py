"""Hints: in headers, or in the body's metadata under either of two names."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tierline.server.hints import hints_of
from tierline.types.errors import BadRequest
from tierline.types.hints import NO_HINTS, Hints


def raw(metadata: object) -> dict[str, msgspec.Raw]:
    return {"metadata": msgspec.Raw(json.dumps(metadata).encode())}


def test_every_header_has_its_field() -> None:
    headers = {
        "x-tierline-task": "orders",
        "x-tierline-tier": "best",
        "x-tierline-latency-budget": "1500ms",
        "x-tierline-max-cost": "0.002",
        "x-tierline-risk": "high",
        "x-tierline-sensitivity": "pii",
        "x-tierline-session": "s-1",
        "x-tierline-tags": "a, b,,c",
        "x-tierline-user-tier": "free",
        "x-tierline-explain": "1",
    }
    expected = Hints("orders", "best", "", 1.5, 0.002, "high", "pii", "s-1", ("a", "b", "c"), "free", True)
    assert hints_of(headers, {}) == expected
    assert hints_of({}, raw(headers)) == expected
    assert hints_of({}, raw({name.removeprefix("x-").replace("-", "_"): value for name, value in headers.items()})) == expected


def test_a_header_wins_over_metadata_and_foreign_names_are_ignored() -> None:
    assert hints_of({"x-tierline-task": "a"}, raw({"task": "b", "trace": "t"})) == Hints(task="a")
    assert hints_of({"x-tierline-unheard-of": "x", "accept": "*"}, raw({"user_id": 7})) is NO_HINTS


def test_a_bare_name_is_the_clients_own_but_a_prefixed_one_is_not() -> None:
    assert hints_of({}, raw({"session": {"id": 1}, "task": "evaluation"})) is NO_HINTS
    with pytest.raises(BadRequest, match=r"metadata\.tierline_session"):
        hints_of({}, raw({"tierline_session": {"id": 1}}))


@pytest.mark.parametrize("name", ["x-claude-code-session-id", "session-id", "session_id"])
def test_a_coding_agent_s_own_header_names_the_session_where_nothing_else_does(name: str) -> None:
    assert hints_of({name: " s-1 "}, {}) == Hints(session="s-1")
    assert hints_of({name: "s-1", "x-tierline-session": "mine"}, {}) == Hints(session="mine")
    assert hints_of({name: "s-1"}, raw({"tierline_session": "mine"})) == Hints(session="mine")
    assert hints_of({name: "x" * 201}, {}) is NO_HINTS


@given(some.dictionaries(some.sampled_from(["task", "latency-budget", "max-cost", "tags", "explain", "other"]), some.text(max_size=300)))
def test_whatever_a_header_holds_it_is_read_or_refused_by_name(values: dict[str, str]) -> None:
    try:
        hints = hints_of({f"x-tierline-{name}": value for name, value in values.items()}, {})
    except BadRequest as refused:
        assert refused.param is not None and refused.param.removeprefix("x-tierline-") in values
    else:
        assert hints.latency_budget is None or hints.latency_budget > 0
        assert hints.max_cost is None or hints.max_cost >= 0


@given(
    some.recursive(
        some.none() | some.booleans() | some.floats() | some.text(max_size=5),
        lambda inner: some.lists(inner) | some.dictionaries(some.text(max_size=9), inner),
    )
)
def test_odd_metadata_never_breaks_a_request(metadata: object) -> None:
    given_bytes = json.dumps({"task": metadata, "more": metadata}).encode()
    assert isinstance(hints_of({}, {"metadata": msgspec.Raw(given_bytes)}), Hints)
