"""The labels of a log as a whole: counted once, measured against one another, then combined answer by answer.

Two passes over the log, neither of which holds an answer longer than it is looked at: what is kept grows with voices, tasks and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path

import msgspec

from tierline.evaluation.labels.agreement import Agreement, Counts
from tierline.evaluation.labels.combine import Combined, Priors, combine
from tierline.evaluation.labels.heard import SAME, Answer, answers
from tierline.evaluation.labels.trust import Hits, Standing, Trust, Trusts, by_voice, measure
from tierline.ledger.reader import LedgerReader
from tierline.types.label import Label

MOST_VOICES = 300
"""Voices that are told apart; those that speak later are combined like the rest, but are not measured against others."""


class VoiceRow(msgspec.Struct, frozen=True):
    """One voice on one task: how many labels, their mean, how far it is trusted, and how that is known."""

    voice: str
    task: str
    labels: int
    mean: float
    trust: float
    good: float
    bad: float
    how: str
    seen: int


class Pair(msgspec.Struct, frozen=True):
    """Two voices that spoke of the same answers."""

    one: str
    other: str
    agreement: Agreement


class Overview(msgspec.Struct, frozen=True):
    """Every voice by task, every pair of them, and how the answers came to be asked for: `explored` were chosen with a propensity below
    one, `after_failure` because another answer was not good enough."""

    voices: tuple[VoiceRow, ...]
    pairs: tuple[Pair, ...]
    answers: int
    labelled: int
    conflicts: int
    explored: int
    after_failure: int
    shadows: int


class Labels:
    """The labels of the log at `path`, with `given` trusts (`trust.parse`). Raises LogFailure when it cannot be read."""

    def __init__(self, path: Path | str, given: Mapping[str, float] | None = None) -> None:
        self.path = path
        self._said: dict[tuple[str, str, str], tuple[int, float]] = {}
        self._pairs: dict[tuple[str, str], Counts] = {}
        self._voices: set[str] = set()
        measured: dict[tuple[str, str], Hits] = {}
        for answer in answers(path):
            own = [label for label in answer.labels if label.note != SAME]
            self._count(answer, own)
            measure(measured, own, answer.task)
        self.trusts = Trusts(measured, standing(path), given or {})
        self.priors = Priors(self._said, self.trusts)

    def combined(self) -> Iterator[tuple[Answer, Combined]]:
        """Every answer that somebody spoke of, with what follows from it."""
        for answer in answers(self.path):
            if answer.labels:
                yield answer, self.of(answer)

    def of(self, answer: Answer) -> Combined:
        """What follows from the labels of one answer."""
        return combine(answer.labels, answer.task, self.trusts, self.priors.of(answer.task, answer.model))

    def overview(self) -> Overview:
        """The whole, for people to look at."""
        many = labelled = conflicts = explored = late = shadows = 0
        for answer in answers(self.path):
            many += 1
            explored += answer.propensity < 1.0
            late += answer.after_failure
            shadows += answer.way == "shadow"
            if answer.labels:
                found = self.of(answer)
                labelled += found.score is not None
                conflicts += found.conflict
        pairs = [Pair(one, other, counts.agreement()) for (one, other), counts in sorted(self._pairs.items())]
        return Overview(tuple(self._rows()), tuple(pairs), many, labelled, conflicts, explored, late, shadows)

    def _count(self, answer: Answer, own: Sequence[Label]) -> None:
        """What was taken over from an answer that says the same is no second opinion."""
        spoken, said = by_voice(answer.labels), by_voice(own)
        for voice, score in spoken.items():
            if voice not in self._voices and len(self._voices) >= MOST_VOICES:
                continue
            self._voices.add(voice)
            many, total = self._said.get((voice, answer.task, answer.model), (0, 0.0))
            self._said[voice, answer.task, answer.model] = many + 1, total + score
        for one, other in combinations(sorted(self._voices & said.keys()), 2):
            self._pairs.setdefault((one, other), Counts()).add(said[one], said[other])

    def _rows(self) -> Iterable[VoiceRow]:
        cells: dict[tuple[str, str], tuple[int, float]] = {}
        for (voice, task, _), (many, total) in self._said.items():
            before = cells.get((voice, task), (0, 0.0))
            cells[voice, task] = before[0] + many, before[1] + total
        for (voice, task), (many, total) in sorted(cells.items()):
            trust: Trust = self.trusts.of(voice, task)
            yield VoiceRow(voice, task, many, total / many, trust.value, trust.good, trust.bad, trust.how, trust.seen)


def standing(path: Path | str) -> Standing:
    """The newest verdict on every judge of a log's ledger."""
    with closing(LedgerReader(path)) as ledger:
        return ledger.judges()
