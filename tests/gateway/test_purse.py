"""Money around courses: whatever becomes of them, what was taken is settled or given back, and what was settled is what was paid."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import run
from gateway.scene import Asks, Client, Expects, Fails, Says, Scene
from state.money import MONDAY, Clock
from tierline.config.load import load
from tierline.decision_log.sqlite import SqliteLog
from tierline.gateway.answered import Answered
from tierline.gateway.asked import Asked
from tierline.gateway.assemble import assemble
from tierline.gateway.drive import drive
from tierline.gateway.gateway import Gateway
from tierline.gateway.purse import Paid
from tierline.interfaces import Shared, Validator
from tierline.routing.pursue import pursue
from tierline.state.budgets import Budgets
from tierline.state.local_shared import LocalShared, Table
from tierline.state.world import World
from tierline.testing import builders
from tierline.types.ask import Ask
from tierline.types.decision import Combine, Decision, Step
from tierline.types.errors import BudgetSpent
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.outcome import Result, Usage
from tierline.types.record import Record
from tierline.types.shared import Claim, Grant

USED = Usage(input=100, output=50)
FLEET: dict[str, dict[str, Any]] = {name: {"price": (1.0 + place, 2.0 + place)} for place, name in enumerate(["mini", "mid", "big"])}
COST = {name: (100 * about["price"][0] + 100 * about["price"][1]) / 1e6 for name, about in FLEET.items()}
PLAYS = st.lists(
    st.builds(Says, st.sampled_from(["yes", "no"]), seconds=st.sampled_from([0.0, 0.2, 3.0]), usage=st.just(USED))
    | st.builds(Fails, st.sampled_from([500, 429, 400])),
    min_size=1,
    max_size=3,
)
FEATURES = Features("r-1", input_tokens=100, output_tokens=100)


def money(limit: float, at_limit: str = "reject", **more: Any) -> Budgets:
    spec = {"budgets": {"all": {"limit": limit, "per": "day", "at_limit": at_limit}, **more}}
    return Budgets(builders.loaded(spec, FLEET), Clock())


def decision(*steps: tuple[str, ...], validators: tuple[str, ...] = (), **more: Any) -> Decision:
    made = tuple(Step("fast", names, tuple(COST[name] for name in names), validators) for names in steps)
    return Decision("r-1", "auto", "", made, **{"deadline": 60.0, "max_attempts": 6, "retries": 1, **more})


def course(
    scene: Scene, budgets: Budgets, plan: Decision, client: Client | None = None, cancel_after: float | None = None
) -> Result | None:
    """What comes of a funded course; None where it was refused or its client went away."""

    async def paid() -> Result | None:
        purse = budgets.purse(FEATURES)
        try:
            if not await purse.begin(plan):
                return None
            caller = scene.caller(plan, client, purse)
            task = asyncio.ensure_future(drive(pursue(plan), Paid(caller, purse, plan)))
            if cancel_after is not None:
                asyncio.get_running_loop().call_later(cancel_after, task.cancel)
            result = await task
            purse.square(result.cost)
            return result
        except asyncio.CancelledError:
            return None
        finally:
            purse.close()

    return run(paid())


def balanced(budgets: Budgets) -> float:
    """What was used of the budget `all`, after making sure that nothing hangs."""
    (counter,) = [counter for (name, _), counter in budgets._counters.items() if name == "all"]
    assert counter.open == 0 and counter.reserved == 0.0
    assert counter.reserved_ever == pytest.approx(counter.settled_ever + counter.released_ever)
    return counter.used


@given(
    st.fixed_dictionaries({"mini": PLAYS, "mid": PLAYS, "big": PLAYS}),
    st.sampled_from(["in turn", "hedge", "combine", "judge", "validators"]),
    st.sampled_from([None, None, 0.1, 1.0]),
    st.booleans(),
    st.sampled_from([1.0, 0.0012, 0.0006]),
)
def test_what_is_settled_is_what_a_course_has_cost_whatever_becomes_of_it(
    plays: dict[str, list[Says | Fails]], kind: str, cancel: float | None, streams: bool, limit: float
) -> None:
    validators: list[Validator] = [Expects("yes"), Asks(Ask("mini", "Is it?", max_tokens=20))] if kind == "validators" else []
    scene = Scene(plays, validators)
    more: dict[str, Any] = {
        "hedge": {"hedge": 0.1},
        "combine": {"combine": Combine("agreement")},
        "judge": {"combine": Combine("judge", judge="big")},
        "validators": {"validators": tuple(validator.name for validator in validators), "stream": "buffered"},
    }.get(kind, {})
    plan = decision(("mini", "mid"), ("big",), **more)
    budgets = money(limit)
    result = course(scene, budgets, plan, Client() if streams else None, cancel)
    used = balanced(budgets) if budgets._counters else 0.0
    if result is not None:
        assert used == pytest.approx(result.cost)
    assert used <= limit + 0.0011  # one answer's surprise at most: estimates are of 100 tokens, answers of fewer


def test_an_escalation_that_the_budget_cannot_pay_for_is_left_out_and_the_answer_goes_out_flagged() -> None:
    scene = Scene({"mini": [Says("no", usage=USED)], "big": [Says("yes", usage=USED)]}, [Expects("yes")])
    plan = decision(("mini",), ("big",), validators=("t/expects",), retries=0)
    budgets = money(COST["mini"] * 1.6)
    result = course(scene, budgets, plan)
    assert result is not None and result.flagged and result.model == "mini"
    assert [outcome.error for _, outcome in result.attempts] == ["", "budget"]
    assert scene.models.sent["big"] == []


def test_where_the_limit_means_the_cheapest_a_fallback_overdraws_and_an_escalation_does_not() -> None:
    failing = Scene({"mini": [Fails(500)], "mid": [Says("yes", usage=USED)]})
    budgets = money(COST["mini"] * 1.6, "cheapest")
    result = course(failing, budgets, decision(("mini", "mid"), retries=0))
    assert result is not None and result.model == "mid"
    weak = Scene({"mini": [Says("no", usage=USED)], "big": [Says("yes", usage=USED)]}, [Expects("yes")])
    other = course(weak, money(COST["mini"] * 1.6, "cheapest"), decision(("mini",), ("big",), validators=("t/expects",), retries=0))
    assert other is not None and other.model == "mini"


def test_a_models_budget_pays_for_the_calls_to_it_alone() -> None:
    scene = Scene({"mini": [Fails(500)], "mid": [Says("yes", usage=USED)]})
    budgets = money(1.0, mid={"limit": 1.0, "per": "day", "model": "mid"}, mini={"limit": 1.0, "per": "day", "model": "mini"})
    result = course(scene, budgets, decision(("mini", "mid"), retries=0))
    assert result is not None
    used = {seen.name: seen.used for seen in budgets.seen()}
    assert used["mid"] == pytest.approx(result.cost) and used["mini"] == 0.0


def test_what_a_judge_costs_is_paid_for_too() -> None:
    yes, no, pick = Says("yes", usage=USED), Says("no", usage=USED), Says('{"best": 1}', usage=USED)
    scene = Scene({"mini": [yes], "mid": [no], "big": [pick]})
    budgets = money(1.0)
    result = course(scene, budgets, decision(("mini", "mid"), combine=Combine("judge", judge="big")))
    assert result is not None and len(result.attempts) == 3
    assert result.attempts[2][1].cost > 0
    assert balanced(budgets) == pytest.approx(result.cost)


# a whole gateway, on a clock that leaps

SPEC = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 1, output: 4}}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}}
tasks:
  patient: {why: Nobody waits., models: [big], latency_budget: 2h}
  prompt: {why: Somebody waits., models: [big]}
budgets:
  night: {limit: 0.007, per: day, at_limit: queue, time_zone: Europe/Berlin}
routes: {auto: {deadline: 3h}}
"""
MIDNIGHT = MONDAY - 3600.0
"""Of Berlin."""


class Gateways:
    """A gateway whose clock is that of its loop; it begins so many seconds before Berlin's midnight."""

    def __init__(self, folder: Path, before: float, shared: Shared | None = None) -> None:
        spec = folder / "tierline.yaml"
        spec.write_text(SPEC)
        self.rows: list[Record] = []
        self.log = SqliteLog(folder / "tierline.db")
        self._loaded, self._begins, self._shared = load(spec, {}), MIDNIGHT - before, shared

    def made(self) -> Gateway:
        loop = asyncio.get_running_loop()
        world = World(self._loaded, loop.time, lambda: self._begins + loop.time(), self._shared)
        return assemble(self._loaded, world, self.log, self.rows.append)


async def ask(gateway: Gateway, task: str, wait: float | None = None) -> Answered:
    request = gateway.dialects["openai_chat"].parse(b'{"model":"auto","messages":[{"role":"user","content":"Name a river."}]}')
    return await gateway.answer(Asked(request, hints=Hints(task=task, latency_budget=wait)))


def test_a_request_that_can_wait_is_answered_when_the_period_turns(tmp_path: Path) -> None:
    gateways = Gateways(tmp_path, before=600.0)

    async def night() -> tuple[list[Answered], list[float]]:
        gateway, times = gateways.made(), []
        said = []
        for _ in range(3):
            said.append(await ask(gateway, "patient", 7200.0))
            times.append(asyncio.get_running_loop().time())
        return said, times

    said, times = run(night())
    assert [answered.status for answered in said] == [200, 200, 200]
    late = next(at for at, time in enumerate(times) if time > 0)
    assert times[late] == pytest.approx(600.0, abs=1.0)
    (queued,) = gateways.rows[late].asides
    assert (queued.purpose, queued.target, round(queued.elapsed)) == ("queue", "night", 600)
    gateways.log.close()


def test_who_cannot_wait_for_the_period_to_turn_is_told_at_once_when_it_does(tmp_path: Path) -> None:
    gateways = Gateways(tmp_path, before=600.0)

    async def night() -> list[Answered]:
        gateway = gateways.made()
        return [await ask(gateway, "prompt", 10.0) for _ in range(4)]

    last = run(night())[-1]
    assert isinstance(last.error, BudgetSpent) and last.status == 402
    assert last.error.retry_after == pytest.approx(600.0, abs=1.0)
    assert "begins at 2026-11-22T23:00:00Z" in last.error.message
    assert gateways.rows[-1].status == 402 and gateways.rows[-1].error == "budget_exhausted"
    gateways.log.close()


def test_a_client_that_leaves_the_queue_is_logged_and_costs_nothing(tmp_path: Path) -> None:
    gateways = Gateways(tmp_path, before=600.0)

    async def night() -> None:
        gateway = gateways.made()
        for _ in range(5):
            task = asyncio.ensure_future(ask(gateway, "patient", 7200.0))
            asyncio.get_running_loop().call_later(5.0, task.cancel)
            await asyncio.wait([task])

    run(night())
    last = gateways.rows[-1]
    assert (last.status, last.error, last.tried) == (499, "client_closed", ())
    assert last.asides[0].error == "cancelled" and round(last.asides[0].elapsed) == 5
    gateways.log.close()


class Elsewhere(LocalShared):
    """Nobody has used anything, and whatever is asked for has just been taken."""

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        return [Grant(0.0, 0.0, 0.0) for _ in claims]


def test_a_request_whose_money_others_take_again_and_again_is_refused_and_logged(tmp_path: Path) -> None:
    gateways = Gateways(tmp_path, before=600.0, shared=Elsewhere(Table()))
    said = run(asked_once(gateways))
    assert isinstance(said.error, BudgetSpent) and said.status == 402 and said.error.retry_after == 1.0
    (row,) = gateways.rows
    assert (row.status, row.error, row.tried, row.decision.steps != ()) == (402, "budget_exhausted", (), True)
    gateways.log.close()


async def asked_once(gateways: Gateways) -> Answered:
    return await ask(gateways.made(), "prompt", 10.0)
