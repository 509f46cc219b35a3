"""The document: its layout, its repeatability, and data with which little can be said."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evaluation.worlds import dataset, world
from tierline.evaluation.document import REFERENCES, Document, encode
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.routers import routers

QUICK = Settings(resamples=100, candidates=("random",))
NAMES = ["random", "prompt_length", "task_mean"]
ROW = {"quality", "cost", "apgr", "cpt50", "cpt80", "aiq", "save_at", "advantage", "regret", "brier", "ece", "flip_rate", "why"}


def measured(folder: Path, rows: list[dict[str, Any]] | None = None, names: list[str] | None = None) -> Document:
    return evaluate(dataset(folder, rows), routers(NAMES if names is None else names), QUICK)


def numbers(tree: Any) -> list[float]:
    if isinstance(tree, dict):
        return [number for value in tree.values() for number in numbers(value)]
    if isinstance(tree, list | tuple):
        return [number for value in tree for number in numbers(value)]
    return [tree] if isinstance(tree, float) else []


def test_the_document_has_the_layout_that_was_promised(tmp_path: Path) -> None:
    found = msgspec.json.decode(encode(measured(tmp_path)))
    assert set(found["reference"]) == set(REFERENCES)
    for row in (*found["reference"].values(), *found["routers"].values()):
        assert set(row) >= ROW
        assert set(row["save_at"]) == {"100", "99", "95"}
    assert set(found["routers"]["random"]["advantage"]) >= {"value", "low", "high"}
    assert isinstance(found["routers"]["random"]["quality"], float)


def test_a_document_reads_back_as_it_was(tmp_path: Path) -> None:
    found = measured(tmp_path)
    assert msgspec.json.decode(encode(found), type=Document) == found


def test_every_null_figure_says_why(tmp_path: Path) -> None:
    found = measured(tmp_path)
    figures = (
        "quality",
        "cost",
        "apgr",
        "cpt50",
        "cpt80",
        "aiq",
        "advantage",
        "regret",
        "brier",
        "ece",
        "flip_rate",
        "arena",
        "optimality",
    )
    for name, row in {**found.reference, **found.routers}.items():
        for figure in figures:
            assert getattr(row, figure) is not None or row.why.get(figure), f"{name}.{figure}"
        assert None not in row.save_at.values() or row.why.get("save_at"), f"{name}.save_at"


def test_the_same_seed_gives_the_same_document_and_another_seed_another(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    one, again, other = (evaluate(data, routers(NAMES), Settings(seed, resamples=100)) for seed in (1, 1, 2))
    assert encode(one) == encode(again)
    assert one.routers["random"] != other.routers["random"]


def test_one_routers_figures_do_not_depend_on_its_company(tmp_path: Path) -> None:
    assert measured(tmp_path, names=["random"]).routers["random"] == measured(tmp_path).routers["random"]


def test_the_rows_stand_in_their_known_order(tmp_path: Path) -> None:
    found = measured(tmp_path)
    quality = {name: found.reference[name].quality or 0.0 for name in REFERENCES}
    assert quality["oracle"] > quality["best_single"] == quality["zero_router"] > quality["random"]
    mean = found.reference["task_mean"].advantage
    assert mean is not None and mean.low > 0
    best = found.reference["oracle"].regret
    assert best is not None and (best.total.quality, best.total.cost) == (0.0, 0.0)


BAD = {
    "ten rows": world(10),
    "one query": world(1),
    "one model": world(50, models=("mini",)),
    "constant scores": [row | {"score": 1.0} for row in world(50)],
    "all wrong": [row | {"score": 0.0} for row in world(50)],
    "free": [row | {"cost_usd": 0.0} for row in world(50)],
    "one price": [row | {"cost_usd": 0.01} for row in world(50)],
    "no costs": [{name: value for name, value in row.items() if name != "cost_usd"} for row in world(50)],
    "no prompts": [{name: value for name, value in row.items() if name != "query"} for row in world(50)],
    "no tasks": [{name: value for name, value in row.items() if name != "task"} for row in world(50)],
}


@pytest.mark.parametrize("name", BAD)
def test_with_little_to_go_on_every_number_is_still_a_number(name: str, tmp_path: Path) -> None:
    asked = ["random", "task_mean"] if name == "no prompts" else NAMES
    found = measured(tmp_path, BAD[name], asked)
    assert all(math.isfinite(number) for number in numbers(msgspec.to_builtins(found)))
    for row in (*found.reference.values(), *found.routers.values()):
        assert row.advantage is None or row.advantage.low <= row.advantage.value <= row.advantage.high
        assert row.quality is None or row.quality_interval is not None


@pytest.mark.parametrize("name", ["ten rows", "one query", "constant scores", "all wrong"])
def test_with_little_to_go_on_nothing_is_shown_to_beat_the_mix(name: str, tmp_path: Path) -> None:
    for row in measured(tmp_path, BAD[name]).routers.values():
        assert row.advantage is None or row.advantage.low <= 0


def test_without_costs_there_is_no_advantage_and_routellms_figures_remain(tmp_path: Path) -> None:
    found = measured(tmp_path, BAD["no costs"]).routers["prompt_length"]
    assert found.advantage is None and found.why["advantage"] == "the data have no costs"
    assert found.apgr is not None and found.cpt50 is not None
