"""Judges, good and bad, held against answers whose worth is known."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tierline.evaluation.collect.call import Candidate
from tierline.evaluation.collect.journal import Journal
from tierline.evaluation.judging.bars import Bars, misses
from tierline.evaluation.judging.figures import Report, of_choices, of_opinions
from tierline.evaluation.judging.material import Labelled, Pair, material, pairs, prompt_of
from tierline.evaluation.judging.run import Judging, Run
from tierline.types.ask import Ask, Told
from tierline.types.catalog import Price

Score = Callable[[Labelled, random.Random], float]
"""What a judge thinks an answer is worth."""


def answers(count: int = 120, seed: int = 1) -> list[Labelled]:
    """Two answers to each question, of any length, each good or bad by chance."""
    dice = random.Random(seed)
    found = []
    for number in range(count // 2):
        prompt = prompt_of(f"question {number}", f"question {number}", (), "sums", None)
        for model in ("mini", "opus"):
            words = f"answer {number} of {model} " + "word " * dice.randrange(1, 80)
            found.append(Labelled(f"q{number}.{model}", prompt, words, float(dice.random() < 0.5), "reference", "sums", model))
    return found


class Judge:
    """A judge that thinks what it is told to think: `sways` is added to what is shown first."""

    def __init__(self, score: Score, known: list[Labelled], sway: float = 0.0, seed: int = 5) -> None:
        self._score, self._sway, self._dice, self.calls = score, sway, random.Random(seed), 0
        self._known = {one.answer.strip(): one for one in known}

    async def asks(self, ask: Ask) -> Told:
        self.calls += 1
        shown = next(one for words, one in self._known.items() if words in ask.prompt)
        return Told(True, json.dumps({"reason": "so", "score": 10 * self._score(shown, self._dice)}), cost=0.001)

    async def compare(self, first: Labelled, second: Labelled, asks: object) -> int | None:
        del asks
        self.calls += 1
        worth = self._score(first, self._dice) + self._sway + self._dice.uniform(-0.01, 0.01)
        return 0 if worth >= self._score(second, self._dice) else 1


def fair(one: Labelled, dice: random.Random) -> float:
    return one.label if dice.random() < 0.95 else 1.0 - one.label


def judging(judge: Judge, journal: Journal, budget: float = 10.0, stopping: Callable[[], bool] = lambda: False) -> Judging:
    candidate = Candidate("opus", "x", Price(1.0, 1.0))
    return Judging("opus@1", candidate, judge.asks, judge.compare, journal, budget, rubric="10: right", stopping=stopping)


def in_pairs(path: Path, judge: Judge, two: list[Pair]) -> Report:
    with Journal(path) as journal:
        return of_choices(asyncio.run(judging(judge, journal).in_pairs(two))[0], "opus")


def alone(path: Path, judge: Judge, known: list[Labelled], repeats: int = 2) -> Report:
    with Journal(path) as journal:
        return of_opinions(asyncio.run(judging(judge, journal).alone(known, repeats))[0])


def test_a_fair_judge_is_valid_alone_and_in_pairs(tmp_path: Path) -> None:
    known = answers()
    assert misses(alone(tmp_path / "a", Judge(fair, known), known), Bars()) == []
    many = answers(300)
    report = in_pairs(tmp_path / "p", Judge(fair, many), pairs(many, 0))
    assert misses(report, Bars()) == []
    assert report.own == len(pairs(many, 0))


def test_a_judge_that_prefers_what_it_sees_first_is_refused_for_it(tmp_path: Path) -> None:
    known = answers(300)
    report = in_pairs(tmp_path / "p", Judge(fair, known, sway=0.6), pairs(known, 0))
    assert report.position.value is not None and report.position.value > 0.1
    swayed = in_pairs(tmp_path / "q", Judge(fair, known, sway=2.0), pairs(known, 0))
    assert swayed.position.value == pytest.approx(0.5)
    assert swayed.self_disagreement.value == 1.0
    assert any("position bias" in why for why in misses(swayed, Bars()))


def test_a_judge_of_length_is_refused_for_it(tmp_path: Path) -> None:
    known = answers(300)
    report = in_pairs(tmp_path / "p", Judge(lambda one, _: len(one.answer) / 1000, known), pairs(known, 0))
    assert report.length.low is not None and report.length.low > 0
    assert any("longer" in why for why in misses(report, Bars()))
    single = alone(tmp_path / "a", Judge(lambda one, _: min(len(one.answer) / 450, 1.0), known), known)
    assert any("length" in why for why in misses(single, Bars()))


def test_a_judge_that_tosses_a_coin_has_no_kappa_to_speak_of_and_contradicts_itself(tmp_path: Path) -> None:
    known = answers(300)
    report = alone(tmp_path / "a", Judge(lambda _, dice: float(dice.random() < 0.5), known), known)
    assert report.agreement.kappa == pytest.approx(0.0, abs=0.2)
    assert report.self_disagreement.value == pytest.approx(0.5, abs=0.1)
    assert {why.split()[0] for why in misses(report, Bars())} >= {"kappa", "self-disagreement"}


def test_few_labels_make_no_judge_valid(tmp_path: Path) -> None:
    known = answers(20)
    assert any("needs 50" in why for why in misses(alone(tmp_path / "a", Judge(fair, known), known), Bars()))


def test_what_was_paid_for_is_not_asked_again(tmp_path: Path) -> None:
    known = answers(40)
    first, again = Judge(fair, known), Judge(fair, known)
    before = alone(tmp_path / "a", first, known)
    after = alone(tmp_path / "a", again, known)
    assert (first.calls, again.calls) == (80, 0)
    assert before == after


def test_the_budget_ends_a_run_and_more_of_it_goes_on(tmp_path: Path) -> None:
    known = answers(40)

    def run(budget: float) -> Run:
        with Journal(tmp_path / "a") as journal:
            return asyncio.run(judging(Judge(fair, known), journal, budget).alone(known, 2))[1]

    short = run(0.01)
    assert (short.ended, short.left > 0, short.spent <= 0.02) == ("budget", True, True)
    whole = run(10.0)
    assert (whole.ended, whole.kept, whole.left) == ("complete", short.asked, 0)


def test_pairs_are_of_one_question_differ_and_their_order_says_nothing() -> None:
    known = answers(400)
    two = pairs([*known, known[0]], 0)
    assert all(pair.one.prompt.digest == pair.other.prompt.digest and pair.one.answer != pair.other.answer for pair in two)
    firsts = sum(pair.one.model == "mini" for pair in two) / len(two)
    assert 0.4 < firsts < 0.6


def test_a_file_of_answers_is_taken_by_question_and_a_judges_own_grades_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    rows = [
        {"query": f"q{n}", "model": model, "response": f"{n} {model}", "score": n % 2, "task": "sums", "grade": grade}
        for n in range(20)
        for model, grade in (("mini", "reference"), ("opus", "reference"), ("tiny", "judge"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = material(path, None, 10, 3)
    assert {one.model for one in found} == {"mini", "opus"}
    assert len({one.prompt.digest for one in found}) == 5
    assert [one.id for one in material(path, None, 10, 3)] == [one.id for one in found]
