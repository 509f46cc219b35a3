"""The comparisons a policy is held against."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tierline.demo.figures import Single, best, cheapest, random_mix, share_for, zero_router

MINI, MIDDLE, GRAND = Single("mini", 1.0, 0.5), Single("middle", 2.0, 0.8), Single("grand", 5.0, 0.9)
FLEETS = st.lists(st.builds(Single, st.just("m"), st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=6)


def test_half_of_the_extra_cost_buys_half_of_the_extra_quality():
    assert share_for(MINI, GRAND, 3.0) == approx(0.5)
    assert random_mix(MINI, GRAND, 3.0) == approx(0.7)


def test_the_zero_router_mixes_the_models_on_the_hull():
    assert zero_router([MINI, MIDDLE, GRAND], 1.5) == approx(0.65)
    assert zero_router([MINI, MIDDLE, GRAND], 3.5) == approx(0.85)


@given(FLEETS, st.floats(0, 12))
def test_no_coin_beats_the_zero_router(fleet, cost):
    low, high = cheapest(fleet), best(fleet)
    if low.cost <= cost <= high.cost:
        assert zero_router(fleet, cost) >= random_mix(low, high, cost) - 1e-9
    assert zero_router(fleet, cost) <= best(fleet).quality


@given(FLEETS, st.floats(0, 12), st.floats(0, 12))
def test_more_money_never_lowers_the_zero_router(fleet, a, b):
    assert zero_router(fleet, min(a, b)) <= zero_router(fleet, max(a, b)) + 1e-9
