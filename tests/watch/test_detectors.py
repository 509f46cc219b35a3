"""Each detector by its law: silent on a stream that does not move, in time with a planted shift."""

from __future__ import annotations

import random

import numpy as np
import pytest
from bench.watch import LEARNT, OF_FACTS, PLANTED, WAIT, WEEK, Shift, World, alarms, budget_alarms, told_after
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.alerts import Watch, watches
from tierline.config.spec import AlertsSpec, WatchName
from tierline.types.outcome import Usage, Verdict
from tierline.types.record import Tried
from tierline.watch.burn import burning
from tierline.watch.detectors import DETECTORS
from tierline.watch.evidence import coin_mixture, mixed, normal_mixture, odds_bets
from tierline.watch.past import past_of
from tierline.watch.rate import rising
from tierline.watch.tally import Hour, Seen, add

WATCHES = {watch.name: watch for watch in watches(AlertsSpec(watch=list(DETECTORS)))}

WITHIN: dict[str, int] = {"cost of every request +20 %": 8 * 24, "cost +20 % under a budget with 5 % of room": 28 * 24}
"""Hours within which a shift is told, where that is not three days."""


@pytest.fixture(scope="module")
def still() -> list[World]:
    """Half a quarter of nothing, twice."""
    return [World(seed, LEARNT + 6 * WEEK) for seed in (71, 72)]


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_nothing_is_told_of_a_stream_that_does_not_move(name: WatchName, still: list[World]) -> None:
    """Half a false alarm in a quarter is accepted, so these two halves may bring one."""
    watch = WATCHES[name]
    if name == "budget_pace":
        count = sum(len(budget_alarms(world, LEARNT, world.length, watch)) for world in still)
    else:
        count = sum(len(alarms(one, LEARNT, world.length)) for world in still for one in DETECTORS[name](world.past, watch))
    assert count <= 1


@pytest.mark.parametrize(("title", "shift", "name", "subject"), PLANTED, ids=[planted[0] for planted in PLANTED])
def test_a_planted_shift_is_told_within_the_stated_delay(title: str, shift: Shift, name: WatchName, subject: str) -> None:
    paced, at = name == "budget_pace", LEARNT + 37
    world = World(3, at + (28 * 24 if paced else WAIT), shift, at, 1.05 if paced else 1.3, facts=name in OF_FACTS)
    after = told_after(world, WATCHES[name], subject, at)
    assert after is not None
    assert after <= WITHIN.get(title, 72)


def test_a_drop_is_dated_to_within_hours_of_its_beginning() -> None:
    at = LEARNT + 50
    world = World(5, at + 72, Shift(quality=0.1), at, facts=False)
    one = next(one for one in DETECTORS["quality_drop"](world.past, WATCHES["quality_drop"]) if one.name == "model/mini")
    found = one.look(at + 48, None, 0)
    assert found.state == "firing"
    assert abs(found.since - at) <= 12
    assert found.now < found.was - 0.05
    assert found.sure > 0.999
    assert "pass rate of the model mini fell" in one.say(found, at + 48).what


def test_what_began_before_the_last_recovery_is_not_told_again() -> None:
    at = LEARNT + 50
    world = World(5, at + 72, Shift(quality=0.1), at, facts=False)
    one = next(one for one in DETECTORS["quality_drop"](world.past, WATCHES["quality_drop"]) if one.name == "model/mini")
    assert one.look(at + 48, None, at + 40).state == ""


def test_harder_tasks_are_no_drop_of_a_model() -> None:
    """The model's pass rate falls from 95 to 85 %, because it is given the hard task only; within each task it is as good as ever."""
    dice, hours = np.random.default_rng(3), 8 * WEEK
    easy, hard = np.full(hours, 40.0), np.full(hours, 5.0)
    easy[-72:], hard[-72:] = 5.0, 40.0
    judged = np.array([easy, hard])
    rejected = dice.binomial(judged.astype(int), [[0.05], [0.15]]).astype(float)
    together = rising(judged.sum(axis=0)[None], rejected.sum(axis=0)[None], alpha=0.5, window=7 * 86400, least=0.01)
    apart = rising(judged, rejected, alpha=0.5, window=7 * 86400, least=0.01)
    assert together.score[-1] >= 1.0
    assert apart.score[-1] < 1.0


def test_a_target_is_held_from_the_first_hours_on() -> None:
    n = np.full((1, 30), 50.0)
    course = rising(n, n * 0.2, alpha=0.5, window=7 * 86400, least=0.0, target=0.1)
    assert course.score[0] < 1.0 <= course.score[-1]
    assert rising(n, n * 0.1, alpha=0.5, window=7 * 86400, least=0.0, target=0.1).score.max() < 1.0


def test_a_fast_burn_is_told_within_an_hour_and_what_is_over_is_not() -> None:
    n, late = np.full(200, 200.0), np.full(200, 2.0)
    late[150] = 180.0
    course = burning(n, late, alpha=0.5, window=3 * 86400, target=0.95)
    assert course.score[150] >= 1.0
    assert course.score[160] < 1.0
    assert course.score[:150].max() < 1.0


def test_the_order_of_rows_within_an_hour_does_not_matter() -> None:
    dice = random.Random(4)
    rows = [_seen(dice) for _ in range(200)]
    one, other = Hour(7), Hour(7)
    for row in rows:
        add(one, row, {"greeting": 1.0})
    for row in dice.sample(rows, len(rows)):
        add(other, row, {"greeting": 1.0})
    costs = [cell.cost for hour in (one, other) for _, cell in sorted(hour.cells.items())]
    assert costs == pytest.approx(costs[: len(costs) // 2] * 2)
    assert {key: cell.requests for key, cell in one.cells.items()} == {key: cell.requests for key, cell in other.cells.items()}
    assert (one.calls, one.mixes, one.prompts, one.served) == (other.calls, other.mixes, other.prompts, other.served)


def test_hours_may_come_in_any_order_and_with_gaps() -> None:
    hours = []
    for number in (400, 403, 401):
        hour = Hour(number)
        for _ in range(number - 399):
            add(hour, _seen(random.Random(number)), {})
        hours.append(hour)
    past = past_of(hours)
    assert past_of(hours[::-1]).cells.keys() == past.cells.keys()
    counts = sum(counts[0] for counts in past.cells.values())
    assert [counts[number - past.first] for number in (400, 401, 402, 403)] == [1, 2, 0, 4]
    assert past.first % 24 == 0


def test_of_no_hours_nothing_is_told() -> None:
    watch = Watch("quality_drop")
    assert not [one for name in DETECTORS for one in DETECTORS[name](past_of([]), watch)]


@given(st.lists(st.integers(0, 1), min_size=1, max_size=200), st.floats(0.02, 0.98))
def test_a_bet_on_the_odds_is_the_likelihood_ratio(said: list[int], q: float) -> None:
    """Against a coin q, the bet on θ is the likelihood of the coin with θ times the odds over that of q."""
    n, events = np.ones(len(said)), np.array(said, dtype=float)
    (bet,) = odds_bets(events, n, np.full(len(said), q), odds=(2.0,)).sum(axis=1)
    other = 2.0 * q / (1.0 + q)
    direct = events.sum() * np.log(other / q) + (len(said) - events.sum()) * np.log((1 - other) / (1 - q))
    assert bet == pytest.approx(direct, abs=1e-9)


def test_the_mixtures_reach_a_height_as_rarely_as_they_must() -> None:
    """Ville: under the null, capital ever reaches 20 in 5 % of all courses at most."""
    dice = np.random.default_rng(8)
    events = (dice.random((200, 2000)) < 0.1).astype(float)
    q = np.full(2000, 0.1)
    odds = [mixed(odds_bets(one, np.ones(2000), q).cumsum(axis=1)).max() >= np.log(20) for one in events]
    z = (events - 0.1).cumsum(axis=1) / 0.3
    normal = (normal_mixture(z, np.arange(1, 2001), 0.01).max(axis=1) >= np.log(20)).mean()
    coins = [
        max(coin_mixture(k, n, 0.1, 1.0, 9.0) for n, k in zip(range(50, 2001, 50), one.cumsum()[49::50], strict=True)) >= np.log(20)
        for one in events
    ]
    assert np.mean(odds) <= 0.08
    assert normal <= 0.08
    assert np.mean(coins) <= 0.08


def _seen(dice: random.Random) -> Seen:
    tried = Tried("mini", "first", True, 0.001, 0.5, 0.1, Usage(), verdicts=(Verdict("schema", dice.random() < 0.9),), served_model="m")
    return Seen(
        0.0, "auto", dice.choice(["greeting", ""]), "fast", dice.random(), dice.randrange(2), dice.randrange(2), 2 * dice.random(),
        "generation", dice.choice(["en", "de"]), dice.randrange(10_000), dice.random(), dice.random(), dice.choice(["a", "b"]), (tried,),
    )  # fmt: skip
