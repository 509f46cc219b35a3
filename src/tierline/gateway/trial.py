"""One attempt while it is being made, and the outcomes that come of one which gave no answer."""

from __future__ import annotations

from time import perf_counter, time

import msgspec

from tierline.gateway.estimate import estimated
from tierline.gateway.means import Lane, cost
from tierline.gateway.race import Claim
from tierline.gateway.translate import Translation
from tierline.interfaces import StreamReader
from tierline.providers.rate_limits import retry_after
from tierline.types.completion import Completion
from tierline.types.decision import Attempt
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import NO_USAGE, Answer, Outcome, Usage
from tierline.types.wire import Reply

_NO_TIME = 0.001
"""Seconds that a call is given at least: what has no time left at all ends as a time-out."""


class Sent(msgspec.Struct, frozen=True):
    """What goes to one model: the body in its dialect, what of the request that could not carry, and the translation back (None: the
    model speaks the client's own dialect, and bodies pass through)."""

    body: bytes
    dropped: tuple[str, ...] = ()
    translation: Translation | None = None


class Trial:
    """One attempt on its way. `reads`: its answer is looked at before it counts; `held`: its stream is kept back for that. `reader` and
    `completion` are there as soon as there is something to read and when it has been read; `input_tokens` is the router's estimate."""

    __slots__ = ("attempt", "claim", "completion", "content_by", "held", "input_tokens", "lane", "reader", "reads", "sent", "started")

    def __init__(
        self, attempt: Attempt, lane: Lane, sent: Sent, claim: Claim | None, input_tokens: int, *, reads: bool, held: bool
    ) -> None:
        self.attempt = attempt
        self.lane = lane
        self.sent = sent
        self.claim = claim
        self.input_tokens = input_tokens
        self.reads = reads
        self.held = held
        self.reader: StreamReader | None = None
        self.completion: Completion | None = None
        self.started = perf_counter()
        self.content_by = self.started

    @property
    def longest(self) -> float:
        """Seconds that it may take in all, a wait for its place included."""
        return self.lane.endpoint.timeout if self.attempt.timeout is None else self.attempt.timeout

    def begin(self) -> float:
        """The call is made now. Returns the seconds that its provider has; `content_by` is the reading of `perf_counter` at which they are
        over."""
        now, seconds = perf_counter(), self.lane.endpoint.timeout
        if self.attempt.timeout is not None:
            seconds = max(min(seconds, self.started + self.attempt.timeout - now), _NO_TIME)
        self.content_by = now + seconds
        return seconds

    @property
    def whole_by(self) -> float | None:
        """The reading of `perf_counter` at which the request's deadline is over, None where it has none."""
        return None if self.attempt.timeout is None else self.started + self.attempt.timeout

    @property
    def elapsed(self) -> float:
        """Seconds since it started."""
        return perf_counter() - self.started

    def failed(self, failure: ProviderFailure) -> Outcome:
        """The outcome of an attempt of which nothing reached the client. That an answer broke off half-way (`cut`) is then no more than
        a broken connection: another model may answer. The error's body is kept where it is in the client's dialect, and what of a held
        stream had come is paid for."""
        kind = "connect" if failure.kind == "cut" else failure.kind
        answer = Answer("", body=failure.body, finish="error") if failure.body and self.sent.translation is None else None
        usage = self._come() if self.held and self.reader is not None and self.reader.content else NO_USAGE
        return Outcome(
            False,
            answer,
            usage,
            cost(self.lane.model, usage),
            self.elapsed,
            error=kind,
            status=failure.status,
            retry_after=failure.retry_after,
            detail=failure.message,
        )

    async def refused(self, reply: Reply) -> Outcome:
        """The outcome of an error status; its body is kept where the client can read it, for errors that are its own to mend."""
        body = await reply.body()
        kind, detail = self.lane.dialect.read_error(reply.status, body)
        return Outcome(
            ok=False,
            answer=Answer(self.lane.dialect.name, body=body if self.sent.translation is None else b"", finish="error"),
            elapsed=self.elapsed,
            error=kind,
            status=reply.status,
            retry_after=retry_after(reply.headers, time(), body),
            detail=detail,
        )

    def cancelled(self) -> Outcome:
        """The outcome of an attempt that was cancelled: it is charged for what it was sent, and for what of its answer had come."""
        usage = self._come()
        paid = cost(self.lane.model, usage)
        return Outcome(ok=False, usage=usage, cost=paid, elapsed=self.elapsed, error="cancelled", detail="the client went away")

    def usage(self, told: Usage | None, output_chars: int) -> Usage:
        """What the upstream told, else an estimate."""
        return told or estimated(self.input_tokens, output_chars)

    def _come(self) -> Usage:
        reader = self.reader
        return estimated(self.input_tokens, 0) if reader is None else self.usage(reader.usage, reader.output_chars)
