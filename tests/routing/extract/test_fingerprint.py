"""A template keeps its fingerprint while its parts change; another template has another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.extract.asking import features

TEMPLATE = (
    "You help the customers of a shop. Today is {day}. The session is {session}, the customer {email}. "
    "See {url} for the rules. Never promise a date."
)


def fingerprint(prompt: str) -> str:
    return features(messages=[("system", prompt), ("user", "hello")]).prompt_fingerprint


def filled(
    day: str = "Tuesday, November 24, 2026", session: str = "6f1c2a90-1b7e-4b57-9a53-0c2d6ad0a001", email: str = "ann@example.com"
) -> str:
    return TEMPLATE.format(day=day, session=session, email=email, url="https://shop.example.com/rules")


@pytest.mark.parametrize(
    "other",
    [
        filled(day="Friday, May 1, 2027"),
        filled(day="2026-11-24"),
        filled(day="24 Nov 2026 10:33 PM UTC"),
        filled(session="c0ffee00c0ffee00c0ffee00c0ffee00"),
        filled(email="bob.smith@mail.example.org"),
        filled().replace(" ", "  ").replace("rules.", "rules.\n"),
    ],
)
def test_dates_numbers_ids_addresses_and_white_space_do_not_change_it(other: str) -> None:
    assert fingerprint(other) == fingerprint(filled())


def test_other_words_change_it() -> None:
    assert fingerprint(filled().replace("Never", "Always")) != fingerprint(filled())


def test_digits_in_text_without_spaces_are_taken_out_alone() -> None:
    assert fingerprint("今天是2026年11月24日,你是客服。") == fingerprint("今天是2027年1月5日,你是客服。")
    assert fingerprint("今天是2026年11月24日,你是客服。") != fingerprint("今天是2026年11月24日,你是医生。")


def test_it_is_twelve_hex_digits_and_empty_without_a_system_prompt() -> None:
    assert fingerprint("Answer in one word.") == "06b9a2797738"
    assert features("hello").prompt_fingerprint == ""
    assert fingerprint("  \n") == ""


@given(st.text(max_size=200))
def test_any_prompt_has_one(prompt: str) -> None:
    seen = fingerprint(prompt)
    assert seen == "" if not prompt.strip() else len(seen) == 12 and set(seen) <= set("0123456789abcdef")
