"""Records for the tests of the log: a typical one, and any one at all."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
from hypothesis import strategies as st

from tierline.types.decision import Decision, Drop, Dropped, Reason, Step, Why
from tierline.types.features import Complexity, Features
from tierline.types.hints import Hints
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Record, Tried
from tierline.types.scores import Scores
from tierline.types.view import Latency, View


def typical(request_id: str = "5f1d0c9be2a74413", *, at: float = 1_790_000_000.123456, **changes: Any) -> Record:
    """Three models dropped, five reasons, two attempts, scores, and what was read of the world for three models."""
    record = Record(
        at=at,
        features=Features(
            request_id,
            key="support-bot",
            team="support",
            dialect="openai_chat",
            hints=Hints(session="c7b1f0aa31", user_tier="pro"),
            operation="extraction",
            operations=("extraction", "generation"),
            input_tokens=912,
            output_tokens=180,
            needs=("chat", "json_schema"),
            turns=2,
            questions=1,
            language="en",
            complexity=Complexity(0.3125, {"length": 0.09, "questions": 0.05, "turns": 0.0225, "structure": 0.15}),
            prompt_fingerprint="9f2c1e77ab01",
            signals={"anger": 1},
            matches={"order_extraction": 2, "policy_questions": 1},
            stream=True,
            draw=0.7312345678912345,
        ),
        decision=Decision(
            request_id,
            "auto",
            "3f9a1c0b77de",
            (
                Step("fast", ("mini", "local"), (0.000342, 0.000412), ("schema",)),
                Step("balanced", ("sonnet",), (0.00612,), ("schema",)),
            ),
            task="order_extraction",
            propensity=0.95,
            draw=0.7312345678912345,
            deadline=2.0,
            reasons=(
                Reason(Why.TASK_SCORED, "order_extraction", 0.8231),
                Reason(Why.DIFFICULTY, "", 0.3125, 0.35),
                Reason(Why.CHEAPEST_ABOVE_BAR, "mini", 0.971234, 0.97),
                Reason(Why.ASSUMED_QUALITY, "local", 0.94),
                Reason(Why.LAST_RESORT, "sonnet"),
            ),
            dropped=(
                Dropped("opus", Drop.PRICE, "max_cost", 0.0301, 0.01),
                Dropped("tiny", Drop.CONTEXT, "", 1092, 1024),
                Dropped("haiku", Drop.RESTING, "", 12.3),
            ),
            margin=0.0012,
        ),
        tried=(
            Tried("mini", "first", False, 0.0, 0.25, None, NO_USAGE, "overloaded", 529),
            Tried(
                "local",
                "fallback",
                True,
                0.000412,
                0.75,
                0.2112,
                Usage(931, 151, 512),
                verdicts=(Verdict("schema", True),),
                served_model="qwen3-32b",
            ),
        ),
        scores=Scores({"order_extraction": 0.8231, "policy_questions": 0.11}, 0.3125, by="hints"),
        view=View(
            load={"mini": 4, "local": 1, "sonnet": 2},
            latency={"mini": Latency(0.6123, 1.712, 200), "local": Latency(0.81, 2.2, 120), "sonnet": Latency(1.2, 3.9, 200)},
            budgets={"support": 412.2},
        ),
        winner=1,
        overhead=0.000131,
    )
    return msgspec.structs.replace(record, **changes)


def answered(
    request_id: str,
    *,
    at: float,
    model: str = "mini",
    task: str = "",
    route: str = "auto",
    key: str = "",
    tier: str = "fast",
    cost: float = 0.001,
    elapsed: float = 0.5,
    cause: str = "first",
    error: str = "",
    status: int = 200,
) -> Record:
    """A short record of one attempt."""
    ok = not error
    tried = Tried(model, cause, ok, cost, elapsed, elapsed / 2 if ok else None, Usage(100, 20))
    return Record(
        at,
        Features(request_id, route=route, key=key),
        Decision(request_id, route, "3f9a1c0b77de", (Step(tier, (model,)),), task=task),
        (tried,),
        winner=0 if ok else None,
        status=status,
        error=error,
    )


LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    float: st.floats(allow_nan=False),
    int: st.integers(-(2**31), 2**31),
    bool: st.booleans(),
}
"""For `anything`: values of the plain types."""


FINITE = LEAVES | {float: st.floats(allow_nan=False, allow_infinity=False)}
"""For `anything`: numbers that JSON has."""


def anything(kind: Any, leaves: dict[Any, st.SearchStrategy[Any]] = LEAVES) -> st.SearchStrategy[Any]:
    """Any value of a type, with every field of every struct drawn: a field that the codec forgets is found."""
    if kind in leaves:
        return leaves[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{field.name: anything(hints[field.name], leaves) for field in msgspec.structs.fields(kind)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return st.lists(anything(arguments[0], leaves), max_size=3).map(tuple)
    if origin is typing.Union or type(kind).__name__ == "UnionType":
        return st.one_of([st.none() if argument is type(None) else anything(argument, leaves) for argument in arguments])
    if origin is not None and origin.__name__ == "Mapping":
        return st.dictionaries(anything(arguments[0], leaves), anything(arguments[1], leaves), max_size=3)
    return st.from_type(kind)


def with_winner(record: Record, winner: int) -> Record:
    """The record with that attempt as the one that answered, counted round; below zero: none."""
    return msgspec.structs.replace(record, winner=winner % len(record.tried) if record.tried and winner >= 0 else None)


records = st.builds(with_winner, anything(Record), st.integers(-1, 5))
finite_records = st.builds(with_winner, anything(Record, FINITE), st.integers(-1, 5))
