"""What rows say of an experiment: estimates, pairs, guards, winners, and adaptive shares."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.spec import ExperimentSpec
from tierline.config.structure import decode_unit
from tierline.evaluation.experiments.reading import Row, units_of
from tierline.evaluation.experiments.thompson import thompson
from tierline.evaluation.experiments.verdict import Verdict, verdict
from tierline.evaluation.labels.sayings import Said
from tierline.ledger.arms import ArmEntry


def spec(**fields: Any) -> ExperimentSpec:
    return msgspec.convert({"arms": {"a": 0.5, "b": 0.5}, **fields}, ExperimentSpec, dec_hook=decode_unit)


def drawn(count: int, rates: dict[str, float], seed: int = 1, **metrics: Any) -> dict[str, Row]:
    """So many requests, spread evenly over the arms; `metrics` gives cost and latency from the dice and the arm."""
    dice, names = np.random.default_rng(seed), sorted(rates)
    shares = dict.fromkeys(names, 1.0 / len(names))
    rows = {}
    for number in range(count):
        arm = names[int(dice.integers(len(names)))]
        cost = metrics["cost"](dice, arm) if "cost" in metrics else 0.001
        latency = metrics["latency"](dice, arm) if "latency" in metrics else 1.0
        rows[f"r{number}"] = Row(float(number), f"r{number}", arm, shares, False, cost, latency, float(dice.random() < rates[arm]))
    return rows


def judged(experiment: ExperimentSpec, rows: dict[str, Row], **more: Any) -> Verdict:
    return verdict("e", experiment, rows, more.pop("said", {}), **more)


def test_a_better_arm_wins_and_the_shares_are_a_persons_to_change() -> None:
    found = judged(spec(), drawn(3000, {"a": 0.95, "b": 0.8}))
    assert found.winner == "a"
    assert found.comparisons[0].better == "a"
    assert found.comparisons[0].difference.low > 0
    assert "a is better" in found.follows


def test_arms_that_are_alike_are_not_told_apart() -> None:
    found = judged(spec(), drawn(3000, {"a": 0.9, "b": 0.9}))
    assert (found.winner, found.equal, found.comparisons[0].better) == ("", False, "")
    assert found.follows == "Nothing is shown yet: let it run."


def test_with_a_margin_arms_that_are_alike_are_shown_to_be_so() -> None:
    found = judged(spec(margin=0.1), drawn(4000, {"a": 0.9, "b": 0.9}))
    assert found.equal
    assert "take the cheaper one" in found.follows


def test_of_three_the_winner_beats_both_others() -> None:
    arms = {"a": 0.3, "b": 0.3, "c": 0.4}
    found = judged(spec(arms=arms), drawn(6000, {"a": 0.7, "b": 0.9, "c": 0.72}))
    assert found.winner == "b"
    assert len(found.comparisons) == 3


def test_the_cheaper_arm_wins_by_cost() -> None:
    rows = drawn(2000, {"a": 0.9, "b": 0.9}, cost=lambda dice, arm: dice.lognormal(-6.0, 0.5) * (1.3 if arm == "a" else 1.0))
    assert judged(spec(metric="cost"), rows).winner == "b"


@pytest.mark.parametrize(
    ("guard", "rates", "metrics"),
    [
        ({"metric": "pass_rate", "worse_by": 0.02}, {"a": 0.95, "b": 0.75}, {}),
        ({"metric": "cost", "worse_by": 0.1}, {"a": 0.9, "b": 0.9}, {"cost": lambda dice, arm: dice.gamma(4) * (1.6 if arm == "b" else 1)}),
        (
            {"metric": "latency", "worse_by": 0.1},
            {"a": 0.9, "b": 0.9},
            {"latency": lambda dice, arm: dice.gamma(4) * (1.6 if arm == "b" else 1)},
        ),
        (
            {"metric": "latency_p95", "worse_by": 0.1},
            {"a": 0.9, "b": 0.9},
            {"latency": lambda dice, arm: dice.gamma(4) + (9 * (dice.random() < 0.15) if arm == "b" else 0)},
        ),
    ],
)
def test_a_guard_falls_where_an_arm_is_worse_than_allowed(guard: dict[str, Any], rates: dict[str, float], metrics: dict[str, Any]) -> None:
    (found,) = judged(spec(baseline="a", guards=[guard]), drawn(2500, rates, **metrics)).guards
    assert (found.arm, found.shown) == ("b", True)
    assert found.excess.low > 0 or found.evidence >= found.needed


def test_a_guard_falls_where_nobody_answers() -> None:
    rows = {
        name: msgspec.structs.replace(row, failed=row.arm == "b" and int(name[1:]) % 5 == 0, score=None)
        for name, row in drawn(800, {"a": 0.9, "b": 0.9}).items()
    }
    (found,) = judged(spec(baseline="a", guards=[{"metric": "error_rate", "worse_by": 0.01}]), rows).guards
    assert found.shown


@given(st.integers(0, 10_000))
def test_a_guard_holds_where_the_arm_is_no_worse(seed: int) -> None:
    guards = [{"metric": "pass_rate", "worse_by": 0.05}, {"metric": "latency_p95", "worse_by": 0.5}, {"metric": "cost", "worse_by": 0.2}]
    found = judged(spec(baseline="a", guards=guards), drawn(300, {"a": 0.9, "b": 0.93}, seed))
    assert [one.metric for one in found.guards if one.shown] == []


def test_an_estimate_is_never_outside_of_what_a_rate_can_be() -> None:
    """Shares that moved make a weighted mean, which by itself may fall below zero."""
    moved = {"a": 0.9, "b": 0.1}
    rows = {
        name: msgspec.structs.replace(row, failed=int(name[1:]) == 3, shares=moved if int(name[1:]) > 100 else row.shares)
        for name, row in drawn(300, {"a": 0.9, "b": 0.9}).items()
    }
    assert all(0.0 <= arm.estimates["error_rate"].value <= 1.0 for arm in judged(spec(), rows).arms)


def test_an_arm_that_was_stopped_counts_no_more_for_the_winner() -> None:
    stopped = ArmEntry(1.0, "e", "c", "stopped", 0.0, "too dear", "ann", "d")
    arms = {"a": 0.3, "b": 0.3, "c": 0.4}
    found = judged(spec(arms=arms), drawn(5000, {"a": 0.7, "b": 0.85, "c": 0.85}), entries=[stopped])
    assert found.winner == "b"
    assert [(arm.state, arm.share, arm.why) for arm in found.arms if arm.name == "c"] == [("stopped", 0.0, "too dear")]


def test_a_session_is_one_unit_however_many_requests_it_has() -> None:
    shares = {"a": 0.5, "b": 0.5}
    rows = {f"r{n}": Row(float(n), "s\na", "a", shares, False, 1.0, 1.0, float(n < 5)) for n in range(10)}
    units = units_of(rows, {}, ("a", "b"), "pass_rate")
    assert (units.values.tolist(), units.count("a")) == ([0.5], 1)


def test_a_label_stands_above_what_a_check_said_and_counts_from_when_it_came() -> None:
    rows = drawn(2, {"a": 1.0})
    units = units_of(rows, {("r0", rows["r0"].model): Said(0.0, 99.0)}, ("a",), "pass_rate")
    assert units.values.tolist() == [1.0, 0.0]


def test_what_is_said_of_another_models_answer_does_not_count() -> None:
    rows = {name: msgspec.structs.replace(row, model="mini") for name, row in drawn(2, {"a": 1.0}).items()}
    of_shadows = {("r0", "sonnet"): Said(0.0, 99.0, given=False), ("r1", "mini"): Said(0.0, 99.0)}
    assert units_of(rows, of_shadows, ("a",), "pass_rate").values.tolist() == [1.0, 0.0]


def test_without_a_row_nothing_is_known_and_nothing_fails() -> None:
    found = judged(spec(guards=[{"metric": "latency_p95"}, {"metric": "cost"}], baseline="a"), {})
    assert not found.winner
    assert not found.comparisons[0].difference.known


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0.0, 1.0)), min_size=2, max_size=4), st.floats(0.01, 0.25), st.floats(0.2, 1.0))
def test_adaptive_shares_keep_the_floor_and_the_whole(counts: list[tuple[int, float]], floor: float, total: float) -> None:
    names = tuple("abcd"[: len(counts)])
    shares = dict.fromkeys(names, 1.0 / len(names))
    rows = {}
    for name, (count, rate) in zip(names, counts, strict=True):
        for n in range(count):
            rows[f"{name}{n}"] = Row(float(n), f"{name}{n}", name, shares, False, 1.0, 1.0, float(n < rate * count))
    units = units_of(rows, {}, names, "pass_rate")
    found = thompson(units, names, floor, total)
    assert sum(found.values()) == pytest.approx(total)
    assert min(found.values()) >= floor * total - 1e-9
    assert thompson(units, names, floor, total) == found


def test_adaptive_shares_favour_what_passes_more_often() -> None:
    units = units_of(drawn(400, {"a": 0.9, "b": 0.6}), {}, ("a", "b"), "pass_rate")
    assert thompson(units, ("a", "b"), 0.1, 1.0)["a"] == pytest.approx(0.9, abs=0.01)
