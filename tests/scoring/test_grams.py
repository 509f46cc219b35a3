"""Features of text: what makes a difference, and what does not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tierline.scoring.learned.form import FORM, OLDEST, form
from tierline.scoring.learned.grams import BUCKETS, WORDS, grams

texts = st.text(max_size=300)
plain = st.text(st.sampled_from("abcdefg xyz"), max_size=60)


def buckets(text: str) -> set[int]:
    return set(grams(text)[0].tolist())


@given(texts)
def test_any_text_has_rising_buckets_and_counts_of_one_at_least(text: str) -> None:
    found, counts = grams(text)
    assert len(found) == len(counts)
    assert bool((np.diff(found) > 0).all())
    assert found.size == 0 or 0 <= found.min() <= found.max() < BUCKETS
    assert bool((counts >= 1.0).all())


@given(texts)
def test_any_text_has_finite_facts_of_form(text: str) -> None:
    facts = form(text)
    assert facts.shape == (FORM,)
    assert bool((np.isfinite(facts) & (facts >= 0)).all())
    assert bool((facts[:OLDEST] <= 1.5).all())


@given(plain, plain)
def test_a_text_holds_all_that_its_parts_hold(first: str, second: str) -> None:
    assert buckets(first) | buckets(second) <= buckets(f"{first} {second}")


def test_capitals_and_digits_make_no_difference() -> None:
    assert buckets("Order 4711") == buckets("order 9823")


def test_the_order_of_words_makes_a_difference_in_pairs_only() -> None:
    one, other = buckets("alpha beta"), buckets("beta alpha")
    assert one != other
    assert {b for b in one if b >= WORDS} == {b for b in other if b >= WORDS}


def test_what_is_said_twice_counts_more_but_not_double() -> None:
    counts = grams("word word")[1]
    assert counts.max() == np.float32(1.0 + np.log(2.0))


def test_of_a_very_long_text_the_head_and_the_tail_are_read() -> None:
    long = "beginning " + "middle " * 2_000 + "end"
    assert buckets("beginning") | buckets("end") <= buckets(long)
    assert len(grams("x" * 1_000_000)[0]) < 20
