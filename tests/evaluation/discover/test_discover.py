"""Discovery finds what was planted, always the same, and says nothing that it may not."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evaluation.discover.planted import SECRET, SPEC, WORDS, asked, kind_of, labels, loaded, written
from tierline.config.load import check
from tierline.decision_log.opening import open_reader
from tierline.evaluation.discover.agreement import adjusted_rand, overlap, purity
from tierline.evaluation.discover.asked import Gathered
from tierline.evaluation.discover.discover import discover, group
from tierline.evaluation.discover.document import Discovery
from tierline.evaluation.discover.from_log import from_log
from tierline.evaluation.discover.markdown import to_markdown
from tierline.evaluation.discover.sample import Sample, lot
from tierline.evaluation.discover.suggest import tasks_yaml
from tierline.evaluation.report.discovered import discover_report
from tierline.types.errors import EvaluationFailure


def gathered(path: Path, *, seed: int = 0, most: int = 100_000, texts: bool = True) -> Gathered:
    with closing(open_reader(path)) as reader:
        return from_log(reader, labels(path), where="log.db", most=most, seed=seed, texts=texts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Path:
    """A log of features alone."""
    return written(folder, asked(600))


@pytest.fixture(scope="module")
def worded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that keeps words."""
    return written(tmp_path_factory.mktemp("worded"), asked(400), texts=True)


@pytest.fixture(scope="module")
def found(plain: Path, folder: Path) -> Discovery:
    return discover(loaded(folder), gathered(plain))


@pytest.fixture(scope="module")
def told(worded: Path, folder: Path) -> Discovery:
    return discover(loaded(folder), gathered(worded))


def test_planted_types_are_found_by_features_alone(plain: Path) -> None:
    requests = gathered(plain).asked
    groups = group(requests).groups
    assert adjusted_rand(groups, [kind_of(one.id) for one in requests]) > 0.8
    assert purity(groups, [kind_of(one.id) for one in requests]) > 0.99


def test_planted_types_are_found_by_words(worded: Path) -> None:
    requests = gathered(worded).asked
    grouped = group([msgspec.structs.replace(one, features=requests[0].features) for one in requests])
    assert grouped.by_words
    assert purity(grouped.groups, [kind_of(one.id) for one in requests]) > 0.95


def test_the_same_seed_gives_the_same_answer_in_whatever_order_the_rows_were_written(tmp_path: Path, found: Discovery) -> None:
    rows = asked(600)
    random.Random(3).shuffle(rows)
    assert discover(loaded(tmp_path), gathered(written(tmp_path, rows))) == found


def test_another_seed_finds_the_same_types(plain: Path) -> None:
    by_id = []
    for seed in (1, 2):
        requests = gathered(plain, seed=seed).asked
        groups = group(requests, seed).groups
        by_id.append([place for _, place in sorted(zip((one.id for one in requests), groups.tolist(), strict=True))])
    assert adjusted_rand(*by_id) > 0.8


def test_shares_add_up(found: Discovery) -> None:
    parts = [*found.types, *([found.rest] if found.rest else [])]
    assert sum(one.share for one in parts) == pytest.approx(1.0)
    assert sum(one.cost_share for one in parts) == pytest.approx(1.0)
    assert sum(one.requests for one in parts) == found.drawn == found.requests == 600
    assert len(found.types) <= 20


def test_savings_are_never_negative_and_never_above_the_cost(found: Discovery, told: Discovery) -> None:
    for discovery in (found, told):
        for one in discovery.types:
            assert one.saving is not None
            saved, now = one.saving.saved, one.saving.now
            assert 0.0 <= saved.low <= saved.value <= saved.high
            assert saved.value <= now.value and saved.high <= now.high
        assert discovery.saved.value <= discovery.cost


def test_a_model_that_was_measured_to_clear_the_bar_saves_what_the_dearer_one_costs_more(found: Discovery) -> None:
    """Half of the requests go to a model twenty times as dear: of (1 + 20)/2 all but about 1 is saved."""
    for one in found.types:
        assert one.saving is not None and (one.saving.model, one.saving.basis) == ("small", "measured")
        assert one.saving.saved.value / one.saving.now.value == pytest.approx(1 - 2 / 21, abs=0.08)
        assert one.saving.saved.low > 0


def test_a_model_that_was_measured_to_miss_the_bar_saves_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, asked(400), good=0.3)
    for one in discover(loaded(tmp_path), gathered(path)).types:
        assert one.saving is not None
        assert one.saving.saved.value == 0.0 and "no model" in one.saving.why


def test_what_is_assumed_is_said_to_be(tmp_path: Path) -> None:
    path = written(tmp_path, asked(400), small=0.0)
    saving = discover(loaded(tmp_path), gathered(path)).types[0].saving
    assert saving is not None and saving.basis == "assumed"
    assert any("prior of its tier" in line for line in saving.unknown)


def test_words_are_never_shown_where_the_log_keeps_none(found: Discovery) -> None:
    assert not found.by_words and found.texts == 0
    assert all(one.terms == () for one in found.types)


def test_of_words_only_terms_of_many_requests_are_shown(told: Discovery) -> None:
    shown = msgspec.json.encode(told).decode() + to_markdown(told) + discover_report(told) + tasks_yaml(told)
    assert told.by_words
    assert SECRET.lower() not in shown.lower()
    kinds = {word for words in WORDS.values() for word in words}
    assert told.types and all(set(" ".join(one.terms).split()) <= kinds for one in told.types)


def test_words_are_not_looked_at_where_nobody_wants_it(worded: Path, folder: Path) -> None:
    assert all(one.terms == () for one in discover(loaded(folder), gathered(worded, texts=False)).types)


@pytest.mark.parametrize("which", ["found", "told"])
def test_suggestions_pass_the_check_when_laid_over_the_spec(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    discovery: Discovery = request.getfixturevalue(which)
    suggested = yaml.safe_load(tasks_yaml(discovery))
    assert len(suggested["tasks"]) == len(discovery.types)
    path = tmp_path / "tierline.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(SPEC), **suggested}))
    assert [str(problem) for problem in check(path) if problem.severity == "error"] == []


def test_a_task_that_the_spec_has_is_not_suggested(tmp_path: Path) -> None:
    requests = [msgspec.structs.replace(one, task="orders") for one in gathered(written(tmp_path, asked(200))).asked]
    spec = loaded(tmp_path, SPEC + "tasks: {orders: {why: Known., quality_bar: 0.7}}")
    discovery = discover(spec, Gathered("log.db", tuple(requests), 200, True))
    assert all(one.task == "orders" and not one.suggestion and one.saving and one.saving.bar == 0.7 for one in discovery.types)


def test_of_more_requests_than_may_be_drawn_the_size_of_the_draw_is_said(plain: Path, folder: Path) -> None:
    discovery = discover(loaded(folder), gathered(plain, most=150))
    assert (discovery.requests, discovery.drawn) == (600, 150)
    assert any("150 of 600" in note for note in discovery.notes)


def test_without_a_price_nothing_is_reckoned(plain: Path, tmp_path: Path) -> None:
    bare = loaded(tmp_path, SPEC.replace(", price: {input: 1, output: 4}", "").replace(", price: {input: 20, output: 80}", ""))
    with pytest.raises(EvaluationFailure, match="known price"):
        discover(bare, gathered(plain))


@given(st.lists(st.text(max_size=6), unique=True, max_size=40), st.integers(1, 20), st.randoms(use_true_random=False))
def test_a_draw_does_not_depend_on_the_order(ids: list[str], most: int, dice: random.Random) -> None:
    def drawn(order: list[str]) -> tuple[str, ...]:
        sample = Sample[str](most)
        for one in order:
            if sample.wants(lot(0, one)):
                sample.keep(lot(0, one), one, one)
        return sample.taken()

    other = ids.copy()
    dice.shuffle(other)
    assert drawn(other) == drawn(ids)
    assert len(drawn(ids)) == min(most, len(ids))


@given(st.lists(st.integers(0, 4), min_size=2, max_size=40), st.permutations(range(5)))
def test_a_grouping_agrees_with_itself_under_other_names(groups: list[int], names: list[int]) -> None:
    renamed = [names[place] for place in groups]
    assert adjusted_rand(groups, renamed) == pytest.approx(1.0)
    assert purity(groups, renamed) == 1.0
    assert overlap(np.array(groups) == groups[0], np.array(renamed)) == 1.0


def test_the_adjusted_rand_index_is_that_of_a_worked_example() -> None:
    """Of 10 pairs each puts 4 together, both the same 2; chance gives 4·4/10."""
    one, other = [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]
    assert adjusted_rand(one, other) == pytest.approx((2 - 4 * 4 / 10) / ((4 + 4) / 2 - 4 * 4 / 10))
