"""The shadows of one process: never more than may be, never for longer than it lives, and within the day's cap."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import run
from tierline.gateway.shadow.accounts import DAY, FRESH, Accounts
from tierline.gateway.shadow.pool import AFTER, AT_ONCE, MOST_BYTES, MOST_WAITING, OF_ONE, Job, Pool
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Note
from tierline.ledger.shadows import Shadowed
from tierline.types.errors import LogFailure


class Counting:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.skips: Counter[str] = Counter()
        self.rows: list[Shadowed] = []

    def shadowed(self, row: Shadowed) -> None:
        self.rows.append(row)

    def skipped(self, model: str, why: str) -> None:
        self.skips[f"{model} {why}"] += 1


class Clock:
    """Unix seconds that only move when they are told to."""

    def __init__(self, now: float = 20 * DAY) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def nowhere(_: object) -> Any:
    raise LogFailure("there is no disk")


def pool(watch: Counting) -> Pool:
    return Pool(Accounts(nowhere, nowhere), watch)


OWNER = object()


JOB = st.tuples(
    st.floats(0, 3), st.floats(0, 5), st.integers(0, MOST_BYTES // 4) | st.integers(0, MOST_BYTES * 2), st.sampled_from("abcdefgh")
)


@given(st.lists(JOB, max_size=150))
def test_so_many_run_so_many_wait_and_every_one_is_run_or_counted(jobs: list[tuple[float, float, int, str]]) -> None:
    async def story() -> None:
        watch, ran, at_once, of_one, holding = Counting(), list[int](), list[int](), Counter[str](), list[int]()
        made = pool(watch)

        async def work(number: int, seconds: float, model: str, size: int) -> None:
            at_once.append(made.running)
            holding.append(size)
            assert sum(holding) <= MOST_BYTES
            of_one[model] += 1
            assert of_one[model] <= OF_ONE
            await asyncio.sleep(seconds)
            of_one[model] -= 1
            holding.remove(size)
            ran.append(number)

        async def offer(number: int, after: float, seconds: float, size: int, model: str) -> None:
            await asyncio.sleep(after)
            made.offer(Job(model, size, OWNER, lambda: work(number, seconds, model, size)))
            assert made.waiting <= MOST_WAITING

        await asyncio.gather(*[offer(number, *job) for number, job in enumerate(jobs)])
        await asyncio.sleep(1000)
        assert max(at_once, default=0) <= AT_ONCE and (made.running, made.waiting) == (0, 0)
        assert len(ran) + watch.skips.total() == len(jobs)

    run(story())


def test_where_the_queue_is_full_the_oldest_is_left_out() -> None:
    async def story() -> list[int]:
        watch, ran = Counting(), list[int]()
        made = pool(watch)

        async def work(number: int) -> None:
            ran.append(number)
            await asyncio.sleep(1)

        for number in range(OF_ONE + MOST_WAITING + 3):
            made.offer(Job("m", 1, OWNER, lambda number=number: work(number)))  # type: ignore[misc]
        assert watch.skips == {"m queue": 3}
        await asyncio.sleep(1000)
        return ran

    assert sorted(run(story())) == [*range(OF_ONE), *range(OF_ONE + 3, OF_ONE + MOST_WAITING + 3)]


def test_a_model_that_hangs_does_not_keep_the_others_from_answering() -> None:
    async def story() -> list[str]:
        ran: list[str] = []
        made = pool(Counting())

        async def works() -> None:
            ran.append("answered")

        for _ in range(MOST_WAITING):
            made.offer(Job("hung", 1, OWNER, lambda: asyncio.sleep(1e9)))
        made.offer(Job("well", 1, OWNER, works))
        await asyncio.sleep(1)
        assert made.running == OF_ONE
        await made.close()
        return ran

    assert run(story()) == ["answered"]


def test_closing_ends_all_of_them_and_nothing_begins_after_it() -> None:
    async def story() -> Counting:
        watch = Counting()
        made = pool(watch)
        for _ in range(OF_ONE + 2):
            made.offer(Job("m", 1, OWNER, lambda: asyncio.sleep(1e9)))
        await asyncio.sleep(1)
        await made.close()
        made.offer(Job("m", 1, OWNER, lambda: asyncio.sleep(1e9)))
        assert (made.running, made.waiting) == (0, 0)
        return watch

    assert run(story()).skips == {"m stopped": OF_ONE + 3}


def test_a_job_that_breaks_is_counted_and_the_next_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> Counting:
        watch, ran = Counting(), list[str]()
        made = pool(watch)

        async def breaks() -> None:
            raise RuntimeError("the words of the prompt")

        async def works() -> None:
            ran.append("next")

        for work in (*[breaks] * OF_ONE, works):
            made.offer(Job("m", 1, OWNER, work))
        await asyncio.sleep(1)
        assert ran == ["next"]
        return watch

    assert run(story()).skips == {"m failed": OF_ONE}
    assert "RuntimeError" in caplog.text and "words" not in caplog.text


def test_what_waits_for_a_spec_that_is_gone_is_left_out_and_what_runs_goes_on() -> None:
    async def story() -> Counting:
        watch, other = Counting(), object()
        made = pool(watch)
        for owner in (*[OWNER] * (OF_ONE + 1), other):
            made.offer(Job("m", 1, owner, lambda: asyncio.sleep(5)))
        await asyncio.sleep(1)
        made.forget(OWNER)
        assert made.runs_for(OWNER) and not made.runs_for(other) and made.waiting == 1
        await asyncio.sleep(5)
        assert not made.runs_for(OWNER) and made.runs_for(other)
        await asyncio.sleep(5)
        return watch

    assert run(story()).skips == {"m reloaded": 1}


def test_nothing_begins_before_the_answer_has_left() -> None:
    async def story() -> list[float]:
        made, began = pool(Counting()), list[float]()
        loop = asyncio.get_running_loop()

        async def work() -> None:
            began.append(loop.time())

        made.offer(Job("m", 1, OWNER, work))
        await made.idle()
        return began

    assert run(story()) == [AFTER]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "tierline.db")) as opened:
        yield opened


def accounts(ledger: Ledger, clock: Clock) -> Accounts:
    async def ask(act: Callable[[Ledger], Any]) -> Any:
        return act(ledger)

    async def note(note: Note) -> None:
        note.enter(ledger)

    return Accounts(ask, note, clock)


def row(clock: Clock, cost: float = 1.0) -> Shadowed:
    return Shadowed("r", clock.now, "auto", "", "m", "n", 1.0, True, cost=cost)


def test_what_is_held_or_spent_is_no_longer_left(ledger: Ledger) -> None:
    async def story() -> None:
        clock = Clock()
        own = accounts(ledger, clock)
        await own.refresh()
        own.hold("auto", 2.0)
        assert own.left("auto", 5.0) == 3.0 and own.left("other", 5.0) == 5.0
        own.put(row(clock))
        assert own.left("auto", 5.0) == 2.0, "before it is written"
        await own.written()
        own.hold("auto", -2.0)
        assert own.left("auto", 5.0) == 4.0, "and after"

    run(story())


def test_a_restart_and_another_process_know_what_was_spent(ledger: Ledger) -> None:
    async def story() -> None:
        clock = Clock()
        own, other = accounts(ledger, clock), accounts(ledger, clock)
        await other.refresh()
        own.put(row(clock))
        await own.written()
        clock.now += FRESH
        await other.refresh()
        other.put(row(clock, 0.5))
        await other.written()
        again = accounts(ledger, clock)
        for each in (own, other, again):
            clock.now += FRESH
            await each.refresh()
            assert each.left("auto", 5.0) == 3.5

    run(story())


def test_a_new_day_begins_at_nothing(ledger: Ledger) -> None:
    async def story() -> None:
        clock = Clock(20 * DAY - 1)
        own = accounts(ledger, clock)
        own.put(row(clock))
        await own.written()
        own.put(row(clock))
        assert own.left("auto", 5.0) == 3.0
        clock.now = 20 * DAY
        assert own.left("auto", 5.0) == 5.0
        await own.written()
        await own.refresh()
        assert own.left("auto", 5.0) == 5.0

    run(story())


def test_where_the_disk_is_gone_the_cap_holds_by_what_is_known(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        clock = Clock()
        own = Accounts(nowhere, nowhere, clock)
        await own.refresh()
        own.put(row(clock))
        await own.written()
        assert own.left("auto", 5.0) == 4.0

    run(story())
    assert "there is no disk" in caplog.text
