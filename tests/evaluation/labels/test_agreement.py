"""Kappa and its interval, by hand and against a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.labels.agreement import Counts
from tierline.evaluation.wilson import wilson

cells = st.integers(0, 60)


def test_cohens_own_arithmetic() -> None:
    told = Counts(20, 5, 10, 15).agreement()
    assert told.share == pytest.approx(0.7)
    assert told.kappa == pytest.approx(0.4)
    assert told.low is not None and told.high is not None
    assert told.low < 0.4 < told.high


def test_full_agreement_on_few_answers_is_no_certainty() -> None:
    few, many = Counts(3, 0, 0, 3).agreement(), Counts(300, 0, 0, 300).agreement()
    assert few.kappa == many.kappa == 1.0
    assert few.low is not None and few.low < 0.4
    assert many.low is not None and many.low > 0.95


def test_voices_that_only_ever_say_yes_have_no_kappa() -> None:
    told = Counts(50, 0, 0, 0).agreement()
    assert told.kappa is None
    assert told.share == 1.0


@given(cells, cells, cells, cells)
def test_kappa_does_not_mind_who_is_named_first_or_what_is_called_yes(a: int, b: int, c: int, d: int) -> None:
    told, turned, swapped = Counts(a, b, c, d).agreement(), Counts(a, c, b, d).agreement(), Counts(d, c, b, a).agreement()
    assert told.kappa == pytest.approx(turned.kappa) == pytest.approx(swapped.kappa)
    if told.kappa is not None and told.low is not None and told.high is not None:
        assert -1.0 <= told.low <= told.kappa + 1e-9
        assert told.kappa - 1e-9 <= told.high <= 1.0


def test_the_interval_holds_the_true_kappa_about_as_often_as_it_says() -> None:
    dice, held = np.random.default_rng(3), 0
    truth = np.array([0.45, 0.1, 0.1, 0.35])
    chance = 0.55 * 0.55 + 0.45 * 0.45
    kappa = (0.8 - chance) / (1 - chance)
    for drawn in dice.multinomial(120, truth, size=500):
        told = Counts(*map(int, drawn)).agreement()
        assert told.low is not None and told.high is not None
        held += told.low <= kappa <= told.high
    assert held / 500 >= 0.92


@given(st.integers(1, 500), st.floats(0, 1))
def test_the_interval_of_a_share_holds_the_share(many: int, share: float) -> None:
    low, high = wilson(share * many, many)
    assert 0.0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1.0
