"""The estimate of tokens, against counts that the o200k tokenizer gave for these texts once."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.extract.asking import features

ROWS = json.loads((Path(__file__).parent / "token_counts.json").read_text(encoding="utf-8"))
OVERHEAD = 4


@pytest.mark.parametrize("row", ROWS, ids=[row["language"] for row in ROWS])
def test_the_estimate_is_within_a_fifth_of_the_tokenizer(row: dict[str, object]) -> None:
    text, exact = str(row["text"]), int(str(row["o200k"]))
    assert features(text).input_tokens - OVERHEAD == pytest.approx(exact, rel=0.2)


def test_over_all_languages_the_estimate_errs_by_less_than_a_tenth_in_the_median() -> None:
    off = sorted(abs((features(row["text"]).input_tokens - OVERHEAD) / row["o200k"] - 1) for row in ROWS)
    assert off[len(off) // 2] < 0.1


def test_each_message_media_part_and_tool_costs_something() -> None:
    plain = features("hello").input_tokens
    assert features(messages=[("user", "hello"), ("assistant", "")]).input_tokens == plain + 4
    assert features(messages=[("user", [{"text": "hello"}, {"image": "https://example.invalid/a.png"}])]).input_tokens == plain + 1_000
    assert features("hello", tools=[{"name": "look_up", "description": "d" * 400, "parameters": b"{}"}]).input_tokens > plain + 100


def test_a_system_prompt_costs_the_same_as_the_same_text_from_the_user() -> None:
    text = "Keep to the facts. " * 30
    assert features(messages=[("system", text)]).input_tokens == features(messages=[("user", text)]).input_tokens


@given(st.text(max_size=400), st.text(max_size=400))
def test_more_text_never_counts_less(one: str, other: str) -> None:
    assert features(one + " " + other).input_tokens >= max(features(one).input_tokens, features(other).input_tokens)
