"""Every error Tierline raises on purpose.

TierlineError                     says what is wrong, where, and how to mend it
├── RequestError                  a request that gets an HTTP status
│   ├── BadRequest          400   malformed JSON, wrong types, too many messages
│   ├── CannotTranslate     400   no model that could answer speaks the client's dialect, and something of the request cannot be carried
│   ├── Unauthenticated     401   no key, or one that nobody knows
│   ├── BudgetSpent         402   a budget has nothing left for it
│   ├── Forbidden           403   a key that may not do this
│   ├── ContentBlocked      403   a request that its route's moderation does not let through
│   ├── UnknownModel        404   a model name that the spec does not have
│   ├── TooLarge            413   a body over the limit
│   ├── RateLimited         429   a key or a model has had its requests, tokens or places for now
│   ├── NoEligibleModel     4xx   every model was dropped; says which constraint removed which
│   ├── UpstreamFailed      502   every attempt failed, or a stream was cut
│   ├── Unavailable         503   draining, or the log cannot be written
│   ├── DeadlineExceeded    504   nothing answered in time
│   └── ClientClosed        499   the client went away; nobody is told, the log keeps it
├── ProviderFailure               one attempt gave no answer (never reaches a client as it is)
├── AnswererFailure               a tool that was asked first could not look (the request goes on to the models)
├── EvaluationFailure             data, a router or a gate that nothing can be measured with
├── SharedStateGone               the engine that workers and replicas share cannot be reached (each goes on with its own share)
├── SpecInvalid                   a spec with problems, all of them
└── LogFailure                    the decision log cannot be opened or written
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec

if TYPE_CHECKING:
    from tierline.types.outcome import ErrorClass


class TierlineError(Exception):
    """The root: `message` says what is wrong and how to mend it; it never holds prompt text or a secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(TierlineError):
    """A request that cannot be answered. `code` is a stable word for programs; `param` names the field at fault."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.retry_after = retry_after


class BadRequest(RequestError):
    """The body cannot be read as a request of its dialect, or a header has no meaning."""

    status = 400
    code = "invalid_request"


class CannotTranslate(RequestError):
    """The request cannot be carried over to the dialect of a model: something of it has no form there, or a strict route forbids its
    loss. A model that speaks the client's own dialect may still answer."""

    status = 400
    code = "cannot_translate"


class Unauthenticated(RequestError):
    """No key, or one that nobody knows."""

    status = 401
    code = "invalid_api_key"


class BudgetSpent(RequestError):
    """A budget has nothing left for this request; `retry_after` is when its period ends."""

    status = 402
    code = "budget_exhausted"


class Forbidden(RequestError):
    """A known key that may not do this."""

    status = 403
    code = "forbidden"


class ContentBlocked(RequestError):
    """The route's moderation does not let the request through, so no model answers it."""

    status = 403
    code = "content_blocked"


class UnknownModel(RequestError):
    """The client named a model, tier or route that the spec does not have."""

    status = 404
    code = "model_not_found"


class TooLarge(RequestError):
    """The body is over the limit."""

    status = 413
    code = "request_too_large"


class RateLimited(RequestError):
    """A key or a model has had what it may have for now; `retry_after` says when there is more."""

    status = 429
    code = "rate_limited"


class NoEligibleModel(RequestError):
    """Every model was dropped. The status follows the constraint: 400 capability or window, 402 price or budget,
    403 governance or key, 503 resting, busy or too slow."""

    code = "no_eligible_model"

    def __init__(self, message: str, status: int, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status  # type: ignore[misc]  # known only when it happens


class UpstreamFailed(RequestError):
    """Every attempt failed. The status is 502, or 429, 503 and 504 where all of them failed in that way, or the upstream's own 4xx
    where the request is the client's to mend: then `body` is the upstream's error body, which is passed on."""

    def __init__(
        self, message: str, *, status: int = 502, code: str = "upstream_failed", body: bytes = b"", retry_after: float | None = None
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status  # type: ignore[misc]  # known only when it happens
        self.code = code  # type: ignore[misc]
        self.body = body


class Unavailable(RequestError):
    """The gateway cannot take the request now."""

    status = 503
    code = "unavailable"


class DeadlineExceeded(RequestError):
    """Nothing answered in time."""

    status = 504
    code = "deadline_exceeded"


class ClientClosed(RequestError):
    """The client went away before its answer was complete."""

    status = 499
    code = "client_closed"


class ProviderFailure(TierlineError):
    """One attempt gave no answer: its class, the upstream's status (0: none came) and its own wish when to come back.

    `body` is the upstream's error body where it sent one, passed on for errors that are the client's to mend."""

    def __init__(self, kind: ErrorClass, message: str, *, status: int = 0, retry_after: float | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.kind: ErrorClass = kind
        self.status = status
        self.retry_after = retry_after
        self.body = body


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a spec: where it stands (`path` is dotted, `line` counts from 1), what is wrong and how to mend it.

    `severity` is `error` (the spec is refused) or `warning` (it is taken, and the problem shown)."""

    file: str
    line: int
    path: str
    reason: str
    suggestion: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" → {self.suggestion}" if self.suggestion else ""
        return f"{where}: {self.path or '(file)'}: {self.reason}{hint}"


class AnswererFailure(TierlineError):
    """A tool that was asked before the models could not look: its message says why and quotes neither request nor answer."""


class EvaluationFailure(TierlineError):
    """Nothing can be measured: the data, the router or the gate's file is at fault. Its message quotes no prompt."""


class SpecInvalid(TierlineError):
    """A spec with problems: all of them at once, errors and warnings."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [p for p in problems if p.severity == "error"]
        super().__init__(f"the spec has {len(errors)} problem{'s' if len(errors) != 1 else ''}:\n" + "\n".join(map(str, errors)))
        self.problems = tuple(problems)


class SharedStateGone(TierlineError):
    """The engine that workers and replicas share cannot be reached."""


class LogFailure(TierlineError):
    """The decision log cannot be opened, read or written."""


class LedgerAway(LogFailure):
    """The database that holds the ledger cannot be reached; nothing was changed, or what came of a change is not known."""
