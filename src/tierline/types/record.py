"""One row of the decision log: enough to decide the request again, years later, and get the same decision."""

from __future__ import annotations

import msgspec

from tierline.types.decision import Attempt, Decision
from tierline.types.features import Features
from tierline.types.outcome import Aside, ErrorClass, Outcome, Usage, Verdict
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


class Tried(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An attempt as the log keeps it: no answer text, numbers only. Seconds and USD; `cost` covers the `asides`.

    Its fields are stored in their order, so new ones go to the end and have a default."""

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
    endpoint: str = ""
    wait: float = 0.0
    asides: tuple[Aside, ...] = ()

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
            outcome.endpoint,
            attempt.wait,
            outcome.asides,
        )


class Record(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One request, whole. `answered` names the tool that answered instead of a model, `asides` are the calls made before the first
    attempt (tools asked first, prepare steps, a classifier). `at` is Unix time in seconds; `view` is the part of the world that the
    decision read; `winner` the index into `tried` of the answer; `status` what the client was told; `overhead` seconds spent in
    Tierline itself."""

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
    answered: str = ""
    asides: tuple[Aside, ...] = ()

    @property
    def cost(self) -> float:
        """USD over every attempt and every call beside them."""
        if len(self.tried) == 1 and not self.asides:
            return self.tried[0].cost
        return sum(tried.cost for tried in self.tried) + sum(aside.cost for aside in self.asides)

    @property
    def model(self) -> str:
        """The model that answered; empty when none did."""
        return "" if self.winner is None else self.tried[self.winner].target

    @property
    def latency(self) -> float:
        """Seconds from the request to the end of its answer: of calls that ran together, the one that ended last counts."""
        tried = self.tried
        if len(tried) == 1 and not self.asides:
            return self.overhead + tried[0].elapsed + tried[0].wait
        seconds = self.overhead
        for aside in self.asides:
            seconds += aside.elapsed
        together = 0.0
        for attempt in tried:
            took = attempt.wait + attempt.elapsed
            if attempt.cause == "hedge":
                together = max(together, min(self.decision.hedge or 0.0, together) + took)
            elif attempt.cause == "branch":
                together = max(together, took)
            else:
                seconds += together
                together = took
        return seconds + together
