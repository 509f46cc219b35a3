"""Embeddings as an extra: what they say, a scorer that has them, and what is said where they are not installed."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from scoring import made
from tierline.config.scorer_file import ScorerUnusable
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learned, Learning, learn
from tierline.scoring.learned.artifact import decode, encode
from tierline.scoring.learned.beliefs import believe, from_outputs
from tierline.scoring.learned.design import design, outputs
from tierline.scoring.learned.embed import SIZE, Embedder, embedder
from tierline.scoring.learned.fit import silent
from tierline.testing import builders
from tierline.testing.checks import check_scorer

pytest.importorskip("onnxruntime", reason="the extra `embed` is not installed")

TEXTS = ("set an alarm for seven", "please wake me up at 7", "book me a flight to Rome", "", "\ud800", "数学の問題")


@lru_cache(1)
def model() -> Embedder:
    return Embedder()


@lru_cache(1)
def learned() -> tuple[Table, Learned]:
    table = made.table(120)
    return table, learn(table, design(table.text or (), silent, model()), Learning(embed=True))


def test_what_means_the_same_lies_near() -> None:
    alarm, wake, flight, *_ = model().many(TEXTS, silent)
    assert alarm @ wake > alarm @ flight + 0.3


def test_many_are_as_each_alone_and_of_length_one() -> None:
    many = model().many(TEXTS, silent)
    assert many.shape == (len(TEXTS), SIZE)
    assert np.array_equal(many, np.array([model().one(text) for text in TEXTS]))
    assert np.allclose(np.linalg.norm(many, axis=1), 1.0, atol=1e-5)


def test_one_text_is_believed_as_among_many() -> None:
    table, told = learned()
    texts = (table.text or ())[:10]
    fitted = told.artifact.fitted
    together = from_outputs(fitted, outputs(design(texts, silent, model()), fitted))
    alone = np.array([believe(fitted, text, model().one(text)).good[0] for text in texts])
    assert np.allclose(together.good, alone, atol=1e-4)


def test_its_file_names_the_embedder_and_serves(tmp_path: Path) -> None:
    _, told = learned()
    path = made.written(tmp_path, told)
    scorer = made.scorer(path, "orders")
    check_scorer(scorer, [(made.request(text), builders.features()) for text in TEXTS])
    assert scorer.score(made.request("where is my parcel"), builders.features()).good


def test_an_embedder_that_is_not_known_is_refused() -> None:
    with pytest.raises(ScorerUnusable, match="train it anew"):
        embedder("another-model")


def test_without_the_extra_it_says_which_one_to_install(tmp_path: Path) -> None:
    path = made.written(tmp_path, learned()[1])
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path\n"
        "from tierline.config.scorer_file import read_scorer\n"
        "from tierline.scoring.learned.artifact import decode\n"
        "from tierline.scoring.learned.embed import embedder\n"
        "embedder(decode(read_scorer(Path(sys.argv[1])), 's').fitted.embedder)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "pip install 'tierline[embed]'" in ran.stderr


def test_the_file_is_read_as_it_was_written() -> None:
    _, told = learned()
    from_file = decode(made.unpacked(encode(told.artifact)), "s")
    assert from_file.fitted.embedder == told.artifact.fitted.embedder != ""
