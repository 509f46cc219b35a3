"""What a judge's words were worth, against labels that are trusted.

Kappa (`labels/agreement.py`) is over yes and no: of answers judged alone, good enough (one half or more) or not; of pairs whose
labels say which is better, which. Where a judge contradicts itself, what it said first counts, so self-disagreement lowers kappa as
it lowers its worth.

    self-disagreement   share of answers that it calls both good and bad in repeats; of pairs, in which it names the other when the
    order turns length              alone: Pearson's correlation of judge − label with log(1 + characters); in pairs: the odds that it
    names the longer answer over the odds that the label does, as log odds ratio (one half added to each count: Haldane 1956) position
    share of all comparisons in which it names the answer shown first, less one half (Zheng et al. 2023) right of good, bad  shares of
    good and bad answers that it calls so: what its labels are trusted by. In pairs: that it names the answer, over all pairs, also
    those of two good or two bad answers, for shadows' judges compare such too"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.stats import pearsonr

from tierline.evaluation.judging.run import Choice, Opinion
from tierline.evaluation.labels.agreement import Agreement, Counts
from tierline.evaluation.labels.trust import Hits
from tierline.evaluation.wilson import wilson


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; None where the data do not say."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Report(msgspec.Struct, frozen=True):
    """How a judge did on one task (empty: all). `labels`: answers, or pairs whose labels decide, that kappa is over; `good` and `bad` of
    them (of pairs: those that were better as `one` and as `other`). `position` is None for answers judged alone, `length` is a
    correlation for those and a log odds ratio for pairs. `unread`: share of its replies that said nothing."""

    way: str
    task: str
    labels: int
    good: int
    bad: int
    agreement: Agreement
    self_disagreement: Figure
    length: Figure
    position: Figure
    unread: float
    right_of_good: float | None
    right_of_bad: float | None
    own: int = 0


def of_opinions(opinions: Sequence[Opinion], task: str = "") -> Report:
    """Of answers that were judged alone."""
    counts, hits, twice, torn, silent, replies = Counts(), Hits(), 0, 0, 0, 0
    off, long = [], []
    for opinion in opinions:
        scores = [score for score in opinion.scores if score is not None]
        replies, silent = replies + len(opinion.scores), silent + len(opinion.scores) - len(scores)
        if not scores:
            continue
        counts.add(scores[0], opinion.answer.label)
        hits.add(float(scores[0] >= 0.5), float(opinion.answer.label >= 0.5))
        twice += len(scores) > 1
        torn += len({score >= 0.5 for score in scores}) > 1
        off.append(scores[0] - opinion.answer.label)
        long.append(math.log1p(len(opinion.answer.answer)))
    good = counts.yes_yes + counts.no_yes
    return Report(
        way="alone",
        task=task,
        labels=counts.many,
        good=good,
        bad=counts.many - good,
        agreement=counts.agreement(),
        self_disagreement=_share(torn, twice),
        length=_correlation(off, long),
        position=Figure(None),
        unread=silent / max(replies, 1),
        right_of_good=_part(hits.right_good, hits.good),
        right_of_bad=_part(hits.right_bad, hits.bad),
    )


def of_choices(choices: Sequence[Choice], judge_model: str = "", task: str = "") -> Report:
    """Of pairs that were compared in both orders; `own` counts those with an answer of the judge's own model."""
    tally = _Pairs()
    for choice in choices:
        tally.add(choice)
    counts, hits, replies = tally.counts, tally.hits, 2 * len(choices)
    ones, many = counts.yes_yes + counts.no_yes, counts.many
    return Report(
        way="pairs",
        task=task,
        labels=many,
        good=ones,
        bad=many - ones,
        agreement=counts.agreement(),
        self_disagreement=_share(tally.torn, tally.both),
        length=_odds(tally.judged_longer, tally.labelled_longer),
        position=_less_half(tally.firsts, tally.calls),
        unread=(replies - tally.calls) / max(replies, 1),
        right_of_good=_part(hits.right_good, hits.good),
        right_of_bad=_part(hits.right_bad, hits.bad),
        own=sum(judge_model in (choice.pair.one.model, choice.pair.other.model) for choice in choices) if judge_model else 0,
    )


class _Pairs:
    """What is counted of pairs."""

    def __init__(self) -> None:
        self.counts, self.hits = Counts(), Hits()
        self.firsts = self.calls = self.both = self.torn = 0
        self.judged_longer = [0, 0]
        self.labelled_longer = [0, 0]

    def add(self, choice: Choice) -> None:
        """One pair."""
        said = [place for place in (choice.forth, choice.back) if place is not None]
        self.firsts, self.calls = self.firsts + said.count(0), self.calls + len(said)
        if not said:
            return
        names_one = choice.forth == 0 if choice.forth is not None else choice.back == 1
        disagrees = len(said) == 2 and choice.forth == choice.back
        self.both, self.torn = self.both + (len(said) == 2), self.torn + disagrees
        won = 0.5 if disagrees else float(names_one)
        self.hits.add(won, float(choice.pair.one.label >= 0.5))
        self.hits.add(1.0 - won, float(choice.pair.other.label >= 0.5))
        if choice.pair.decided:
            self._decided(choice, names_one)

    def _decided(self, choice: Choice, names_one: bool) -> None:
        one, other = choice.pair.one, choice.pair.other
        better = one.label >= 0.5
        self.counts.add(float(names_one), float(better))
        if len(one.answer) != len(other.answer):
            longer = len(one.answer) > len(other.answer)
            self.judged_longer[names_one == longer] += 1
            self.labelled_longer[better == longer] += 1


def _share(some: int, many: int) -> Figure:
    return Figure(some / many, *wilson(some, many)) if many else Figure(None)


def _less_half(some: int, many: int) -> Figure:
    share = _share(some, many)
    if share.value is None or share.low is None or share.high is None:
        return share
    return Figure(share.value - 0.5, share.low - 0.5, share.high - 0.5)


def _correlation(off: Sequence[float], long: Sequence[float]) -> Figure:
    """With the interval of Fisher (1915)."""
    if len(off) < 4 or np.ptp(off) == 0 or np.ptp(long) == 0:
        return Figure(None)
    found = pearsonr(off, long)
    low, high = found.confidence_interval(0.95)
    return Figure(float(found.statistic), float(low), float(high))


def _odds(judged: Sequence[int], labelled: Sequence[int]) -> Figure:
    """The log odds ratio. The two counts are of the same pairs, so its interval is on the safe side (Woolf 1955)."""
    if not sum(judged):
        return Figure(None)
    cells = [count + 0.5 for count in (*judged, *labelled)]
    value = math.log(cells[1] / cells[0]) - math.log(cells[3] / cells[2])
    wide = 1.959964 * math.sqrt(sum(1.0 / cell for cell in cells))
    return Figure(value, value - wide, value + wide)


def _part(some: float, many: float) -> float | None:
    return some / many if many else None
