"""How far each voice is trusted: by default, by a team's own word, or as measured where it spoke beside a golden set or a reviewer.

A voice is a source and who of it speaks (`validator:orders/schema`, `judge:opus@1a2b3c4d5e6f`). Its trust is two shares: of good answers,
those that it calls good, and of bad ones, those that it calls bad; one figure, their mean (the balanced accuracy), stands for both.
So a check that passes everything is worth one half, which is nothing, however many answers are good. What is measured is drawn
towards what was assumed:

    share = (hits + K · assumed) / (n + K)                 K answers' worth of doubt

first over all tasks towards the default, then on each task towards the share over all. A judge that was not validated for a task has no
trust there, whatever anybody says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from tierline.ledger.judges import JudgeVerdict, verdict_on
from tierline.types.errors import EvaluationFailure
from tierline.types.label import Label, Source

K = 20.0
"""Answers seen beside a trusted label at which what is measured weighs as much as what was assumed."""

DEFAULTS: Mapping[str, float] = {"golden": 1.0, "review": 0.95, "feedback": 0.8, "validator": 0.7, "judge": 0.7}
"""What is assumed of a source. A judge's counts only once it is validated."""
OF_A_PIPELINE, OF_A_USER = 0.85, 0.75
ANCHORS: tuple[Source, ...] = ("golden", "review")
"""What the others are held against; reviews are held against golden labels themselves."""

How = Literal["assumed", "given", "measured", "not validated", "refused"]


class Trust(msgspec.Struct, frozen=True):
    """`good`: of good answers, the share called good; `bad`: of bad ones, the share called bad; `seen`: answers it was measured on."""

    good: float
    bad: float
    how: How = "assumed"
    seen: int = 0

    @property
    def value(self) -> float:
        """One figure in [0, 1]: the mean of both shares, 0 for a judge that may not speak."""
        return 0.0 if self.how in ("not validated", "refused") else (self.good + self.bad) / 2.0

    @property
    def information(self) -> float:
        """How much of what it says is no chance, in [0, 1] (Youden 1950: good + bad − 1)."""
        return max(0.0, self.good + self.bad - 1.0) if self.value else 0.0


class Hits:
    """How often a voice was right, of answers that a trusted label calls good and of those it calls bad; a graded label counts in parts."""

    __slots__ = ("bad", "good", "right_bad", "right_good")

    def __init__(self) -> None:
        self.good = self.right_good = self.bad = self.right_bad = 0.0

    def add(self, said: float, truth: float) -> None:
        """One answer: what the voice said, and what is so."""
        self.good += truth
        self.right_good += truth * said
        self.bad += 1.0 - truth
        self.right_bad += (1.0 - truth) * (1.0 - said)


Measured = Mapping[tuple[str, str], Hits]
"""By voice and task."""
Standing = Mapping[tuple[str, str], JudgeVerdict]


def voice_of(label: Label) -> str:
    """Who speaks."""
    return f"{label.source}:{label.by}" if label.by else label.source


def source_of(voice: str) -> str:
    """The source of a voice."""
    return voice.partition(":")[0]


def parse(given: Sequence[str]) -> dict[str, float]:
    """`SOURCE=TRUST` or `SOURCE:WHO=TRUST` → what is trusted; raises EvaluationFailure for another form, or a trust outside 0 to 1."""
    found = {}
    for one in given:
        voice, _, number = one.rpartition("=")
        try:
            found[voice] = float(number)
        except ValueError:
            found[voice] = -1.0
        if source_of(voice) not in DEFAULTS or not 0.0 <= found[voice] <= 1.0:
            raise EvaluationFailure(f"--trust {one}: write SOURCE=0…1 or SOURCE:WHO=0…1 with a source of {', '.join(DEFAULTS)}")
    return found


class Trusts:
    """The trust of every voice on every task. `given` is a team's own word, which what is measured still moves."""

    def __init__(self, measured: Measured, standing: Standing, given: Mapping[str, float]) -> None:
        self._measured = measured
        self._standing = standing
        self._given = given
        self._overall = _summed(measured)
        self._known: dict[tuple[str, str], Trust] = {}

    def of(self, voice: str, task: str) -> Trust:
        """A voice on a task; an empty task: over all."""
        known = self._known.get((voice, task))
        if known is None:
            known = self._known[voice, task] = self._found(voice, task)
        return known

    def _found(self, voice: str, task: str) -> Trust:
        base = self._assumed(voice, task)
        overall = self._overall.get(voice)
        if base.how in ("not validated", "refused") or overall is None or source_of(voice) == "golden":
            return base
        whole = _drawn(base, overall)
        here = self._measured.get((voice, task)) if task else None
        return whole if here is None else _drawn(whole, here)

    def _assumed(self, voice: str, task: str) -> Trust:
        source, _, who = voice.partition(":")
        if source == "judge":
            verdict = verdict_on(self._standing, who, task)
            if verdict is None or not verdict.valid:
                return Trust(0.5, 0.5, "not validated" if verdict is None else "refused")
            good, bad = (float(verdict.report.get(name) or DEFAULTS["judge"]) for name in ("right_of_good", "right_of_bad"))
            return Trust(good, bad, "measured", int(verdict.report.get("labels", 0)))
        for name in (voice, source):
            if name in self._given:
                return Trust(self._given[name], self._given[name], "given")
        default = DEFAULTS[source]
        if source == "feedback":
            default = OF_A_PIPELINE if who.endswith("/pipeline") else OF_A_USER if who.endswith("/user") else default
        return Trust(default, default)


def measure(measured: dict[tuple[str, str], Hits], labels: Iterable[Label], task: str) -> None:
    """Take in the labels of one answer: each voice is held against the most trusted anchor among the others."""
    labels = list(labels)
    anchors = {source: spoken for source in ANCHORS if (spoken := [label.score for label in labels if label.source == source])}
    if not anchors:
        return
    for voice, said in by_voice(labels).items():
        source = source_of(voice)
        anchor = next((name for name in ANCHORS if name in anchors and name != source), None)
        if source == "golden" or anchor is None:
            continue
        measured.setdefault((voice, task), Hits()).add(said, float(np.mean(anchors[anchor])))


def by_voice(labels: Iterable[Label]) -> dict[str, float]:
    """What each voice said of one answer: the mean where it spoke more than once."""
    said: dict[str, list[float]] = {}
    for label in labels:
        said.setdefault(voice_of(label), []).append(label.score)
    return {voice: sum(scores) / len(scores) for voice, scores in said.items()}


def _drawn(base: Trust, hits: Hits) -> Trust:
    good = (hits.right_good + K * base.good) / (hits.good + K)
    bad = (hits.right_bad + K * base.bad) / (hits.bad + K)
    return Trust(good, bad, "measured", round(hits.good + hits.bad))


def _summed(measured: Measured) -> dict[str, Hits]:
    whole: dict[str, Hits] = {}
    for (voice, _), hits in measured.items():
        one = whole.setdefault(voice, Hits())
        one.good, one.right_good = one.good + hits.good, one.right_good + hits.right_good
        one.bad, one.right_bad = one.bad + hits.bad, one.right_bad + hits.right_bad
    return whole
