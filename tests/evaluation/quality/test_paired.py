"""Two answers to the same request: which tier was needed, and what the other choice would have spared."""

from __future__ import annotations

import pytest

from tierline.evaluation.quality.paired import Pair, beside_of, confused, regret_of

LEVEL = {"mini": 0, "swift": 0, "mid": 1, "big": 2}
TOO_LOW = Pair("mini", "mid", False, True, 0.001, 0.004)
ENOUGH = Pair("mini", "mid", True, True, 0.001, 0.004)
TOO_HIGH = Pair("big", "mid", True, True, 0.01, 0.004)
NEEDED = Pair("big", "mid", True, False, 0.01, 0.004)


def test_models_above_tell_of_tiers_too_low_and_models_below_of_tiers_too_high() -> None:
    found = confused([TOO_LOW, ENOUGH, ENOUGH, ENOUGH, TOO_HIGH, NEEDED], LEVEL)
    assert found is not None and found.under is not None and found.over is not None
    assert (found.requests, found.under.value, found.under.judged, found.over.value, found.over.judged) == (6, 0.25, 4, 0.5, 2)


def test_what_was_not_tried_is_not_known() -> None:
    above = confused([TOO_LOW, ENOUGH], LEVEL)
    assert above is not None and above.over is None
    assert confused([Pair("mini", "swift", True, False, 0.001, 0.001)], LEVEL) is None
    assert confused([], LEVEL) is None and regret_of([]) is None


def test_regret_is_split_by_its_cause() -> None:
    found = regret_of([TOO_LOW, ENOUGH, TOO_HIGH, NEEDED])
    assert found is not None
    assert (found.under_routed.share, found.under_routed.quality) == (0.25, 0.25)
    assert (found.over_routed.share, found.over_routed.quality) == (0.25, 0.0)
    assert found.over_routed.cost == pytest.approx(0.006 / 4) and found.too_slow is None


def test_every_request_stands_in_one_count_of_its_two_models() -> None:
    first, second = beside_of([TOO_LOW, ENOUGH, ENOUGH, TOO_HIGH, NEEDED], LEVEL)
    assert (first.given, first.only_beside, first.both, first.up) == ("mini", 1, 2, True)
    assert (second.given, second.only_given, second.both, second.up) == ("big", 1, 1, False)
