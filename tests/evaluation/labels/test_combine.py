"""What follows from all labels of one answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.labels.combine import Combined, Priors, combine
from tierline.evaluation.labels.trust import Hits, Trusts, measure
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.types.label import Label, Source

NOTHING_MEASURED = Trusts({}, {}, {})
VALID = {("opus@1", ALL): JudgeVerdict(1.0, "opus@1", ALL, {"right_of_good": 0.8, "right_of_bad": 0.9, "labels": 100}, True)}
REFUSED = {("opus@1", ALL): JudgeVerdict(1.0, "opus@1", ALL, {}, False)}

scores = st.floats(0.0, 1.0)
sources = st.sampled_from(["golden", "review", "feedback", "validator"])
said = st.lists(st.builds(lambda source, by, score: Label("r", "mini", score, source, 1.0, by), sources, st.sampled_from("abc"), scores),
                min_size=1, max_size=6)  # fmt: skip
priors = st.floats(0.02, 0.98)


def label(source: Source, score: float, by: str = "x") -> Label:
    return Label("r", "mini", score, source, 1.0, by)


def together(*labels: Label, trusts: Trusts = NOTHING_MEASURED, prior: float = 0.5) -> Combined:
    return combine(labels, "", trusts, prior)


def score_of(*labels: Label, prior: float = 0.5) -> float:
    found = together(*labels, prior=prior).score
    assert found is not None
    return found


@given(said, priors)
def test_the_posterior_and_its_certainty_lie_between_0_and_1_whatever_was_said_in_whatever_order(labels: list[Label], prior: float) -> None:
    found = combine(labels, "", NOTHING_MEASURED, prior)
    assert found.score is not None
    assert 0.0 <= found.score <= 1.0
    assert 0.0 <= found.certainty <= 1.0
    again = combine(labels[::-1], "", NOTHING_MEASURED, prior)
    assert again.score == pytest.approx(found.score)
    assert again.certainty == pytest.approx(found.certainty)


@given(said, priors, st.sampled_from(["golden", "review", "feedback", "validator"]))
def test_a_further_yes_never_lowers_the_posterior_and_a_no_never_raises_it(labels: list[Label], prior: float, source: Source) -> None:
    before = score_of(*labels, prior=prior)
    assert score_of(*labels, label(source, 1.0, "new"), prior=prior) >= before - 1e-9
    assert score_of(*labels, label(source, 0.0, "new"), prior=prior) <= before + 1e-9


@given(said, priors)
def test_turning_every_word_and_the_prior_round_turns_the_posterior_round(labels: list[Label], prior: float) -> None:
    turned = [Label("r", "mini", 1.0 - one.score, one.source, 1.0, one.by) for one in labels]
    assert score_of(*turned, prior=1.0 - prior) == pytest.approx(1.0 - score_of(*labels, prior=prior), abs=1e-9)


@given(scores)
def test_a_graded_golden_label_stays_what_it_is(score: float) -> None:
    assert score_of(label("golden", score)) == pytest.approx(score, abs=0.006)


def test_at_an_even_prior_one_voice_is_believed_as_far_as_it_is_trusted() -> None:
    assert score_of(label("feedback", 1.0)) == pytest.approx(0.8)
    assert score_of(label("validator", 0.0)) == pytest.approx(0.3)
    assert together(label("feedback", 1.0)).certainty == pytest.approx(0.6)


def test_the_more_trusted_source_prevails_and_the_conflict_is_shown() -> None:
    found = together(label("golden", 0.0), label("feedback", 1.0))
    assert found.score is not None
    assert found.score < 0.1
    assert found.conflict
    assert {voice for voice, _, _ in found.voices} == {"golden:x", "feedback:x"}


def test_ten_checks_of_one_answer_are_no_ten_opinions() -> None:
    assert score_of(*[label("validator", 1.0, str(n)) for n in range(10)]) == pytest.approx(score_of(label("validator", 1.0)))


def test_equal_voices_that_disagree_leave_nothing_certain() -> None:
    found = together(label("feedback", 1.0, "a"), label("feedback", 0.0, "b"))
    assert found.score == pytest.approx(0.5)
    assert found.certainty == pytest.approx(0.0)


def test_a_judge_speaks_only_once_it_is_valid() -> None:
    by_judge = label("judge", 1.0, "opus@1")
    for standing in ({}, REFUSED):
        found = together(by_judge, trusts=Trusts({}, standing, {"judge": 1.0}))
        assert (found.score, found.said, found.certainty) == (None, None, 0.0)
    heard = together(by_judge, trusts=Trusts({}, VALID, {}))
    assert heard.score == pytest.approx(0.8 / (0.8 + 0.1))


def test_a_judge_of_another_instruction_is_another_judge() -> None:
    assert together(label("judge", 1.0, "opus@2"), trusts=Trusts({}, VALID, {})).score is None


def test_a_verdict_on_the_task_counts_before_the_one_over_all() -> None:
    standing = {**VALID, ("opus@1", "sums"): JudgeVerdict(2.0, "opus@1", "sums", {}, False)}
    trusts = Trusts({}, standing, {})
    assert trusts.of("judge:opus@1", "sums").value == 0.0
    assert trusts.of("judge:opus@1", "other").value > 0.5


@pytest.mark.parametrize(("right", "many"), [(0, 0), (50, 100), (100, 100)])
def test_measured_trust_is_drawn_towards_what_was_assumed(right: int, many: int) -> None:
    measured: dict[tuple[str, str], Hits] = {}
    for number in range(many):
        for truth in (0.0, 1.0):
            spoke = truth if number < right else 1.0 - truth
            measure(measured, [label("golden", truth), label("validator", spoke, "schema")], "sums")
    trust = Trusts(measured, {}, {}).of("validator:schema", "sums")
    share = right / many if many else 0.7
    assert min(share, 0.7) - 1e-9 <= trust.value <= max(share, 0.7) + 1e-9
    assert abs(trust.value - share) < 0.05
    assert trust.seen == 2 * many


def test_a_check_that_passes_everything_says_nothing_however_good_the_answers_are() -> None:
    measured: dict[tuple[str, str], Hits] = {}
    for number in range(2000):
        measure(measured, [label("golden", float(number % 10 > 0)), label("validator", 1.0, "schema")], "")
    trusts = Trusts(measured, {}, {})
    assert trusts.of("validator:schema", "").value == pytest.approx(0.5, abs=0.05)
    found = together(label("validator", 1.0, "schema"), trusts=trusts, prior=0.9)
    assert found.score == pytest.approx(0.9, abs=0.02)


def test_doubtful_labels_leave_the_mean_of_a_model_where_it_is() -> None:
    counted = {("validator:s", "", "mini"): (1000, 700.0), ("validator:s", "", "opus"): (1000, 950.0)}
    priors = Priors(counted, NOTHING_MEASURED)
    means = {}
    for model, share in (("mini", 0.7), ("opus", 0.95)):
        prior = priors.of("", model)
        means[model] = share * score_of(label("validator", 1.0, "s"), prior=prior) + (1 - share) * score_of(
            label("validator", 0.0, "s"), prior=prior
        )
    assert means["mini"] == pytest.approx(0.7, abs=0.06)
    assert means["opus"] == pytest.approx(0.95, abs=0.06)


def test_a_label_that_claims_less_than_its_source_is_trusted_no_further() -> None:
    doubted = Label("r", "mini", 1.0, "golden", 1.0, "x", 0.6)
    assert score_of(doubted) == pytest.approx(0.6)


def test_the_evidence_is_a_likelihood_ratio() -> None:
    trusts = Trusts({}, VALID, {})
    yes = together(label("judge", 1.0, "opus@1"), trusts=trusts, prior=0.3).score
    assert yes is not None
    assert math.log(yes / (1 - yes)) == pytest.approx(math.log(0.3 / 0.7) + math.log(0.8 / 0.1))


def test_a_models_mean_comes_out_as_it_is_where_the_errors_of_a_voice_were_measured() -> None:
    dice, said = np.random.default_rng(4), []
    measured: dict[tuple[str, str], Hits] = {}
    for number in range(4_000):
        truth = float(dice.random() < 0.8)
        spoke = truth if dice.random() < 0.85 else 1.0 - truth
        labels = [label("feedback", spoke), *([label("golden", truth)] if number % 8 == 0 else [])]
        measure(measured, labels, "")
        said.append(labels)
    trusts = Trusts(measured, {}, {})
    spoken = {voice: [one.score for labels in said for one in labels if one.source == voice] for voice in ("feedback", "golden")}
    priors = Priors({(f"{voice}:x", "", "mini"): (len(scores), sum(scores)) for voice, scores in spoken.items()}, trusts)
    found = [combine(labels, "", trusts, priors.of("", "mini")).score for labels in said]
    assert np.mean([score for score in found if score is not None]) == pytest.approx(0.8, abs=0.03)
    assert np.mean(spoken["feedback"]) < 0.75
