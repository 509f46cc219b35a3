"""One row of the decision log: enough to decide the request again, years later, and get the same decision."""

from __future__ import annotations

import msgspec

from tierline.types.decision import Attempt, Decision
from tierline.types.features import Features
from tierline.types.outcome import ErrorClass, Outcome, Usage, Verdict
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


class Tried(msgspec.Struct, frozen=True, array_like=True):
    """An attempt as the log keeps it: no answer text, numbers only. Seconds and USD."""

    target: str
    cause: str
    ok: bool
    cost: float
    elapsed: float
    ttft: float | None
    usage: Usage
    error: ErrorClass = ""
    status: int = 0
    verdicts: tuple[Verdict, ...] = ()
    served_model: str = ""

    @classmethod
    def of(cls, attempt: Attempt, outcome: Outcome) -> Tried:
        """The loggable part of one attempt and its outcome."""
        served = outcome.answer.served_model if outcome.answer is not None else ""
        return cls(
            attempt.target,
            attempt.cause,
            outcome.ok,
            outcome.cost,
            outcome.elapsed,
            outcome.ttft,
            outcome.usage,
            outcome.error,
            outcome.status,
            outcome.verdicts,
            served,
        )


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request, whole. `at` is Unix time in seconds; `view` is the part of the world that the decision read; `winner` the index
    into `tried` of the answer; `status` what the client was told; `overhead` seconds spent in Tierline itself."""

    at: float
    features: Features
    decision: Decision
    tried: tuple[Tried, ...] = ()
    scores: Scores = NO_SCORES
    view: View = NO_VIEW
    winner: int | None = None
    status: int = 200
    error: str = ""
    stopped: str = ""
    flagged: bool = False
    truncated: bool = False
    overhead: float = 0.0

    @property
    def cost(self) -> float:
        """USD over every attempt."""
        return sum(tried.cost for tried in self.tried)

    @property
    def model(self) -> str:
        """The model that answered; empty when none did."""
        return "" if self.winner is None else self.tried[self.winner].target
