"""What one attempt gave, and what the request gave."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tierline.types.decision import Attempt

ErrorClass = Literal[
    "",
    "connect",
    "timeout",
    "rate_limited",
    "overloaded",
    "server",
    "auth",
    "not_found",
    "bad_request",
    "context_exceeded",
    "content_filter",
    "untranslatable",
    "malformed",
    "cut",
    "idle",
    "outraced",
    "cancelled",
    "deadline",
    "budget",
]
"""Why a provider gave no answer. `bad_request` is the client's own fault: no other model would take it either, so it is final.
`untranslatable`: it could not be carried to the model's dialect, so it was not called; one of the client's own dialect may answer.
`cut`: the stream ended early, after its first content; `idle`: the upstream fell silent inside an answer; `outraced`: another attempt of
the round answered first, so this one was cancelled; `cancelled`: the client went away; `budget`: a budget had not got
what the call may cost, so it was not made."""


class Usage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Tokens of one call: `cached` and `cache_written` are parts of `input`, `reasoning` of `output`. `estimated` is true where
    the upstream told no usage and Tierline counted."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0
    estimated: bool = False


NO_USAGE = Usage()


class Verdict(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one validator said of one answer, as the log keeps it: `detail` quotes neither prompt nor answer; `score` in [0, 1] where it
    measured one."""

    validator: str
    passed: bool
    detail: str = ""
    score: float | None = None


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What a validator finds. `detail` is for the log and quotes nothing; `feedback` is for the model that answered and may quote its
    answer; `replacement` is the answer's text mended (a repaired JSON), to be given in its place."""

    passed: bool
    detail: str = ""
    score: float | None = None
    feedback: str = ""
    replacement: str | None = None


class Aside(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A call made beside the attempts and charged to the request: for a validator, a classifier, a prepare step, or to a tool that was
    asked first. `target` is the model or the tool; seconds and USD; `detail` quotes nothing."""

    purpose: str
    target: str
    ok: bool
    cost: float = 0.0
    elapsed: float = 0.0
    usage: Usage = NO_USAGE
    error: str = ""
    detail: str = ""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """An upstream's answer. `body` is the wire body of `dialect` (empty for a stream: its bytes went straight on); `text` the
    words of its first choice; `finish` the neutral stop reason: stop, length, tool_calls, content_filter or error.
    `dropped` names what of the request could not be carried to the upstream's dialect."""

    dialect: str
    body: bytes = b""
    text: str = ""
    finish: str = "stop"
    served_model: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    meta: Any = None
    dropped: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one attempt gave. `ok`: the provider answered; `accepted`: and every validator said yes. `elapsed` and `ttft` are
    seconds, `cost` USD. `retry_after` is the provider's own wish in seconds; `status` its HTTP status (0: none came);
    `detail` says in words what went wrong and holds no prompt text and no secret.

    `cost` covers the `asides`, the calls that its validators asked for; `feedback` is what they would tell the model that answered.
    `pick` is what a judge attempt chose: a place in its `of`, None for no choice. `endpoint` names the endpoint and key that were
    used, and `spare` how many others of the same model are neither tried nor resting."""

    ok: bool
    answer: Answer | None = None
    usage: Usage = NO_USAGE
    cost: float = 0.0
    elapsed: float = 0.0
    ttft: float | None = None
    verdicts: tuple[Verdict, ...] = ()
    error: ErrorClass = ""
    status: int = 0
    retry_after: float | None = None
    detail: str = ""
    feedback: str = ""
    asides: tuple[Aside, ...] = ()
    pick: int | None = None
    endpoint: str = ""
    spare: int = 0

    @property
    def accepted(self) -> bool:
        """It answered, and every validator said yes."""
        return self.ok and (not self.verdicts or all(verdict.passed for verdict in self.verdicts))


class Result(msgspec.Struct, frozen=True, gc=False):
    """What the request gave: every attempt with its outcome, in order, and which of them (by index) is the answer.

    `winner` is None when nothing answered. `flagged`: the answer is the best there was, but no validator accepted it.
    `truncated`: its stream was cut after the first content. `stopped` says what ended the course before its steps did:
    `deadline`, `max_cost`, `max_attempts`, `bad_request` or `cancelled`."""

    attempts: tuple[tuple[Attempt, Outcome], ...]
    winner: int | None = None
    flagged: bool = False
    truncated: bool = False
    stopped: Literal["", "deadline", "max_cost", "max_attempts", "bad_request", "cancelled"] = ""

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that answers the request, None when nothing answered."""
        return None if self.winner is None else self.attempts[self.winner][1]

    @property
    def model(self) -> str:
        """The name of the model that answered; empty when none did."""
        return "" if self.winner is None else self.attempts[self.winner][0].target

    @property
    def cost(self) -> float:
        """USD over every attempt, failed ones included."""
        if len(self.attempts) == 1:
            return self.attempts[0][1].cost
        return sum(outcome.cost for _, outcome in self.attempts)
