"""Attempts that run together: when each starts, who wins, and what the losers say. The seconds are those of a clock that leaps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.clock import run
from tierline.gateway.race import Claim, race
from tierline.types.decision import Attempt, Round
from tierline.types.outcome import Outcome, Verdict

GOOD = Outcome(ok=True)
WEAK = Outcome(ok=True, verdicts=(Verdict("t/schema", passed=False),))
DOWN = Outcome(ok=False, error="server")


class Plays(NamedTuple):
    """How one model behaves: what it answers after so many seconds, and when its stream reaches the client."""

    outcome: Outcome
    seconds: float = 1.0
    claims_at: float | None = None
    cost: float = 0.25


class Models:
    """Makes attempts as they are played; `started` says when each began."""

    def __init__(self, played: Mapping[str, Plays]) -> None:
        self._played = played
        self.started: dict[str, float] = {}
        self.cancelled: dict[str, float] = {}

    async def __call__(self, attempt: Attempt, claim: Claim | None = None) -> Outcome:
        loop, plays = asyncio.get_running_loop(), self._played[attempt.target]
        self.started[attempt.target] = loop.time()
        try:
            if plays.claims_at is not None and claim is not None:
                await asyncio.sleep(plays.claims_at)
                claim()
                await asyncio.sleep(plays.seconds - plays.claims_at)
            else:
                await asyncio.sleep(plays.seconds)
        except asyncio.CancelledError:
            self.cancelled[attempt.target] = loop.time()
            return Outcome(ok=False, error="cancelled", cost=plays.cost)
        return plays.outcome


def played(until: Literal["first", "all"], after: float = 0.0, **plays: Plays) -> tuple[list[Outcome], Models]:
    models = Models(plays)
    attempts = tuple(Attempt(number, name, "branch") for number, name in enumerate(plays, 1))
    return list(run(race(Round(attempts, until, after), models))), models


def test_all_run_at_once_and_every_outcome_comes_in_order() -> None:
    outcomes, models = played("all", a=Plays(GOOD, 3), b=Plays(DOWN, 1), c=Plays(WEAK, 2))
    assert outcomes == [GOOD, DOWN, WEAK]
    assert models.started == {"a": 0, "b": 0, "c": 0}


def test_the_first_accepted_wins_and_the_others_are_cancelled_with_what_they_cost() -> None:
    outcomes, models = played("first", a=Plays(GOOD, 3), b=Plays(WEAK, 1), c=Plays(GOOD, 2))
    assert [outcome.error for outcome in outcomes] == ["outraced", "", ""]
    assert outcomes[1:] == [WEAK, GOOD] and outcomes[0].cost == 0.25
    assert models.cancelled == {"a": 2}


def test_a_hedge_starts_only_when_the_first_is_slow() -> None:
    outcomes, models = played("first", 2.0, a=Plays(GOOD, 5), b=Plays(GOOD, 1))
    assert models.started == {"a": 0, "b": 2} and models.cancelled == {"a": 3}
    assert [outcome.error for outcome in outcomes] == ["outraced", ""]


def test_where_the_first_is_quick_the_hedge_never_starts_and_costs_nothing() -> None:
    outcomes, models = played("first", 2.0, a=Plays(GOOD, 1), b=Plays(GOOD, 1))
    assert models.started == {"a": 0}
    assert outcomes[0] == GOOD
    assert (outcomes[1].error, outcomes[1].cost, outcomes[1].elapsed) == ("outraced", 0.0, 0.0)


def test_where_the_first_fails_the_next_starts_at_once() -> None:
    outcomes, models = played("first", 9.0, a=Plays(DOWN, 1), b=Plays(DOWN, 1), c=Plays(GOOD, 1))
    assert models.started == {"a": 0, "b": 1, "c": 2}
    assert outcomes == [DOWN, DOWN, GOOD]


@pytest.mark.parametrize("outcome", [WEAK, Outcome(ok=False, error="bad_request")])
def test_where_it_answers_weakly_or_the_request_is_at_fault_those_that_have_not_begun_never_do(outcome: Outcome) -> None:
    outcomes, models = played("first", 2.0, a=Plays(outcome, 1), b=Plays(GOOD, 1))
    assert models.started == {"a": 0} and outcomes[0] == outcome


def test_a_weak_answer_waits_for_those_that_run() -> None:
    outcomes, _ = played("first", 1.0, a=Plays(WEAK, 2), b=Plays(GOOD, 3))
    assert outcomes == [WEAK, GOOD]


def test_the_first_with_something_for_the_client_is_the_only_one_left() -> None:
    outcomes, models = played("first", a=Plays(GOOD, 9, claims_at=2), b=Plays(GOOD, 5, claims_at=3))
    assert models.cancelled == {"b": 2}
    assert [outcome.error for outcome in outcomes] == ["", "outraced"]


def test_after_a_claim_a_cut_ends_the_race_and_nobody_else_begins() -> None:
    cut = Outcome(ok=False, error="cut")
    outcomes, models = played("first", 4.0, a=Plays(cut, 3, claims_at=1), b=Plays(GOOD, 1))
    assert outcomes[0] == cut and models.started == {"a": 0}


def test_a_race_that_is_cancelled_cancels_every_attempt_and_says_so() -> None:
    models = Models({"a": Plays(GOOD, 9), "b": Plays(GOOD, 9), "c": Plays(GOOD, 9)})
    attempts = (Attempt(1, "a"), Attempt(2, "b", "hedge"), Attempt(3, "c", "hedge"))

    async def leave() -> tuple[Outcome, ...]:
        racing = asyncio.create_task(race(Round(attempts, "first", 2.0), models))
        await asyncio.sleep(3)
        racing.cancel()
        return await racing

    outcomes = run(leave())
    assert [outcome.error for outcome in outcomes] == ["cancelled"] * 3
    assert [outcome.cost for outcome in outcomes] == [0.25, 0.25, 0.0]
    assert models.cancelled == {"a": 3, "b": 3}


_ENDS = some.sampled_from([GOOD, WEAK, DOWN, Outcome(ok=False, error="cut"), Outcome(ok=False, error="bad_request")])
_PLAYS = some.tuples(_ENDS, some.integers(1, 5)).map(lambda drawn: Plays(drawn[0], float(drawn[1])))


@given(some.lists(_PLAYS, min_size=2, max_size=5), some.sampled_from(["first", "all"]), some.sampled_from([0.0, 1.0, 2.5]))
def test_every_attempt_has_its_outcome_and_nothing_runs_on(plays: list[Plays], until: Literal["first", "all"], after: float) -> None:
    models = Models({str(number): one for number, one in enumerate(plays)})
    attempts = tuple(Attempt(number + 1, str(number)) for number in range(len(plays)))

    async def raced() -> tuple[Outcome, ...]:
        outcomes = await race(Round(attempts, until, after), models)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "no task is left behind"
        return outcomes

    outcomes = run(raced())
    assert len(outcomes) == len(plays)
    for number, (plays_, outcome) in enumerate(zip(plays, outcomes, strict=True)):
        if outcome.error == "outraced":
            assert outcome.cost == (0.25 if str(number) in models.started else 0.0)
            assert until == "first"
        else:
            assert outcome == plays_.outcome
    if until == "first" and any(outcome.accepted for outcome in outcomes):
        assert all(outcome.accepted or outcome.error for outcome in outcomes if outcome is not WEAK)
