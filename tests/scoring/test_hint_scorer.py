"""The scorer without training: hints name the task, the complexity score is the difficulty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.interfaces import Scorer
from tierline.scoring.hints import HintScorer
from tierline.testing import builders
from tierline.types.request import Request
from tierline.types.scores import Scores

SPEC = {
    "tasks": {
        "orders": {"why": "w", "match": {"keywords": ["order"]}},
        "policy": {"why": "w", "match": {"keywords": ["policy"]}},
        "triage": {"why": "w", "match": {"operation": "classification"}},
        "unhinted": {"why": "w"},
    }
}
REQUEST = Request(id="r-1", dialect="openai_chat", model="auto")
LOADED = builders.loaded(SPEC)
hits = st.dictionaries(st.sampled_from(["orders", "policy", "triage"]), st.integers(0, 20))


def score(matches: dict[str, int], abstain_below: float = 0.6, difficulty: float = 0.3) -> Scores:
    return HintScorer(LOADED, abstain_below).score(REQUEST, builders.features(difficulty, matches=matches))


def test_it_is_a_scorer() -> None:
    assert isinstance(HintScorer(LOADED, 0.6), Scorer)
    assert score({}).by == "hints"


def test_a_single_hit_names_the_task() -> None:
    seen = score({"orders": 1})
    assert seen.task == {"orders": pytest.approx(0.8)}
    assert not seen.abstained


def test_without_a_hit_there_is_nothing_to_be_unsure_about() -> None:
    seen = score({}, difficulty=0.42)
    assert (dict(seen.task), seen.abstained, seen.difficulty) == ({}, False, 0.42)


def test_two_tasks_hit_alike_are_ambiguous() -> None:
    assert score({"orders": 2, "policy": 2}).abstained


def test_the_glob_of_a_system_prompt_outweighs_the_keywords_of_another_task() -> None:
    seen = score({"orders": 8, "policy": 4})
    assert max(seen.task, key=seen.task.__getitem__) == "orders"
    assert not seen.abstained


def test_hits_of_tasks_that_the_spec_no_longer_hints_at_do_not_count() -> None:
    assert dict(score({"unhinted": 9, "gone": 9}).task) == {}


@given(hits, st.floats(0, 1))
def test_probabilities_are_probabilities_and_abstaining_follows_the_best(matches: dict[str, int], abstain_below: float) -> None:
    seen = score(matches, abstain_below)
    assert all(0 < chance <= 1 for chance in seen.task.values())
    assert sum(seen.task.values()) <= 1 + 1e-9
    assert seen.abstained == (bool(seen.task) and max(seen.task.values()) < abstain_below)


@given(hits, st.sampled_from(["orders", "policy", "triage"]))
def test_another_hit_never_makes_its_task_less_likely(matches: dict[str, int], task: str) -> None:
    more = {**matches, task: matches.get(task, 0) + 1}
    assert score(more).task[task] >= score(matches).task.get(task, 0.0)


@given(st.lists(hits, max_size=5))
def test_many_are_scored_like_one_by_one(many: list[dict[str, int]]) -> None:
    scorer = HintScorer(LOADED, 0.6)
    pairs = [(REQUEST, builders.features(0.1 * index, matches=matches)) for index, matches in enumerate(many)]
    assert list(scorer.score_many(pairs)) == [scorer.score(*pair) for pair in pairs]
