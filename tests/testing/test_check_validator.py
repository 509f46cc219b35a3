"""The conformance check of validators finds what breaks its laws."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from typing import Any

import pytest

from tierline.testing.checks import check_validator
from tierline.testing.exchanges import exchange
from tierline.types.ask import Ask, Exchange, Told
from tierline.types.outcome import Finding


class Made:
    """A validator that finds what a function says."""

    name = "task/made"

    def __init__(self, check: Callable[[Exchange], Any], asks: bool = False) -> None:
        self.check = check
        self.asks = asks


def short(exchange: Exchange) -> Finding:
    return Finding(True) if len(exchange.text) < 5 else Finding(False, "too long")


def asks_for_ever(_: Exchange) -> Generator[Ask, Told, Finding]:
    while True:
        yield Ask("mini", "Again?")


def asks_nothing(_: Exchange) -> Generator[Ask, Told, Finding]:
    yield Ask("mini")
    return Finding(True)


def asks_once(_: Exchange) -> Generator[Ask, Told, Finding]:
    told = yield Ask("mini", "Good?")
    return Finding(told.text == "yes", "it said no")


COUNT = itertools.count()


def test_a_good_one_passes() -> None:
    check_validator(Made(short), [exchange("abc")], [exchange("abcdef")])
    check_validator(Made(asks_once, asks=True), [exchange("abc")], [], ["yes"])


@pytest.mark.parametrize(
    ("check", "law"),
    [
        (lambda e: Finding(True), "what is to be refused, is refused"),
        (lambda e: Finding(False, "no"), "what is to pass, passes"),
        (lambda e: Finding(len(e.text) < 5), "a refusal says why"),
        (lambda e: Finding(len(e.text) < 5, f"not good: {e.text}"), "a detail"),
        (lambda e: Finding(len(e.text) < 5, "too long", score=2.0), "a score is in"),
        (lambda e: Finding(len(e.text) < 5, "too long", replacement="x"), "only an answer that passes is replaced"),
        (lambda e: Finding(len(e.text) < 5, f"try {next(COUNT)}"), "the same exchange gives the same finding"),
        (asks_once, "a validator that asks says so"),
    ],
)
def test_one_that_breaks_a_law_is_found(check: Callable[[Exchange], Any], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_validator(Made(check), [exchange("abc")], [exchange("abcdef")])


@pytest.mark.parametrize(("check", "law"), [(asks_for_ever, "asks at most"), (asks_nothing, "a question has words")])
def test_one_that_asks_badly_is_found(check: Callable[[Exchange], Any], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_validator(Made(check, asks=True), [exchange("abc")], [])


def test_one_that_raises_is_found() -> None:
    with pytest.raises(IndexError):
        check_validator(Made(lambda e: Finding(e.text[0] != "b", "b")), [exchange("abc")], [exchange("b")])
