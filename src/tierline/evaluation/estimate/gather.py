"""Counting while evidence is read: means, deviations, and a few requests that stand for the others."""

from __future__ import annotations

from tierline.evaluation.estimate.evidence import Cell, Sample, Seen, Tally
from tierline.types.features import Features
from tierline.types.scores import Scores

SAMPLES = 200
"""Seconds kept of one model in one task."""
REQUESTS = 20
"""Requests kept of one task that went one way."""


class Counting:
    """Count, mean and deviation of numbers as they come."""

    def __init__(self) -> None:
        self.n = 0
        self._mean = self._squares = 0.0

    def add(self, value: float) -> None:
        """One more (Welford's update)."""
        self.n += 1
        off = value - self._mean
        self._mean += off / self.n
        self._squares += off * (value - self._mean)

    def tally(self) -> Tally:
        """What came together."""
        return Tally(self.n, self._mean, (self._squares / (self.n - 1)) ** 0.5 if self.n > 1 else 0.0)


class CellSoFar:
    """One model in one task."""

    def __init__(self) -> None:
        self.labels, self.accepted = Counting(), Counting()
        self.tokens, self.thinking = Counting(), Counting()
        self._seconds: list[float] = []
        self._answers = 0

    def answered(self, tokens: float, thinking: float, seconds: float) -> None:
        """One answer; the seconds of every so-manieth are kept, so that all of the time is in them."""
        self.tokens.add(max(tokens - thinking, 0.0))
        self.thinking.add(thinking)
        if len(self._seconds) < SAMPLES:
            self._seconds.append(seconds)
        else:
            place = (self._answers * 2_654_435_761) % (self._answers + 1)
            if place < SAMPLES:
                self._seconds[place] = seconds
        self._answers += 1

    def cell(self) -> Cell:
        """What came together. Answers that checks rejected were given to nobody, so nobody judged them; they count as not good enough."""
        accepted, labels = self.accepted.tally(), self.labels.tally()
        scores = Tally(labels.n, labels.mean * accepted.mean, labels.sd) if accepted.n else labels
        return Cell(scores, accepted, self.tokens.tally(), self.thinking.tally(), tuple(self._seconds), self._answers)


class TaskSoFar:
    """One task's requests."""

    def __init__(self) -> None:
        self.requests = self.by_tool = self.asked = 0
        self.tokens_in, self.cached = Counting(), Counting()
        self._ways: dict[str, list[tuple[Features, Scores]]] = {}
        self._counts: dict[str, int] = {}

    def keep(self, way: str, features: Features, scores: Scores) -> None:
        """A request that went this way (was asked of this model first): the first few of each way are kept, and stand for all of them."""
        self._counts[way] = self._counts.get(way, 0) + 1
        kept = self._ways.setdefault(way, [])
        if len(kept) < REQUESTS:
            kept.append((features, scores))

    def seen(self) -> Seen:
        """What came together."""
        samples = tuple(
            Sample(features, scores, self._counts[way] / len(kept)) for way, kept in self._ways.items() for features, scores in kept
        )
        return Seen(self.requests, self.tokens_in.tally(), self.cached.tally(), self.by_tool, self.asked, samples)
