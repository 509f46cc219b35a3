"""Taking turns: what one request has just done, the others at hand do before it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tierline.gateway.waiting import Waiting
from tierline.state.turns import Turns
from tierline.types.stages import Stages, finish


def steps_of(*names: str, before: Callable[[Turns], None] = lambda _: None) -> list[str]:
    """What requests of those names do, in the order in which it is done: each comes, and takes two steps."""
    turns, done = Turns(), list[str]()
    before(turns)

    async def request(name: str) -> None:
        turns.come()
        try:
            await turns.gather()
            done.append(f"{name} reads")
            await turns.go_on()
            done.append(f"{name} decides")
        finally:
            turns.leave()

    async def story() -> None:
        await asyncio.gather(*[request(name) for name in names])

    asyncio.run(story())
    return done


def stages(name: str, done: list[str]) -> Stages[str]:
    """Work in three stages; that of nobody ends after none, and that of `bad` fails in the second."""
    if not name:
        return "nothing"
    done.append(f"{name} reads")
    yield
    if name == "bad":
        raise ValueError(name)
    done.append(f"{name} scores")
    yield
    done.append(f"{name} decides")
    return f"of {name}"


def worked(*names: str, gather: bool = False, cancelled: str = "nobody") -> tuple[list[str], list[object]]:
    """What requests of those names do together, in order, and what each gets; one of them may be cancelled before its turn comes."""
    turns, done = Turns(), list[str]()

    async def request(name: str) -> str:
        result = await turns.together(stages(name, done), gather=gather)
        if name == cancelled:
            done.append(f"{name} goes on")
            await asyncio.Event().wait()
        return result

    async def story() -> list[object]:
        tasks = []
        for name in names:
            turns.come()
            tasks.append(asyncio.create_task(request(name)))
        await asyncio.sleep(0)
        for name, task in zip(names, tasks, strict=True):
            if name == cancelled:
                task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return done, asyncio.run(story())


def waits(step: Coroutine[Any, Any, object]) -> bool:
    """Whether a step lets others go first."""
    try:
        step.send(None)
    except StopIteration:
        return False
    step.close()
    return True


def test_those_that_arrive_in_one_moment_take_each_step_together() -> None:
    assert steps_of("a", "b", "c") == ["a reads", "b reads", "c reads", "a decides", "b decides", "c decides"]


def test_one_that_is_alone_waits_for_nobody() -> None:
    turns = Turns()
    turns.come()
    assert not waits(turns.go_on())


def test_those_that_are_with_a_model_are_not_waited_for() -> None:
    turns = Turns()
    turns.come()
    turns.come()
    assert waits(turns.go_on())
    turns.away()
    assert not waits(turns.go_on())
    turns.back()
    assert waits(turns.go_on())


def test_several_calls_of_one_request_at_a_time_are_one_absence() -> None:
    turns = Turns()
    turns.come()
    waiting = Waiting(turns=turns)
    waiting.begin(1.0)
    waiting.begin(2.0)
    assert turns.at_hand == 0
    waiting.end(3.0)
    assert turns.at_hand == 0
    waiting.end(4.0)
    assert turns.at_hand == 1 and waiting.seconds == 3.0


def test_work_goes_stage_by_stage_beside_that_of_the_others() -> None:
    assert worked("a", "b", "c")[0] == [
        "a reads",
        "b reads",
        "c reads",
        "a scores",
        "b scores",
        "c scores",
        "a decides",
        "b decides",
        "c decides",
    ]


def test_each_request_gets_what_its_own_work_came_to() -> None:
    assert worked("a", "b")[1] == ["of a", "of b"]


def test_work_that_ends_sooner_keeps_nobody_waiting() -> None:
    done, results = worked("a", "", "c")
    assert results == ["of a", "nothing", "of c"] and done[-1] == "c decides"


def test_what_fails_fails_its_own_request_alone() -> None:
    assert [repr(result) for result in worked("a", "bad", "c")[1]] == ["'of a'", "ValueError('bad')", "'of c'"]


def test_work_of_one_that_is_alone_is_done_at_once() -> None:
    done = list[str]()
    turns = Turns()
    turns.come()
    step = turns.together(stages("a", done))
    assert not waits(step) and len(done) == 3


def test_all_work_at_once_comes_to_the_same_as_stage_by_stage() -> None:
    done = list[str]()
    assert finish(stages("a", done)) == worked("a", "b")[1][0]
    assert done == [step for step in worked("a", "b")[0] if step.startswith("a")]


@pytest.mark.parametrize("sure", [False, True])
def test_work_of_a_cancelled_request_is_done_only_where_it_would_be_lost(sure: bool) -> None:
    done, results = worked("a", "b", "c", gather=sure, cancelled="a")
    assert ("a reads" in done) is sure
    assert [step for step in done if step[0] != "a"] == worked("b", "c")[0]
    assert isinstance(results[0], asyncio.CancelledError) and results[1:] == ["of b", "of c"]


def test_work_that_was_done_for_a_request_cancelled_meanwhile_is_not_done_again() -> None:
    done, results = worked("a", "b", cancelled="b")
    assert done == [*worked("a", "b")[0], "b goes on"], "it is cancelled where it waits next"
    assert isinstance(results[1], asyncio.CancelledError)


def test_a_request_with_nothing_to_lose_may_be_cancelled_at_its_turn() -> None:
    async def story() -> None:
        task = asyncio.create_task(Turns().gather())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_a_request_with_something_to_lose_is_cancelled_where_it_waits_next() -> None:
    done = list[str]()

    async def request(turns: Turns) -> None:
        await turns.go_on(gather=True)
        done.append("the row is written")
        await asyncio.Event().wait()
        done.append("never")

    async def story() -> None:
        task = asyncio.create_task(request(Turns()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert done == ["the row is written"]
