"""Taking turns: what one request has just done, the others at hand do before it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tierline.gateway.waiting import Waiting
from tierline.state.turns import Turns


def steps_of(*names: str, before: Callable[[Turns], None] = lambda _: None) -> list[str]:
    """What requests of those names do, in the order in which it is done: each comes, and takes two steps."""
    turns, done = Turns(), list[str]()
    before(turns)

    async def request(name: str) -> None:
        turns.come()
        try:
            await turns.gather()
            done.append(f"{name} reads")
            await turns.next()
            done.append(f"{name} decides")
        finally:
            turns.leave()

    async def story() -> None:
        await asyncio.gather(*[request(name) for name in names])

    asyncio.run(story())
    return done


def waits(step: Coroutine[Any, Any, None]) -> bool:
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
    assert not waits(turns.next()) and not waits(turns.go_on())


def test_those_that_are_with_a_model_are_not_waited_for() -> None:
    turns = Turns()
    turns.come()
    turns.come()
    assert waits(turns.next())
    turns.away()
    assert not waits(turns.next())
    turns.back()
    assert waits(turns.next())


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
