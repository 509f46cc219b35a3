"""The letters that a pattern cannot match without."""

from __future__ import annotations

import pytest
import re2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tierline.routing.extract.literals import required

_ATOMS = st.sampled_from(
    ["speak", "Manager", "a", "b ", r"\d", r"\w", r"\.", ".", "[abc]", "[^]x]", "[[:alpha:]]", r"\bto\b", "^", "$", "é", r"\x41", r"\pL"]
)
_REPEATS = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,3}", "+?", "*?"])


def _joined(parts: list[tuple[str, str]]) -> str:
    return "".join(f"(?:{atom}){repeat}" if repeat and len(atom) > 1 else atom + repeat for atom, repeat in parts)


_SEQUENCES = st.lists(st.tuples(_ATOMS, _REPEATS), max_size=5).map(_joined)
_PATTERNS = st.recursive(
    _SEQUENCES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, _REPEATS).map(lambda pair: f"({pair[0]}){pair[1]}"),
        inner.map(lambda pattern: f"(?i){pattern}"),
    ),
    max_leaves=6,
)
_TEXTS = st.lists(st.sampled_from(["speak", "MANAGER", "manager", "a", "b ", "to", "7", ".", " ", "x", "A"]), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("(?i)speak to (a|your) (manager|human)", "speak to "),
        ("(?i)am I (entitled|allowed)", "am i "),
        (r"invoice\s+no\.?\s*\d{4}", "invoice"),
        ("colou?red", "colo"),
        ("refund|return", ""),
        ("(refund|return)", ""),
        (r"\Qa.b\E longer", ""),
        ("a{2,3}bcd", "bcd"),
        ("", ""),
        ("ab", ""),
    ],
)
def test_it_is_the_longest_run_outside_of_groups(pattern: str, letters: str) -> None:
    assert required(pattern) == letters


@settings(max_examples=400, deadline=None)
@given(_PATTERNS, _TEXTS)
@example("(?i)speak to", "SPEAK TO")
def test_a_text_that_matches_holds_the_letters(pattern: str, text: str) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        assume(False)
    assert compiled.search(text) is None or required(pattern) in text.lower()


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab(){}[]|\\?*+^$:-,Q0", max_size=20))
def test_whatever_is_written_it_comes_to_an_end(pattern: str) -> None:
    assert isinstance(required(pattern), str)
