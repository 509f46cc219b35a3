"""The way in to a model and out again: what is called, what is not, and that nothing stays taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest

from gateway.clock import run
from tierline.gateway.admission import Admission
from tierline.providers.canned import CannedReply
from tierline.state.live_model import Permit
from tierline.state.world import World
from tierline.testing.builders import loaded
from tierline.types.access import Endpoint
from tierline.types.decision import Decision, Reason, Why
from tierline.types.features import Features
from tierline.types.outcome import Outcome, Usage

OK = Outcome(ok=True, elapsed=1.0)
REFUSED = Outcome(ok=False, error="auth", status=401)
BREAKER = {"load": {"breaker": {"min_requests": 1}}}


def rated(rate: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a spec that gives the model a rate."""
    return {"models": {"a": {"provider": "acme", "tier": "fast", "rate": rate}}}


def world(about: Mapping[str, Any] | None = None, secrets: tuple[str, ...] = (), **spec: Any) -> World:
    made = loaded(spec, {"a": about or {}})
    made = msgspec.structs.replace(made, providers={"acme": Endpoint("acme", secrets=secrets)})
    return World(made, asyncio.get_running_loop().time)


def request(live: World, *reasons: Why) -> Admission:
    return Admission(live, Features("r"), Decision("r", "auto", "p", (), reasons=tuple(Reason(why) for why in reasons)))


def gives(outcome: Outcome, after: float = 0.0) -> Callable[[Permit], Awaitable[Outcome]]:
    async def make(_permit: Permit) -> Outcome:
        await asyncio.sleep(after)
        return outcome

    return make


def test_an_outcome_says_which_door_it_came_by_and_how_many_are_left_to_try() -> None:
    async def story() -> list[tuple[str, int]]:
        live = world(secrets=("one", "two", "three"))
        asking = request(live)
        outcomes = [await asking.through("a", 9.0, gives(outcome)) for outcome in (REFUSED, REFUSED, OK)]
        return [(outcome.endpoint, outcome.spare) for outcome in outcomes]

    (first, spare), (second, _), (third, _) = told = run(story())
    assert spare == 2 and told[1][1] == 1
    assert {first, second, third} == {"acme#1", "acme#2", "acme#3"}


def test_a_model_that_rests_is_not_called_unless_the_decision_knew_that_nobody_else_is_there() -> None:
    async def story() -> list[Outcome]:
        live = world(**BREAKER)
        await request(live).through("a", 9.0, gives(REFUSED))
        return [await request(live, *why).through("a", 9.0, gives(OK)) for why in ((), (Why.LEAST_BAD,), (Why.LIMITS_LIFTED,))]

    resting, *called = run(story())
    assert (resting.error, resting.retry_after, resting.ok) == ("overloaded", 15.0, False)
    assert all(outcome.ok for outcome in called)


def test_a_call_waits_for_its_place_within_its_time_and_no_longer() -> None:
    async def story() -> tuple[Outcome, Outcome, float]:
        live = world({"max_concurrency": 1})
        long = asyncio.create_task(request(live).through("a", 9.0, gives(OK, after=5.0)))
        await asyncio.sleep(0)
        hasty = await request(live).through("a", 2.0, gives(OK))
        calm = await request(live).through("a", 9.0, gives(OK))
        await long
        return hasty, calm, asyncio.get_running_loop().time()

    hasty, calm, ended = run(story())
    assert (hasty.error, hasty.elapsed) == ("overloaded", 2.0)
    assert calm.ok and ended == 5.0


@pytest.mark.parametrize("how", ["raises", "is cancelled", "is cancelled while it waits"])
def test_however_a_call_ends_its_place_is_free_again_and_the_model_is_not_blamed(how: str) -> None:
    async def story() -> tuple[int, float]:
        live = world({"max_concurrency": 1}, **BREAKER)

        async def breaks(_permit: Permit) -> Outcome:
            await asyncio.sleep(0)
            raise RuntimeError("a bug")

        holder = asyncio.create_task(request(live).through("a", 9.0, gives(OK, after=1.0))) if how.endswith("waits") else None
        await asyncio.sleep(0)
        call = asyncio.create_task(request(live).through("a", 9.0, breaks if how == "raises" else gives(OK, after=3.0)))
        await asyncio.sleep(0)
        if how != "raises":
            call.cancel()
        with pytest.raises((RuntimeError, asyncio.CancelledError)):
            await call
        if holder is not None:
            await holder
        return live.seen()["a"].in_flight, live.rest("a")

    assert run(story()) == (0, 0.0)


@pytest.mark.parametrize(("left", "rest"), [("0", 7.0), ("1", 0.0), (None, 0.0)])
def test_a_door_with_nothing_left_rests_before_it_has_to_refuse_a_call(left: str | None, rest: float) -> None:
    async def story() -> float:
        live = world()
        headers = {} if left is None else {"x-ratelimit-remaining-requests": left, "x-ratelimit-reset-requests": "7s"}
        asking = request(live)

        async def make(permit: Permit) -> Outcome:
            asking.heed(permit, CannedReply([b"{}"], sleep=asyncio.sleep, headers=headers))
            return OK

        await asking.through("a", 9.0, make)
        return live.rest("a")

    assert run(story()) == rest


# A model with a rate.


def test_a_model_with_a_rate_is_called_so_often_and_then_says_when_again() -> None:
    async def story() -> list[Outcome]:
        live = world(**rated({"requests": 2, "per": "day"}))
        asking = request(live)
        outcomes = [await asking.through("a", 9.0, gives(OK)) for _ in range(3)]
        assert live.in_flight["a"] == 0
        assert live.view().limited["a"] > 0
        return outcomes

    *called, refused = run(story())
    assert all(outcome.ok for outcome in called)
    assert (refused.error, refused.status) == ("rate_limited", 0)
    assert refused.retry_after is not None and 0 < refused.retry_after <= 2 * 86400


def test_tokens_are_reserved_by_estimate_and_settled_by_use_whatever_comes_of_the_call() -> None:
    async def story() -> list[str]:
        live = world(**rated({"tokens": 100, "per": "day"}))

        def asks(tokens: int) -> Admission:
            return Admission(live, Features("r", input_tokens=tokens), Decision("r", "auto", "p", ()))

        used = Outcome(ok=True, usage=Usage(30, 10))
        told = [await asks(90).through("a", 9.0, gives(used)), await asks(90).through("a", 9.0, gives(used))]
        told += [await asks(60).through("a", 9.0, gives(Outcome(ok=False, error="server"))), await asks(60).through("a", 9.0, gives(used))]
        with pytest.raises(RuntimeError):
            await asks(20).through("a", 9.0, breaks)
        told.append(await asks(20).through("a", 9.0, gives(used)))
        return [outcome.error or "ok" for outcome in told]

    assert run(story()) == ["ok", "rate_limited", "server", "ok", "ok"]


def test_a_request_that_is_estimated_above_the_whole_rate_goes_when_nothing_else_has_gone() -> None:
    async def story() -> list[bool]:
        live = world(**rated({"tokens": 100, "per": "day"}))
        large = Admission(live, Features("r", input_tokens=5000), Decision("r", "auto", "p", ()))
        return [(await large.through("a", 9.0, gives(Outcome(ok=True, usage=Usage(5000, 1))))).ok for _ in range(2)]

    assert run(story()) == [True, False]


def test_the_same_rate_goes_on_counting_under_a_new_spec_and_another_begins_anew() -> None:
    async def story() -> list[bool]:
        live = world(**rated({"requests": 1, "per": "day"}))
        asking, told = request(live), []
        for rate in (1, 1, 2):
            live.adopt(loaded(rated({"requests": rate, "per": "day"}), {"a": {}}))
            told.append((await asking.through("a", 9.0, gives(OK))).ok)
        return told

    assert run(story()) == [True, False, True]


async def breaks(_permit: Permit) -> Outcome:
    raise RuntimeError("a bug")
