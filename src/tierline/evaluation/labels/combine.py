"""All labels of one answer → how likely it is that the answer is good enough, how certain that is, and who disagrees.

Each voice v says yes or no, and is right with the shares of its trust (`trust.py`). With an even chance of either, what it says is worth

    yes:  log( good / (1 − bad) ) ≥ 0            no:  log( (1 − good) / bad ) ≤ 0          (naive Bayes; Dawid and Skene 1979)

Of one source only the strongest yes and the strongest no count: ten checks of one answer are no ten opinions. The posterior is

    P(good | said) = logistic( logit(prior) + Σ over sources of what they said )

The prior is the share of good answers of that model on that task as trusted voices have it (see `Priors`), so that labels of doubtful
voices leave the means of models where they are and draw only single answers towards them. A graded score s is a yes with chance s and
a no with chance 1 − s, over which the posterior is averaged (Jeffrey 1965): a golden 0.7 stays 0.7.

Certainty is |2 P − 1| at an even prior, averaged likewise: 0 where nobody said anything or equal voices disagree, 1 for a golden label.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

import msgspec

from tierline.evaluation.labels.trust import Trust, Trusts, by_voice, source_of
from tierline.types.label import Label

CLIP = 0.005
"""No voice is believed more than this short of certainty: a golden label may be wrong too."""
GRADED = 6
"""Voices of one answer whose grades are averaged over; of further ones the nearer of yes and no counts."""
RANK = ("golden", "review", "feedback", "validator", "judge")
"""Sources, the one whose word counts first."""
CONFLICT = 0.5
"""Two voices disagree when their scores lie so far apart."""

Voices = Sequence[tuple[str, float, Trust]]
"""Who speaks, what it says and how far it is trusted."""


class Combined(msgspec.Struct, frozen=True):
    """What follows from all labels of an answer. `score`: the posterior that it is good enough, None where no trusted voice spoke;
    `said`: the word of the first-ranking source that is trusted, which is `source` (the mean of its labels; of checks, whether all
    passed; of judges, who compare answers and so call good ones worse, the posterior); `certainty` in [0, 1]; `conflict`: trusted
    voices disagree."""

    score: float | None
    said: float | None
    source: str
    certainty: float
    conflict: bool
    voices: tuple[tuple[str, float, Trust], ...]


def combine(labels: Iterable[Label], task: str, trusts: Trusts, prior: float = 0.5) -> Combined:
    """`prior` in (0, 1)."""
    voices = voices_of(labels, task, trusts)
    heard = [one for one in voices if one[2].information > 0.0]
    said, source = first_ranking(voices)
    if not heard:
        return Combined(None, said, source, 0.0, False, tuple(voices))
    score = certainty = 0.0
    for chance, weights in _says(heard):
        evidence = sum(weights)
        score += chance * _logistic(evidence + math.log(prior / (1.0 - prior)))
        certainty += chance * abs(math.tanh(evidence / 2.0))
    scores = [value for _, value, _ in heard]
    said = score if source == "judge" else said
    return Combined(score, said, source, certainty, max(scores) - min(scores) >= CONFLICT, tuple(voices))


def voices_of(labels: Iterable[Label], task: str, trusts: Trusts) -> list[tuple[str, float, Trust]]:
    """Every voice with what it said and its trust; a label that itself claims less than its voice's trust is trusted no further."""
    labels = list(labels)
    caps: dict[str, float] = {}
    for label in labels:
        if label.source != "judge":
            voice = f"{label.source}:{label.by}" if label.by else label.source
            caps[voice] = min(label.trust, caps.get(voice, 1.0))
    found = []
    for voice, said in by_voice(labels).items():
        trust, cap = trusts.of(voice, task), caps.get(voice, 1.0)
        if cap < 1.0:
            trust = msgspec.structs.replace(trust, good=min(trust.good, max(cap, 0.5)), bad=min(trust.bad, max(cap, 0.5)))
        found.append((voice, said, trust))
    return found


def first_ranking(voices: Voices) -> tuple[float | None, str]:
    """The word of the source that counts first of those that may speak, and which that is."""
    for source in RANK:
        said = [score for voice, score, trust in voices if source_of(voice) == source and trust.value > 0.0]
        if said:
            return (float(min(said) >= CONFLICT) if source == "validator" else sum(said) / len(said)), source
    return None, ""


def _says(voices: Voices) -> Iterator[tuple[float, list[float]]]:
    """Every way in which graded scores may fall into yes and no: its chance, and each source's evidence."""
    firm = sorted(voices, key=lambda one: -one[2].information)
    graded = [place for place, (_, score, _) in enumerate(firm) if 0.0 < score < 1.0]
    chances = [float(score >= 0.5) if place in graded[GRADED:] else score for place, (_, score, _) in enumerate(firm)]
    options = [(True,) if chance >= 1.0 else (False,) if chance <= 0.0 else (True, False) for chance in chances]
    for says in product(*options):
        chance = math.prod(share if yes else 1.0 - share for share, yes in zip(chances, says, strict=True))
        best: dict[str, tuple[float, float]] = {}
        for (voice, _, trust), yes in zip(firm, says, strict=True):
            source = source_of(voice)
            most, least = best.get(source, (0.0, 0.0))
            worth = evidence(trust, yes)
            best[source] = max(most, worth), min(least, worth)
        yield chance, [most + least for most, least in best.values()]


def evidence(trust: Trust, yes: bool) -> float:
    """The logarithm of the likelihood ratio of a yes (0 or more) or a no (0 or less)."""
    good, bad = (min(max(share, CLIP), 1.0 - CLIP) for share in (trust.good, trust.bad))
    return max(0.0, math.log(good / (1.0 - bad))) if yes else min(0.0, math.log((1.0 - good) / bad))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else math.exp(value) / (1.0 + math.exp(value))


class Priors:
    """The share of good answers by task and model, as trusted voices have it: Σ J² share / Σ J² over labels, with J the information of a
    voice, drawn towards the task's share (`TO_TASK` labels' worth) and that towards one half (`TO_HALF`).

    A voice's share is the mean of what it said; where its trust was measured on `SURE` answers or more, that mean freed of its errors,
    (mean − (1 − bad)) / J within [0, 1] (Rogan and Gladen 1978)."""

    TO_TASK, TO_HALF = 10.0, 2.0
    SURE = 40

    def __init__(self, said: Mapping[tuple[str, str, str], tuple[int, float]], trusts: Trusts) -> None:
        self._cells: dict[tuple[str, str], tuple[float, float]] = {}
        self._tasks: dict[str, tuple[float, float]] = {}
        for (voice, task, model), (many, total) in said.items():
            trust = trusts.of(voice, task)
            weight = trust.information**2
            good = total
            if trust.how == "measured" and trust.seen >= self.SURE and weight > 0.0:
                good = many * min(max((total / many - (1.0 - trust.bad)) / trust.information, 0.0), 1.0)
            self._cells[task, model] = _plus(self._cells.get((task, model)), weight * good, weight * many)
            self._tasks[task] = _plus(self._tasks.get(task), weight * good, weight * many)

    def of(self, task: str, model: str) -> float:
        """In [0.02, 0.98]."""
        total, many = self._tasks.get(task, (0.0, 0.0))
        here = (total + self.TO_HALF * 0.5) / (many + self.TO_HALF)
        total, many = self._cells.get((task, model), (0.0, 0.0))
        return min(max((total + self.TO_TASK * here) / (many + self.TO_TASK), 0.02), 0.98)


def _plus(one: tuple[float, float] | None, total: float, many: float) -> tuple[float, float]:
    return (total, many) if one is None else (one[0] + total, one[1] + many)
