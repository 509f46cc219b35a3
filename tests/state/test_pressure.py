"""The pressure controller: by hand, and in a closed loop with a model that is overloaded."""

from __future__ import annotations

import heapq
import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tierline.config.spec import TargetSpec
from tierline.config.units import Duration
from tierline.state.pressure import ENOUGH, EVERY, STEP, WINDOW, Pressure


def target(p95: float | None = 2.0, queue: int | None = None, hold: float = 5.0) -> TargetSpec:
    return TargetSpec(p95=None if p95 is None else Duration(p95), queue=queue, hold=Duration(hold))


def ends(pressure: Pressure, now: float, elapsed: float, times: int = ENOUGH) -> None:
    for _ in range(times):
        pressure.ended(now, elapsed)


def test_slow_answers_raise_it_a_step_at_a_time() -> None:
    pressure = Pressure(target(2.0))
    ends(pressure, 10.0, 3.0)
    assert pressure.look(10.0, 0, 0.0) == STEP
    ends(pressure, 14.0, 3.0)
    assert pressure.look(14.0, 0, 0.0) == 2 * STEP


def test_a_few_slow_answers_are_no_percentile() -> None:
    pressure = Pressure(target(2.0))
    ends(pressure, 10.0, 9.0, times=ENOUGH - 1)
    assert pressure.look(10.0, 0, 0.0) == 0.0


def test_calls_that_began_before_the_last_step_are_no_evidence_for_the_next() -> None:
    pressure = Pressure(target(2.0))
    ends(pressure, 10.0, 3.0)
    pressure.look(10.0, 0, 0.0)
    ends(pressure, 12.0, 3.0)
    assert pressure.look(12.0, 0, 0.0) == STEP


def test_a_queue_past_its_target_raises_it_while_it_does_not_get_shorter() -> None:
    pressure = Pressure(target(p95=None, queue=4))
    assert pressure.look(0.0, 5, 0.0) == STEP
    assert pressure.look(EVERY / 2, 9, 0.0) == STEP
    assert pressure.look(EVERY, 8, 0.0) == STEP
    assert pressure.look(2 * EVERY, 8, 0.0) == pytest.approx(2 * STEP)


def test_between_clear_and_target_nothing_moves() -> None:
    pressure = Pressure(target(2.0))
    ends(pressure, 10.0, 3.0)
    pressure.look(10.0, 0, 0.0)
    for second in range(11, 60):
        ends(pressure, float(second), 1.8)
        assert pressure.look(float(second), 0, 0.0) == STEP


def test_it_falls_a_step_for_each_hold_that_it_stayed_clear() -> None:
    pressure, seen = Pressure(target(2.0, hold=5.0)), []
    ends(pressure, 10.0, 3.0)
    pressure.look(10.0, 0, 0.0)
    ends(pressure, 14.0, 3.0)
    pressure.look(14.0, 0, 0.0)
    for second in range(15, 60):
        ends(pressure, float(second), 0.5)
        seen.append(pressure.look(float(second), 0, 0.0))
    assert seen[:5] == [2 * STEP] * 5 and seen[5:10] == [STEP] * 5 and set(seen[10:]) == {0.0}


def test_after_a_pause_without_any_call_it_is_gone() -> None:
    pressure = Pressure(target(2.0))
    for second in range(0, 40, 4):
        ends(pressure, float(second), 3.0)
        pressure.look(float(second), 0, 0.0)
    assert pressure.value == 1.0
    assert pressure.look(600.0, 0, 0.0) == 0.0


@given(some.lists(some.tuples(some.floats(0, 5), some.floats(0, 10), some.integers(0, 20)), max_size=80))
def test_it_stays_a_share_and_moves_by_single_steps_up(moves: list[tuple[float, float, int]]) -> None:
    pressure, now = Pressure(target(2.0, queue=5)), 0.0
    before, raised = 0.0, float("-inf")
    for passed, elapsed, queue in moves:
        now += passed
        ends(pressure, now, elapsed)
        value = pressure.look(now, queue, 0.0)
        assert 0.0 <= value <= 1.0
        if value > before:
            assert value - before == pytest.approx(STEP) and now - raised >= EVERY
            raised = now
        before = value


@given(some.lists(some.floats(2.1, 60), min_size=1, max_size=30))
def test_within_a_minute_of_relief_it_is_back_at_zero(slow: list[float]) -> None:
    pressure, now = Pressure(target(2.0)), 0.0
    for elapsed in slow:
        now += elapsed
        ends(pressure, now, elapsed)
        pressure.look(now, 3, elapsed)
    for tenth in range(1, 601):
        ends(pressure, now + tenth / 10, 0.1, times=1)
        pressure.look(now + tenth / 10, 0, 0.0)
    assert pressure.value == 0.0


class Fleet:
    """A slow model with four places and a queue, and a quick one below it with room for all. Interactive requests come at `rate`; the
    controller sees what the live world would show it. One second of service, so four requests a second are its most."""

    PLACES, SERVICE = 4, 1.0

    def __init__(self, p95: float) -> None:
        self.pressure = Pressure(target(p95))
        self.dice = random.Random(7)  # a simulation
        self.now = 0.0
        self.queue: deque[float] = deque()
        self.busy: list[tuple[float, float]] = []
        self.answered: list[tuple[float, float, str]] = []

    def runs(self, seconds: float, rate: float) -> None:
        until, arrives, looks = self.now + seconds, self.now, self.now
        while self.now < until:
            self.now = min(arrives, looks, self.busy[0][0] if self.busy else until, until)
            while self.busy and self.busy[0][0] <= self.now:
                _, began = heapq.heappop(self.busy)
                self.answered.append((self.now, self.now - began, "slow"))
                self.pressure.ended(self.now, self.now - began)
                if self.queue:
                    self.starts(self.queue.popleft())
            if self.now >= looks:
                looks += 0.1
                wait = self.SERVICE * (1 + (len(self.queue) + 1) / self.PLACES) if self.queue else 0.0
                self.pressure.look(self.now, len(self.queue), wait)
            if self.now >= arrives:
                arrives += self.dice.expovariate(rate)
                self.comes()

    def comes(self) -> None:
        if self.dice.random() < self.pressure.value:
            self.answered.append((self.now, 0.3, "quick"))
        elif len(self.busy) < self.PLACES:
            self.starts(self.now)
        else:
            self.queue.append(self.now)

    def starts(self, began: float) -> None:
        heapq.heappush(self.busy, (self.now + self.SERVICE * self.dice.uniform(0.8, 1.2), began))

    def p95(self, since: float) -> float:
        waits = sorted(wait for at, wait, _ in self.answered if at >= since)
        return waits[int(len(waits) * 0.95)]

    def share(self, model: str, since: float) -> float:
        names = [name for at, _, name in self.answered if at >= since]
        return names.count(model) / len(names)


def test_five_times_overloaded_it_shifts_until_the_target_holds_and_traffic_returns_after_relief() -> None:
    fleet = Fleet(p95=2.0)
    fleet.runs(60, rate=2)
    assert fleet.pressure.value == 0.0 and fleet.share("slow", 0) > 0.9
    fleet.runs(15, rate=20)  # five times what it can serve
    overloaded = fleet.now
    fleet.runs(120, rate=20)
    assert fleet.p95(overloaded) <= 2.0
    assert 0.05 < fleet.share("slow", overloaded) < 0.4
    fleet.runs(60, rate=2)
    relieved = fleet.now
    assert fleet.pressure.value == 0.0
    fleet.runs(60, rate=2)
    assert fleet.share("slow", relieved) > 0.95
    assert WINDOW < 60
