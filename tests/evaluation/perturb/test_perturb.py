"""Prompts in other clothes, and what a router makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.tables import table
from tierline.evaluation.perturb.kinds import KINDS, UnknownPerturbation, perturbed
from tierline.evaluation.perturb.pairs import PairsInvalid, read_pairs
from tierline.evaluation.perturb.robustness import robustness
from tierline.evaluation.wilson import wilson


@given(st.lists(st.text(min_size=1)), st.sampled_from(sorted(KINDS)), st.integers(0, 9))
def test_the_same_seed_changes_the_same_prompt_in_the_same_way(texts: list[str], kind: str, seed: int) -> None:
    together = perturbed(texts, kind, seed)
    assert together == [perturbed([text], kind, seed)[0] for text in texts]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_changes_an_ordinary_question(kind: str) -> None:
    text = "What is the capital of the country that won the world cup in 1998, and how many people live there today?"
    assert perturbed([text], kind, 1) != [text]
    assert perturbed([text], kind, 1)[0].count("1998") == 1, "numbers are what is asked about"


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "Z")), max_size=80), st.integers(0, 20))
def test_code_is_left_as_it_stands_by_typos_and_case(words: str, seed: int) -> None:
    code = "```python\nIF_x = 'Straße'\n```"
    for kind in ("typos", "case"):
        assert code in perturbed([words.replace("`", "") + code], kind, seed)[0]


@given(st.text(alphabet="abcdefghij XYZ", min_size=1, max_size=200), st.integers(0, 20))
def test_white_space_changes_no_word(text: str, seed: int) -> None:
    assert perturbed([text], "whitespace", seed)[0].split() == text.split()


@given(st.text(min_size=1), st.sampled_from(["paraphrase", "boilerplate"]), st.integers(0, 20))
def test_what_is_put_around_a_prompt_leaves_the_prompt_whole(text: str, kind: str, seed: int) -> None:
    assert text in perturbed([text], kind, seed)[0]


def test_a_kind_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownPerturbation, match="typos, case"):
        perturbed(["x"], "klingon", 1)


def by_case(rows: Sequence[int], texts: Sequence[str]) -> list[str]:
    """A router that is swayed by capitals: shouting goes to opus."""
    return ["opus" if text.isupper() else "mini" for text in texts]


def test_a_router_that_looks_at_nothing_never_flips() -> None:
    told = robustness(table([[1, 0]] * 30), lambda rows, texts: ["mini"] * len(texts), seed=1)
    assert told.flip_rate == 0.0
    assert {kind: flips.flips for kind, flips in told.kinds.items()} == dict.fromkeys(KINDS, 0)
    assert all(flips.quality_lost == 0.0 and flips.lost_per_flip is None for flips in told.kinds.values())


def test_flips_are_counted_and_priced() -> None:
    told = robustness(table([[1, 0]] * 40), by_case, seed=1, kinds=["case"]).kinds["case"]
    assert 0 < told.flips < 40
    assert told.flip_rate == told.flips / 40
    assert told.low < told.flip_rate < told.high
    assert told.quality_lost == pytest.approx(told.flip_rate), "mini is always right and opus never"
    assert told.lost_per_flip == 1.0
    assert told.cost_change == pytest.approx(0.01 * told.flip_rate)
    assert told.moved == {"mini → opus": told.flips}
    assert len(told.examples) == 5


def test_a_flip_to_a_better_model_is_quality_won() -> None:
    told = robustness(table([[0, 1]] * 40), by_case, seed=1, kinds=["case"]).kinds["case"]
    assert told.quality_lost is not None and told.quality_lost < 0


def test_what_was_not_measured_is_a_flip_without_a_price() -> None:
    nan = float("nan")
    told = robustness(table([[1, nan]] * 40), by_case, seed=1, kinds=["case"]).kinds["case"]
    assert told.flips and told.measured == 40 - told.flips
    assert told.quality_lost == 0.0


def test_a_teams_own_pairs_take_the_place_of_the_built_in_kinds(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        '{"query_id": "q0", "perturbed": "SHOUTED", "kind": "loud"}\n'
        '{"query": "What is 1 and 1?", "perturbed": "said", "kind": "soft"}\n'
        '{"query_id": "none", "perturbed": "x"}\n'
    )
    data = table([[1, 0]] * 2)
    pairs = read_pairs(path, data)
    told = robustness(data, by_case, seed=1, pairs=pairs)
    assert pairs.unknown == 1
    assert {kind: flips.flip_rate for kind, flips in told.kinds.items()} == {"loud": 1.0, "soft": 0.0}
    assert told.flip_rate == 0.5


@pytest.mark.parametrize(
    ("text", "said"), [('{"query_id": "q0"}', "pairs.jsonl:1"), ("x", "no JSON"), ('{"query_id": "z", "perturbed": "x"}', "none of its 1")]
)
def test_pairs_that_cannot_be_used_are_told_so(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(text)
    with pytest.raises(PairsInvalid, match=re.escape(said)):
        read_pairs(path, table([[1, 0]]))


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilsons_interval_holds_the_share(hits: int, count: int) -> None:
    hits = min(hits, count)
    low, high = wilson(hits, count)
    assert 0 <= low <= hits / count + 1e-12 and hits / count <= high + 1e-12 and high <= 1
