"""The world: what is in flight, how long answers take, and how far estimates are off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from tierline.state.latency import WINDOW, Recent
from tierline.state.world import REFRESH, World
from tierline.types.catalog import Model
from tierline.types.decision import Attempt
from tierline.types.features import Features
from tierline.types.outcome import Outcome, Result, Usage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def world(*models: Model) -> tuple[World, Clock]:
    clock = Clock()
    return World({model.name: model for model in models}, clock), clock


def model(name: str, limit: int | None = None) -> Model:
    return Model(name, "fast", "p", name, max_concurrency=limit)


def answered(name: str, elapsed: float, tokens: int = 0, *, ok: bool = True, estimated: bool = False) -> Result:
    return Result(((Attempt(1, name), Outcome(ok, elapsed=elapsed, usage=Usage(tokens, estimated=estimated))),), 0 if ok else None)


ASKED = Features("r", input_tokens=100)


def test_a_view_is_kept_for_a_moment_and_then_renewed() -> None:
    live, clock = world(model("a"))
    first = live.view()
    live.enter("a")
    assert live.view() is first and first.load == {}
    clock.now += REFRESH
    assert live.view().load == {"a": 1}


@given(some.lists(some.sampled_from(["enter", "leave"]), max_size=60), some.integers(1, 5))
def test_no_more_calls_are_let_in_than_a_model_takes(moves: list[str], limit: int) -> None:
    live, _ = world(model("a", limit))
    inside = 0
    for move in moves:
        if move == "enter":
            inside += live.enter("a")
        elif inside:
            live.leave("a")
            inside -= 1
        assert live.in_flight["a"] == inside <= limit


def test_latency_comes_from_answers_only() -> None:
    live, clock = world(model("a"))
    live.settle(ASKED, answered("a", 9.0, ok=False))
    for elapsed in (1.0, 2.0, 3.0):
        live.settle(ASKED, answered("a", elapsed))
    clock.now += REFRESH
    seen = live.view().latency["a"]
    assert (seen.p50, seen.count) == (2.0, 3)


@given(some.lists(some.floats(0, 1e6), min_size=1, max_size=3 * WINDOW))
def test_quantiles_are_among_the_last_samples_and_in_order(samples: list[float]) -> None:
    recent = Recent()
    for sample in samples:
        recent.add(sample)
    last, seen = samples[-WINDOW:], recent.quantiles()
    assert seen.p50 in last and seen.p95 in last
    assert min(last) <= seen.p50 <= seen.p95 <= max(last)
    assert seen.count == len(last)


def test_the_token_scale_follows_the_bill_but_not_an_estimate() -> None:
    live, clock = world(model("a"))
    live.settle(ASKED, answered("a", 1.0, tokens=500, estimated=True))
    clock.now += REFRESH
    assert live.view().token_scale == {}
    for _ in range(200):
        live.settle(ASKED, answered("a", 1.0, tokens=150))
    live.settle(ASKED, answered("a", 1.0, tokens=10**9))
    clock.now += REFRESH
    assert 1.4 < live.view().token_scale["a"] < 1.8


def test_a_new_spec_keeps_what_is_shared_and_forgets_what_is_gone() -> None:
    live, _ = world(model("a"), model("b"))
    live.enter("a")
    live.enter("b")
    live.settle(ASKED, answered("a", 1.0, tokens=150))
    live.adopt([model("a"), model("c")])
    live.leave("b")
    assert live.in_flight == {"a": 1, "c": 0}
    view = live.view()
    assert set(view.latency) == {"a"} == set(view.token_scale)


def test_a_pin_shows_at_once() -> None:
    live, _ = world(model("a"))
    assert live.view().pins == {}
    live.pin({"auto": "a"})
    assert live.view().pins == {"auto": "a"}
