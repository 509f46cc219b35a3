"""No answer can make its own check slow: texts on which an earlier form of a check, or its library, took seconds or minutes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tierline.testing.exchanges import exchange
from tierline.validators.normalise import normalised
from validators.making import ORDER, found

TEXTS = {
    "braces and quotes": '{"' * 4_000,
    "values after values": "{" + "}1{-" * 2_000,
    "quotes without commas": "{" + "1'" * 4_000,
    "brackets": "[" * 30_000,
    "white space": "x" + "\n " * 30_000,
    "and and and": "and " * 8_000,
    "fences": "```" * 10_000,
    "nested YAML": "```yaml\n" + "[" * 19_000,
    "marks": "[1]" * 10_000,
    "spaces before marks": "a." + " " * 30_000 + "[1",
    "one long word": "a" * 60_000,
    "a comment in TypeScript": "```ts\n" + "\\frac{&a {" * 1_500,
}
CHECKS: tuple[dict[str, Any], ...] = (
    {"schema": ORDER},
    {"json": "any"},
    {"fields": ["a.*.b"]},
    {"phrases": {"restricted": ["a b"]}},
    {"citations": 1, "support": 0.5},
    {"refusal": "any"},
    {"complete": "all"},
    {"language": "same"},
    {"code": "any"},
    {"max_words": 5},
)


@pytest.mark.parametrize("name", TEXTS)
def test_every_check_is_done_within_a_second_or_two(name: str) -> None:
    about = exchange(TEXTS[name], TEXTS[name])
    for check in CHECKS:
        found(check, exchange("x"))  # made beforehand: making one reads the spec
        started = time.process_time()
        found(check, about)
        assert time.process_time() - started < 2, check


@pytest.mark.parametrize("name", TEXTS)
def test_so_is_every_form_of_comparison(name: str) -> None:
    for how in ("auto", "number", "choice", "label", "json", "text"):
        started = time.process_time()
        normalised(TEXTS[name], how)
        assert time.process_time() - started < 2, how
