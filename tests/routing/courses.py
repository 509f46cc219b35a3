"""Random plans and random fates for the laws of a course."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import get_args

import msgspec
from hypothesis import strategies as st

from tierline.routing.pursue import pursue
from tierline.routing.pursuit.tally import lasted
from tierline.testing.builders import failed, ok, outraced, rejected
from tierline.types.decision import Combine, Decision, Round, Step
from tierline.types.outcome import ErrorClass, Outcome, Result

NAMES = ("a", "b", "c", "d", "e")
COSTS = dict(zip(NAMES, (0.0, 0.001, 0.002, 0.005, 0.02), strict=True))
WINDOWS = dict(zip(NAMES, (0, 1_000, 1_000, 8_000, 200_000), strict=True))
SECONDS = st.floats(0, 40)
USD = st.floats(0, 0.01)

answers = st.builds(ok, elapsed=SECONDS, cost=USD, pick=st.none() | st.integers(-2, 4))
weak = st.builds(
    rejected,
    elapsed=SECONDS,
    cost=USD,
    validator=st.sampled_from(["t/schema", "t/confidence"]),
    passed=st.integers(0, 3),
    feedback=st.sampled_from(["", "say it in JSON"]),
)
failures = st.builds(
    failed,
    st.sampled_from([error for error in get_args(ErrorClass) if error]),
    elapsed=SECONDS,
    cost=USD,
    retry_after=st.none() | st.floats(0, 90),
    spare=st.integers(0, 2),
    ttft=st.none() | st.just(0.1),
)
fates = st.lists(answers | weak | failures | st.builds(outraced, elapsed=st.just(0.0) | SECONDS), min_size=1, max_size=10)
"""What comes of the first attempts; after the last it begins anew."""


@st.composite
def steps(draw: st.DrawFn) -> Step:
    targets = tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4)))
    return Step(
        "fast",
        targets,
        tuple([COSTS[name] for name in targets]),
        ("t/schema",),
        tuple([WINDOWS[name] for name in targets]) if draw(st.booleans()) else (),
        draw(st.integers(0, 2)),
        draw(st.booleans()),
    )


@st.composite
def plans(draw: st.DrawFn) -> Decision:
    combine = draw(st.none() | st.builds(Combine, st.sampled_from(["agreement", "majority", "judge", "first_valid"]), judge=st.just("e")))
    return Decision(
        "r-1",
        "auto",
        "policy",
        tuple(draw(st.lists(steps(), max_size=4))),
        draw=draw(st.floats(0, 1, exclude_max=True)),
        deadline=draw(st.floats(0.1, 120)),
        max_cost=draw(st.none() | st.floats(0, 0.05)),
        max_attempts=draw(st.integers(1, 32)),
        retries=draw(st.integers(0, 8)),
        backoff=draw(st.floats(0, 5)),
        hedge=draw(st.none() | st.floats(0, 5)),
        combine=None if combine is None else msgspec.structs.replace(combine, cost=COSTS["e"]),
        refusals=draw(st.sampled_from(["", "d"])),
        refusal_cost=COSTS["d"],
        stream=draw(st.sampled_from(["", "buffered", "optimistic"])),
        lenient=draw(st.sampled_from([(), ("t/confidence",)])),
    )


class Played(msgspec.Struct):
    """A course that was played to its end: each round with its outcomes, the seconds and USD that were gone when it began, and the end."""

    rounds: list[tuple[Round, tuple[Outcome, ...], float, float]]
    result: Result


def play(decision: Decision, fate: list[Outcome], spent: float = 0.0, cost: float = 0.0) -> Played:
    """The course of a decision under this fate."""
    course, queue, rounds = pursue(decision, spent, cost), itertools.cycle(fate), []
    try:
        asked = next(course)
        while True:
            outcomes = _of(asked, queue)
            rounds.append((asked, outcomes, spent, cost))
            spent += asked.attempts[0].wait + lasted(asked, outcomes)
            cost += sum(outcome.cost for outcome in outcomes)
            asked = course.send(outcomes)
    except StopIteration as end:
        return Played(rounds, end.value)


def _of(asked: Round, queue: Iterator[Outcome]) -> tuple[Outcome, ...]:
    return tuple([next(queue) for _ in asked.attempts])
