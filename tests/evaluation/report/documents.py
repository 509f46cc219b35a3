"""A document with everything in it, as `tierline evaluate` would write it of a small support desk."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.evaluation.document import (
    Advantage,
    Bin,
    Cascade,
    Confusion,
    Data,
    Document,
    Estimate,
    Finding,
    Interval,
    Loss,
    ModelFigures,
    Point,
    Regret,
    Reliability,
    Row,
    Slice,
    Worst,
)
from tierline.evaluation.drill import Drill, TaskDrill
from tierline.evaluation.perturb.robustness import Flips, Robustness

MODELS = {
    "finch": (0.58, 0.00006),
    "wren": (0.61, 0.00009),
    "kestrel": (0.72, 0.0005),
    "heron": (0.75, 0.0006),
    "condor": (0.83, 0.0019),
    "eagle": (0.86, 0.0026),
}


def full() -> Document:
    """Everything is there."""
    return Document(
        data=data(),
        reference=references(),
        routers={
            "support scorer": router(),
            "prompt length": msgspec.structs.replace(
                router(),
                quality=0.716,
                quality_interval=Interval(0.69, 0.74),
                cost=0.00108,
                advantage=Advantage(0.004, -0.011, 0.019, {"heron": 0.7, "condor": 0.3}, 0.712, 0.00108),
                curve=curve(0.02),
                brier=None,
                ece=None,
                reliability={},
                robustness=None,
                flip_rate=None,
                confusion=None,
                cascade=None,
                why={"brier": "it predicts no pass rates", "ece": "it predicts no pass rates", "reliability": "it predicts no pass rates"},
            ),
        },
        candidates=("support scorer",),
        settings={"seed": 7, "folds": 5, "resamples": 1000},
        drill=msgspec.to_builtins(fallback_drill()),
    )


def bare() -> Document:
    """Only labels: nothing that needs costs, predictions or routers."""
    return Document(
        data=Data(files=("labels.csv",), queries=12, compared=12, cells=12, models={}, tasks={}, datasets={}),
        reference={},
        routers={},
        why={"cost": "tier labels hold no costs"},
    )


def data() -> Data:
    return Data(
        files=("table.parquet",),
        queries=1240,
        compared=1203,
        cells=7412,
        models={name: ModelFigures(1240, quality, cost) for name, (quality, cost) in MODELS.items()},
        tasks={"order_status": 420, "ticket_triage": 310, "policy_questions": 205, "code_review": 168, "": 100},
        datasets={"desk": 1203},
        findings=(
            Finding(
                "missing_cells",
                "warning",
                "37 queries were not measured on every model; they are left out",
                37,
                ("q17", "q203"),
            ),
            Finding("duplicates", "note", "4 queries stand twice; the first of each counts", 4),
        ),
    )


def references() -> dict[str, Row]:
    hull = tuple(Point(0.0, cost, quality) for quality, cost in MODELS.values())
    return {
        "random": row(0.725, 0.00095, save={}),
        "best_single": row(0.86, 0.0026, model="eagle"),
        "zero_router": row(0.86, 0.0026, curve=hull, models={"finch": 0.2, "eagle": 0.8}),
        "task_mean": row(0.852, 0.0013),
        "oracle": row(0.951, 0.00071, save={"100": 0.81, "99": 0.83, "95": 0.88}),
    }


def row(quality: float, cost: float, *, model: str = "", save: dict[str, float | None] | None = None, **more: Any) -> Row:
    return Row(
        quality=quality,
        quality_interval=Interval(quality - 0.021, quality + 0.02),
        cost=cost,
        model=model,
        save_at=save if save is not None else {"100": None, "99": 0.04, "95": 0.22},
        regret=regret(0.951 - quality, cost),
        **more,
    )


def regret(lost: float, cost: float) -> Regret:
    return Regret(
        total=Loss(0.31, lost, cost * 0.5),
        under_routed=Loss(0.12, lost * 0.8, -cost * 0.05),
        over_routed=Loss(0.15, 0.0, cost * 0.5),
        forced=Loss(0.04, lost * 0.2, cost * 0.05),
    )


def router() -> Row:
    return Row(
        quality=0.847,
        quality_interval=Interval(0.828, 0.866),
        cost=0.00112,
        cost_interval=Interval(0.001, 0.0012),
        at="its own decisions",
        models={"finch": 0.4, "heron": 0.31, "eagle": 0.29},
        pair=("finch", "eagle"),
        apgr=0.684,
        cpt50=0.26,
        cpt80=0.56,
        aiq=0.792,
        arena=0.713,
        save_at={"100": 0.31, "99": 0.57, "95": 0.74},
        advantage=Advantage(0.083, 0.061, 0.104, {"kestrel": 0.55, "condor": 0.45}, 0.764, 0.00112),
        regret=regret(0.104, 0.00112),
        brier=0.141,
        ece=0.036,
        flip_rate=0.062,
        reliability={name: reliability(shift) for name, shift in (("finch", 0.05), ("heron", -0.04), ("eagle", 0.01))},
        confusion=Confusion(("fast", "balanced", "best"), ((402, 61, 18), (57, 246, 41), (22, 48, 308)), "scores", 0.795, 0.106, 0.1),
        cascade=Cascade(1203, 0.081, 0.014, 0.006, 0.931, 640, 0.00004, 0.21),
        curve=curve(0.08),
        slices={
            "task": {
                "order_status": part(420, 0.97, 0.021, 0.012),
                "ticket_triage": part(310, 0.92, 0.064, 0.03),
                "policy_questions": part(205, 0.71, 0.118, 0.05),
                "code_review": part(168, 0.55, -0.031, 0.06),
            },
            "length": {"short": part(700, 0.9, 0.07, 0.02), "long": part(500, 0.79, 0.09, 0.03)},
        },
        worst_slice=Worst("task", "code_review", 168, 0.55, -0.031),
        robustness=msgspec.to_builtins(robust()),
        why={"latency": "the table holds no latency"},
    )


def curve(gain: float) -> tuple[Point, ...]:
    shares = [place / 20 for place in range(21)]
    return tuple(Point(share, 0.00006 + share * 0.00254, 0.58 + 0.28 * share + gain * 4 * share * (1 - share), None) for share in shares)


def reliability(shift: float) -> Reliability:
    middles = [n / 10 + 0.05 for n in range(10)]
    bins = tuple(
        Bin(middle - 0.05, middle + 0.05, middle, min(max(middle - shift * (1 + 2 * middle), 0.0), 1.0), 20 + round(middle * 90))
        for middle in middles
    )
    return Reliability(0.14, abs(shift), bins)


def part(queries: int, quality: float, gain: float, half: float) -> Slice:
    models = {"finch": 0.6, "eagle": 0.4}
    return Slice(queries, Estimate(quality, quality - half, quality + half), 0.001, Estimate(gain, gain - half, gain + half), models)


def robust() -> Robustness:
    shares = {"typos": 0.071, "case": 0.034, "whitespace": 0.0, "paraphrase": 0.118, "boilerplate": 0.087}
    kinds = {kind: flips(share) for kind, share in shares.items()}
    return Robustness(0.062, 0.0069, 7, kinds)


def flips(share: float) -> Flips:
    return Flips(
        pairs=1203,
        flips=round(share * 1203),
        flip_rate=share,
        low=max(share - 0.015, 0),
        high=share + 0.017,
        measured=1203,
        quality_lost=share / 9,
        quality_low=0.0,
        quality_high=share / 5,
        lost_per_flip=0.11,
        cost_change=0.00001,
        moved={"finch → eagle": 40},
        examples=("q3",),
    )


def fallback_drill() -> Drill:
    instead = {"condor": 0.8, "nobody": 0.2}
    return Drill(
        (
            TaskDrill("policy_questions", 205, "eagle", 0.96, instead, 40, 205, 0.9, 0.61, 0.29, 0.22, 0.36, 0.0031, 0.0018, 0.85),
            TaskDrill("order_status", 420, "finch", 1.0, {"wren": 1.0}, 0, 420, 0.97, 0.98, -0.01, -0.02, 0.001, 6e-5, 9e-5, 0.95),
        )
    )
