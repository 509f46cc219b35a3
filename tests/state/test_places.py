"""Places and the queue before them, on a loop whose seconds cost nothing."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.clock import run
from tierline.state.places import Places

CALL = some.tuples(
    some.floats(0, 10).map(lambda second: round(second, 2)),  # when it comes
    some.floats(0, 5).map(lambda second: round(second, 2)),  # how long it holds its place
    some.floats(0, 6).map(lambda second: round(second, 2)),  # how long it would wait
    some.booleans(),  # background
    some.one_of(some.none(), some.floats(0, 8).map(lambda second: round(second, 2))),  # when it is cancelled, after it came
)


async def call(places: Places, seen: list[int], came: float, holds: float, waits: float, background: bool) -> bool:
    await asyncio.sleep(came)
    if not places.take() and not await places.wait(waits, background=background):
        return False
    seen.append(places.taken)
    try:
        await asyncio.sleep(holds)
    finally:
        places.give_back()
    return True


@settings(max_examples=150, deadline=None)
@given(some.lists(CALL, max_size=25), some.integers(1, 3), some.integers(0, 5))
def test_every_place_taken_is_given_back_whoever_is_cancelled(
    calls: list[tuple[float, float, float, bool, float | None]], limit: int, most_waiting: int
) -> None:
    async def story() -> Places:
        places, seen = Places(limit, most_waiting), list[int]()
        loop = asyncio.get_running_loop()
        tasks = []
        for came, holds, waits, background, cancelled in calls:
            tasks.append(asyncio.create_task(call(places, seen, came, holds, waits, background)))
            if cancelled is not None:
                loop.call_later(came + cancelled, tasks[-1].cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(count <= limit for count in seen)
        return places

    places = run(story())
    assert (places.taken, places.waiting) == (0, 0)


async def waiting(places: Places, name: str, came: list[str], *, background: bool = False, seconds: float = 100.0) -> None:
    if await places.wait(seconds, background=background):
        came.append(name)


def test_interactive_calls_go_first_and_each_kind_in_the_order_it_came() -> None:
    async def story() -> list[str]:
        places, came = Places(1, 10), list[str]()
        assert places.take()
        names = {"b1": True, "i1": False, "b2": True, "i2": False}
        tasks = [asyncio.create_task(waiting(places, name, came, background=behind)) for name, behind in names.items()]
        for _ in range(len(names) + 1):
            await asyncio.sleep(1)
            places.give_back()
        await asyncio.gather(*tasks)
        return came

    assert run(story()) == ["i1", "i2", "b1", "b2"]


def test_a_full_queue_refuses_at_once_but_an_interactive_call_takes_a_background_one_s_turn() -> None:
    async def story() -> tuple[list[str], float]:
        places, came = Places(1, 1), list[str]()
        assert places.take()
        behind = asyncio.create_task(waiting(places, "background", came, background=True))
        await asyncio.sleep(0)
        front = asyncio.create_task(waiting(places, "interactive", came))
        await asyncio.gather(behind, waiting(places, "another", came))
        now = asyncio.get_running_loop().time()
        places.give_back()
        await front
        return came, now

    assert run(story()) == (["interactive"], 0.0)


def test_a_waiter_whose_time_is_up_goes_and_the_next_is_not_held_up() -> None:
    async def story() -> tuple[list[str], int]:
        places, came = Places(1, 10), list[str]()
        assert places.take()
        tasks = [asyncio.create_task(waiting(places, name, came, seconds=late)) for name, late in (("hasty", 1.0), ("calm", 9.0))]
        await asyncio.sleep(2)
        places.give_back()
        await asyncio.gather(*tasks)
        return came, places.taken

    assert run(story()) == (["calm"], 1)


def test_a_place_handed_to_a_waiter_in_the_moment_it_is_cancelled_goes_to_the_next() -> None:
    async def story() -> list[str]:
        places, came = Places(1, 10), list[str]()
        assert places.take()
        first = asyncio.create_task(waiting(places, "first", came))
        second = asyncio.create_task(waiting(places, "second", came))
        await asyncio.sleep(0)
        places.give_back()
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        return came

    assert run(story()) == ["second"]


def test_a_higher_limit_lets_waiters_in_and_a_lower_one_only_keeps_new_ones_out() -> None:
    async def story() -> tuple[list[str], bool]:
        places, came = Places(1, 10), list[str]()
        assert places.take()
        task = asyncio.create_task(waiting(places, "next", came))
        await asyncio.sleep(0)
        places.change(2, 10)
        await task
        places.change(1, 10)
        places.give_back()
        return came, places.take()

    assert run(story()) == (["next"], False)


GUEST = some.tuples(some.sampled_from(["take", "give back", "visit", "depart"]), some.integers(0, 30))


@given(some.lists(GUEST, max_size=60), some.one_of(some.none(), some.integers(1, 4)))
def test_a_guest_never_takes_a_place_that_a_call_could_have(steps: list[tuple[str, int]], limit: int | None) -> None:
    places, guests, left = Places(limit, 5), dict[int, object](), set[int]()

    def comes(number: int) -> None:
        def leave() -> None:
            left.add(number)

        if number not in guests and places.visit(leave):
            guests[number] = leave

    for step, number in steps:
        if step == "take":
            free = limit is None or places.taken < limit
            assert places.take() is free, "whoever visits, a call finds every place that calls have left"
        elif step == "give back" and places.taken:
            places.give_back()
        elif step == "visit":
            comes(number)
        elif step == "depart" and number in guests:
            places.depart(guests[number])  # type: ignore[arg-type]
            left.add(number)
        staying = guests.keys() - left
        assert limit is None or places.taken + len(staying) <= max(limit, places.taken)


def test_the_guest_that_came_last_leaves_first_when_a_call_wants_a_place() -> None:
    places, left = Places(2, 5), list[str]()
    assert places.visit(lambda: left.append("first")) and places.visit(lambda: left.append("last"))
    assert not places.visit(lambda: left.append("nobody"))
    assert places.take() and left == ["last"]
    assert places.take() and left == ["last", "first"]
    assert not places.take()


def test_a_guest_does_not_go_before_those_who_wait() -> None:
    async def story() -> bool:
        places = Places(1, 5)
        assert places.take()
        waits = asyncio.create_task(places.wait(10))
        await asyncio.sleep(0)
        places.limit = 2
        visited = places.visit(lambda: None)
        places.change(2, 5)
        assert await waits
        return visited

    assert not run(story())
