"""Two cheap models that agree, else the dear one: recorded answers of real models, a cut of `python -m bench agreement`.

Needs zeroeval.parquet in TIERLINE_DATA; without it these tests are skipped, and fail under CI=true."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from bench.zeroeval import questions, table_path

from bench import agreement

COUNT = 200


class Cut(NamedTuple):
    outcomes: Sequence[agreement.Outcome]
    wrong: Sequence[str]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    source = table_path()
    if source is None:
        reason = "zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Cut(*agreement.run(tmp_path_factory.mktemp("agreement"), source, questions(source)[:COUNT]))


def test_answers_are_the_recorded_ones_and_every_branch_is_logged_and_paid(cut: Cut) -> None:
    assert len(cut.outcomes) == COUNT
    assert cut.wrong == []


def test_the_quality_of_the_dear_model_is_kept_at_half_its_cost(cut: Cut) -> None:
    quality, share = agreement.gap(cut.outcomes)
    assert quality >= 0
    assert share <= 0.5
