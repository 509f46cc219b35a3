"""On RouteLLM's own tables, by RouteLLM's definitions: what the README of the data says simple routers reach.

Needs the routing data in TIERLINE_DATA; without it these tests are skipped, and fail under CI=true."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from tierline.evaluation.datasets import read
from tierline.evaluation.document import Document
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.routers import routers

DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@cache
def measured(name: str) -> Document:
    path = DATA / f"{name}.parquet"
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the routing data: set TIERLINE_DATA ({path} is not there)")
        pytest.skip("the routing data is not here: set TIERLINE_DATA")
    return evaluate(read([path]), routers(["prompt_length"]), Settings(resamples=100))


PUBLISHED = [
    # table, queries, APGR of the oracle and of prompt length; least share of the oracle and of prompt length for 50 and 80 %
    ("routellm_mmlu", 10_180, 1.27, 0.584, (0.06, 0.10), (0.37, 0.69)),
    ("routellm_gsm8k", 931, 1.12, 0.599, (0.11, 0.18), (0.37, 0.67)),
]


@pytest.mark.parametrize(("name", "queries", "oracle", "length", "oracle_cpt", "length_cpt"), PUBLISHED)
def test_the_published_figures(
    name: str, queries: int, oracle: float, length: float, oracle_cpt: tuple[float, float], length_cpt: tuple[float, float]
) -> None:
    document = measured(name)
    random, best = document.reference["random"], document.reference["oracle"]
    prompt_length = document.routers["prompt_length"]
    assert document.data.compared == queries
    assert random.pair == ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview")
    assert random.apgr == pytest.approx(0.50, abs=0.01)
    assert (random.cpt50, random.cpt80) == pytest.approx((0.50, 0.80), abs=0.01)
    assert best.apgr == pytest.approx(oracle, abs=0.006)
    assert (best.cpt50, best.cpt80) == pytest.approx(oracle_cpt, abs=0.006)
    # how the README measured length is not told: by words MMLU comes out the same, GSM8K within 0.02
    assert prompt_length.apgr == pytest.approx(length, abs=0.02)
    assert (prompt_length.cpt50, prompt_length.cpt80) == pytest.approx(length_cpt, abs=0.02)


def test_the_true_task_mean_of_mmlu_is_reached_out_of_fold() -> None:
    assert measured("routellm_mmlu").reference["task_mean"].apgr == pytest.approx(0.682, abs=0.01)


def test_an_apgr_above_a_half_can_still_lose_to_a_mix_of_the_same_cost() -> None:
    found = measured("routellm_mmlu").routers["prompt_length"]
    assert found.apgr is not None and found.apgr > 0.57
    assert found.advantage is not None and found.advantage.high < 0, "long prompts cost more, and a coin spends that money better"


def test_the_task_table_saves_what_the_readme_of_the_data_says_and_the_zero_router_nothing() -> None:
    document = measured("ulab_llmrouter")
    saved = document.reference["task_mean"].save_at["100"]
    assert saved is not None and saved > 0.72
    assert document.reference["zero_router"].save_at["100"] == 0.0
    found = document.reference["oracle"].save_at["100"]
    assert found == pytest.approx(0.87, abs=0.02)
