"""The world: what the router is shown, what calls teach it, and what outlives a reload."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.clock import run
from tierline.config.loaded import Loaded
from tierline.state.live_model import COUNTED, PROBED, Permit
from tierline.state.world import REFRESH, World
from tierline.testing.builders import loaded
from tierline.types.access import Endpoint
from tierline.types.decision import Attempt
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.outcome import ErrorClass, Outcome, Result, Usage

KEYS = ("sk-one", "sk-two", "sk-three")
GOOD = Outcome(ok=True, elapsed=1.0)
ASKED = Features("r", input_tokens=100)
STICKY = {"routes": {"auto": {"session": {"sticky": True, "ttl": "1h"}}}}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def spec(models: Mapping[str, Mapping[str, Any]], *, secrets: tuple[str, ...] = (), timeout: float = 60.0, **more: Any) -> Loaded:
    made = loaded(more, models)
    endpoints = {name: Endpoint(name, base_url="http://up/v1", secrets=secrets, timeout=timeout) for name in made.providers}
    return msgspec.structs.replace(made, providers=endpoints)


def world(models: Mapping[str, Mapping[str, Any]], **more: Any) -> tuple[World, Clock]:
    clock = Clock()
    return World(spec(models, **more), clock), clock


def entered(live: World, model: str, tried: tuple[str, ...] = ()) -> Permit:
    permit = live.enter(model, tried)
    assert permit is not None
    return permit


def calls(live: World, model: str, outcome: Outcome, times: int = 1) -> None:
    for _ in range(times):
        live.leave(entered(live, model), outcome)


def failed(error: ErrorClass = "server", **more: Any) -> Outcome:
    return Outcome(ok=False, error=error, elapsed=1.0, **more)


def answered(name: str, tokens: int = 0, *, estimated: bool = False) -> Result:
    return Result(((Attempt(1, name), Outcome(True, usage=Usage(tokens, estimated=estimated))),), 0)


# views


def test_a_view_is_kept_for_a_moment_and_then_renewed() -> None:
    live, clock = world({"a": {}})
    first = live.view()
    live.enter("a")
    assert live.view() is first and first.load == {}
    clock.now += REFRESH
    assert live.view().load == {"a": 1}


def test_latency_comes_from_answers_only_to_the_end_and_to_the_first_content() -> None:
    live, clock = world({"a": {}})
    calls(live, "a", Outcome(ok=False, error="server", elapsed=9.0))
    for elapsed in (1.0, 2.0, 3.0):
        calls(live, "a", Outcome(ok=True, elapsed=elapsed, ttft=elapsed / 10))
    clock.now += REFRESH
    view = live.view()
    assert view.latency["a"].p50 == pytest.approx(2.0, rel=0.03) and view.latency["a"].count == 3
    assert view.ttft["a"].p50 == pytest.approx(0.2, rel=0.03)


def test_the_token_scale_follows_the_bill_but_not_an_estimate() -> None:
    live, clock = world({"a": {}})
    live.settle(ASKED, answered("a", tokens=500, estimated=True))
    clock.now += REFRESH
    assert live.view().token_scale == {}
    for _ in range(200):
        live.settle(ASKED, answered("a", tokens=150))
    live.settle(ASKED, answered("a", tokens=10**9))
    clock.now += REFRESH
    assert 1.4 < live.view().token_scale["a"] < 1.8


def test_a_pin_shows_at_once() -> None:
    live, _ = world({"a": {}})
    assert live.view().pins == {}
    live.pin({"auto": "a"})
    assert live.view().pins == {"auto": "a"}


# health


def test_a_model_whose_doors_all_rest_is_shown_at_once_and_comes_back_by_probes() -> None:
    live, clock = world({"a": {}}, load={"breaker": {"min_requests": 2, "rest": "15s", "probes": 1}})
    assert live.view().resting == {}
    calls(live, "a", failed(), times=2)
    assert live.view().resting == {"a": 15.0} and live.rest("a") == 15.0
    clock.now += 15
    assert live.view().resting == {}
    probe = entered(live, "a")
    assert live.view().resting == {"a": PROBED}
    live.leave(probe, GOOD)
    assert live.view().resting == {}


@pytest.mark.parametrize(
    "error", ["bad_request", "context_exceeded", "content_filter", "cancelled", "outraced", "not_found", "untranslatable", "deadline"]
)
def test_what_is_not_the_model_s_fault_never_counts_against_it(error: ErrorClass) -> None:
    live, _ = world({"a": {}}, load={"breaker": {"min_requests": 1}})
    calls(live, "a", failed(error), times=50)
    assert live.rest("a") == 0 and error not in COUNTED


@pytest.mark.parametrize("error", sorted(COUNTED - {"timeout"}))
def test_what_is_its_own_fault_does(error: ErrorClass) -> None:
    live, _ = world({"a": {}}, load={"breaker": {"min_requests": 1}})
    calls(live, "a", failed(error))
    assert live.rest("a") > 0


def test_a_refused_key_rests_its_door_at_the_first_call() -> None:
    live, _ = world({"a": {}}, load={"breaker": {"min_requests": 100}})
    calls(live, "a", failed("auth"))
    assert live.rest("a") > 0


@pytest.mark.parametrize(("given", "counts"), [(0.2, False), (11.0, True)])
def test_a_time_out_counts_only_where_the_model_had_its_fair_time(given: float, counts: bool) -> None:
    live, clock = world({"a": {}}, load={"breaker": {"min_requests": 1}})
    permit = entered(live, "a")
    clock.now += given
    live.leave(permit, failed("timeout"))
    assert (live.rest("a") > 0) == counts


def test_of_a_model_whose_pace_is_known_twice_that_is_fair() -> None:
    live, clock = world({"a": {}}, load={"breaker": {"min_requests": 1, "failures": 0.01}})
    calls(live, "a", Outcome(ok=True, elapsed=1.0), times=20)
    for had, counts in ((1.5, False), (2.5, True)):
        permit = entered(live, "a")
        clock.now += had
        live.leave(permit, failed("timeout"))
        assert (live.rest("a") > 0) == counts


@pytest.mark.parametrize(("took", "ttft", "counts"), [(3.0, None, True), (1.0, None, False), (9.0, 0.5, False), (9.0, 3.0, True)])
def test_a_slow_answer_counts_as_failed_a_stream_by_its_first_content(took: float, ttft: float | None, counts: bool) -> None:
    live, clock = world({"a": {}}, load={"breaker": {"min_requests": 1, "slow": "2s"}})
    permit = entered(live, "a")
    clock.now += took
    live.leave(permit, Outcome(ok=True, elapsed=took, ttft=ttft))
    assert (live.rest("a") > 0) == counts


def test_the_provider_s_wish_rests_the_model_for_as_long() -> None:
    live, clock = world({"a": {}})
    calls(live, "a", failed("rate_limited", retry_after=7.0))
    assert live.view().resting == {"a": 7.0}
    clock.now += 7
    assert live.view().resting == {}


# doors


def test_calls_go_by_the_least_loaded_door_and_take_turns_among_equals() -> None:
    live, _ = world({"a": {}}, secrets=KEYS)
    used = [entered(live, "a") for _ in range(6)]
    assert sorted(permit.name for permit in used) == ["acme#1", "acme#1", "acme#2", "acme#2", "acme#3", "acme#3"]
    for permit in used:
        if permit.name == "acme#2":
            live.leave(permit, GOOD)
    assert [entered(live, "a").name for _ in range(2)] == ["acme#2", "acme#2"]


def test_a_resting_door_is_passed_by_and_the_model_rests_only_with_all_of_them() -> None:
    live, _ = world({"a": {}}, secrets=KEYS[:2])
    first = entered(live, "a")
    live.leave(first, failed("auth"))
    assert live.rest("a") == 0
    second = entered(live, "a")
    assert second.name != first.name and live.spare(second, (first.name,)) == 1
    live.leave(second, failed("auth"))
    assert live.rest("a") == 15.0 and live.spare(second, ()) == 0


def test_a_request_is_not_sent_by_a_door_it_has_tried_while_another_is_left() -> None:
    live, _ = world({"a": {}}, secrets=KEYS)
    tried: tuple[str, ...] = ()
    for _ in KEYS:
        permit = entered(live, "a", tried)
        live.leave(permit, failed())
        assert permit.name not in tried
        tried = (*tried, permit.name)
    assert live.spare(permit, tried) == 0


@given(some.lists(some.tuples(some.booleans(), some.sampled_from(["good", "auth", "server", "rate_limited"])), max_size=60))
def test_whatever_fails_a_door_is_found_and_nothing_stays_in_flight(moves: list[tuple[bool, str]]) -> None:
    live, clock = world({"a": {}}, secrets=KEYS, load={"breaker": {"min_requests": 2}})
    for passes, how in moves:
        permit = entered(live, "a")
        resting = {door.door for door in live.seen()["a"].doors if door.rest}
        assert permit.name not in resting or len(resting) == len(KEYS)
        live.leave(permit, GOOD if how == "good" else failed(how, retry_after=3.0))  # type: ignore[arg-type]  # a class
        clock.now += 20.0 * passes
    assert [door.in_flight for door in live.seen()["a"].doors] == [0, 0, 0]


def test_nothing_that_is_shown_holds_a_secret() -> None:
    live, _ = world({"a": {}}, secrets=KEYS)
    permit = entered(live, "a")
    shown = f"{live.seen()} {live.view()} {permit.door.door!r} {spec({'a': {}}, secrets=KEYS).providers}"
    assert not [secret for secret in KEYS if secret in shown]


# places


@given(some.lists(some.sampled_from(["enter", "leave"]), max_size=60), some.integers(1, 5))
def test_no_more_calls_are_let_in_than_a_model_takes(moves: list[str], limit: int) -> None:
    live, _ = world({"a": {"max_concurrency": limit}})
    inside: list[Permit] = []
    for move in moves:
        if move == "enter" and (permit := live.enter("a")) is not None:
            inside.append(permit)
        elif move == "leave" and inside:
            live.leave(inside.pop(), GOOD)
        assert live.seen()["a"].in_flight == len(inside) <= limit


def on_the_loop(loaded: Loaded) -> World:
    return World(loaded, asyncio.get_running_loop().time)


def test_a_call_waits_for_a_place_and_its_wait_is_part_of_the_latency_but_not_of_the_work() -> None:
    async def story() -> tuple[float, float]:
        live = on_the_loop(spec({"a": {"max_concurrency": 1}}))
        first, loop = entered(live, "a"), asyncio.get_running_loop()
        loop.call_later(3.0, live.leave, first, Outcome(ok=True, elapsed=3.0))
        assert live.enter("a") is None
        second = await live.wait("a", 10.0)
        assert second is not None
        return second.began, second.started

    assert run(story()) == (0.0, 3.0)


def test_a_wait_that_cannot_be_met_ends_at_once() -> None:
    async def story() -> tuple[Permit | None, float]:
        live, loop = on_the_loop(spec({"a": {"max_concurrency": 1}})), asyncio.get_running_loop()
        permit = entered(live, "a")
        await asyncio.sleep(4.0)
        live.leave(permit, Outcome(ok=True, elapsed=4.0))
        entered(live, "a")
        return await live.wait("a", 5.0), loop.time()

    assert run(story()) == (None, 4.0)


def test_a_waiter_is_sent_away_when_the_model_begins_to_rest() -> None:
    async def story() -> tuple[Permit | None, int]:
        live, loop = on_the_loop(spec({"a": {"max_concurrency": 1}})), asyncio.get_running_loop()
        loop.call_later(1.0, live.leave, entered(live, "a"), failed("auth"))
        return await live.wait("a", 10.0), live.seen()["a"].in_flight

    assert run(story()) == (None, 0)


# pressure


def test_slow_interactive_answers_put_pressure_on_a_model_and_background_ones_do_not() -> None:
    for background, pressure in ((False, 0.2), (True, None)):
        live, clock = world({"a": {}}, load={"target": {"p95": "2s"}})
        for _ in range(10):
            permit = live.enter("a", background=background)
            assert permit is not None
            clock.now += 3.0
            live.leave(permit, Outcome(ok=True, elapsed=3.0))
            clock.now -= 2.9
        assert live.view().pressure.get("a") == pressure


@pytest.mark.parametrize(
    ("budget", "task", "patient"), [(None, "", False), (None, "digest", True), (2.0, "digest", False), (600.0, "", True)]
)
def test_work_that_nobody_waits_for_is_known_by_its_latency_budget(budget: float | None, task: str, patient: bool) -> None:
    live, _ = world({"a": {}}, tasks={"digest": {"why": "x", "latency_budget": "10m"}})
    assert live.patient(Features("r", hints=Hints(latency_budget=budget)), task) == patient


# sessions


def test_a_sticky_route_remembers_the_model_that_answered_a_session_for_its_key_alone() -> None:
    live, clock = world({"a": {}}, **STICKY)
    asked = Features("r", session="s", key="team")
    assert live.view(asked).warm == ""
    live.settle(asked, answered("a"))
    assert live.view(asked).warm == "a"
    assert live.view(Features("r", session="s", key="other")).warm == ""
    assert live.view(Features("r", session="s", key="team", route="elsewhere")).warm == ""
    clock.now += 3600
    assert live.view(asked).warm == ""


# reload


def test_a_new_spec_keeps_what_is_shared_and_forgets_what_is_gone_or_is_another_model() -> None:
    live, _ = world({"a": {}, "b": {}, "c": {"upstream": "old"}}, **STICKY)
    going = entered(live, "b")
    staying = entered(live, "a")
    for name in "abc":
        calls(live, name, GOOD)
        live.settle(Features(name, input_tokens=100, session=name), answered(name, tokens=150))
    calls(live, "a", failed("auth"))
    live.adopt(spec({"a": {"max_concurrency": 9}, "c": {"upstream": "new"}, "d": {}}, **STICKY))
    live.leave(going, GOOD)
    view = live.view()
    assert set(view.latency) == {"a"} == set(view.token_scale) == set(view.resting) == set(view.load)
    live.leave(staying, GOOD)
    assert {name: seen.in_flight for name, seen in live.seen().items()} == {"a": 0, "c": 0, "d": 0}
    assert [live.view(Features("r", session=name)).warm for name in "abc"] == ["a", "", ""]


def test_a_changed_key_is_a_new_door_with_no_past() -> None:
    live, _ = world({"a": {}}, secrets=("sk-revoked", "sk-good"))
    calls(live, "a", failed("auth"), times=2)
    assert live.rest("a") > 0
    live.adopt(spec({"a": {}}, secrets=("sk-fresh", "sk-good")))
    assert live.rest("a") == 0
    assert [door.rest > 0 for door in live.seen()["a"].doors] == [False, True]


def test_a_call_to_a_model_that_a_reload_took_away_goes_through_without_a_trace() -> None:
    live, _ = world({"a": {}})
    live.adopt(spec({"b": {}}))
    calls(live, "a", failed("auth"))
    assert live.rest("a") == 0 and set(live.seen()) == {"b"}


# guests


def nothing() -> None:
    """Leaves without a word."""


def test_a_guest_leaves_no_trace_in_what_routing_sees() -> None:
    live, clock = world({"a": {"max_concurrency": 2}})
    calls(live, "a", GOOD)
    clock.now += REFRESH
    before = live.view()
    for _ in range(30):
        permit = live.visit("a", nothing)
        assert permit is not None
        clock.now += REFRESH
        assert live.view() == before and live.in_flight == {"a": 0}
        live.depart(permit, nothing)
    clock.now += REFRESH
    assert live.view() == before
    assert live.seen()["a"].doors[0].in_flight == 0


def test_a_guest_does_not_come_while_a_model_rests_is_being_probed_or_is_under_pressure() -> None:
    live, clock = world({"a": {}}, load={"breaker": {"min_requests": 2, "rest": "5s"}})
    calls(live, "a", failed(), 2)
    assert live.visit("a", nothing) is None, "it rests"
    clock.now += 5.0
    assert live.rest("a") == 0.0 and live.visit("a", nothing) is None, "a probe is a client's"
    calls(live, "a", GOOD, 2)
    assert live.visit("a", nothing) is not None

    pressed, clock = world({"a": {}}, load={"target": {"p95": "1s"}})
    for _ in range(10):
        permit = entered(pressed, "a")
        clock.now += 3.0
        pressed.leave(permit, Outcome(ok=True, elapsed=3.0))
        clock.now -= 2.9
    assert pressed.view().pressure and pressed.visit("a", nothing) is None


def test_nobody_visits_a_model_that_is_not_there() -> None:
    assert world({"a": {}})[0].visit("b", nothing) is None


# another spec beside


def test_a_model_of_two_specs_has_one_health_and_one_load() -> None:
    main, _ = world({"a": {}, "b": {}}, load={"breaker": {"min_requests": 2}})
    beside = main.beside(spec({"a": {}, "c": {}}, load={"breaker": {"min_requests": 2}}))
    calls(main, "a", failed(), 3)
    assert beside.rest("a") > 0 and not beside.rest("c")
    entered(beside, "c")
    assert dict(main.in_flight) == {"a": 0, "b": 0}
    entered(beside, "a", ("x",))
    assert main.in_flight["a"] == 1


def test_a_model_that_another_spec_reaches_by_another_key_is_another() -> None:
    main, _ = world({"a": {}}, secrets=("sk-one",), load={"breaker": {"min_requests": 2}})
    beside = main.beside(spec({"a": {}}, secrets=("sk-two",)))
    calls(main, "a", failed(), 3)
    assert main.rest("a") > 0 and not beside.rest("a")
