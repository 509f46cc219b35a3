"""One attempt: the request goes out to one model, and an outcome comes back, whatever happens.

    dialect.upstream_body → provider.send → read → Outcome

Nothing here raises for what an upstream does wrong: that is an outcome, and the course decides what follows from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter, time

import msgspec

from tierline.gateway.admission import Admission
from tierline.gateway.downstream import Downstream, Opening
from tierline.gateway.estimate import estimated
from tierline.gateway.renaming import Renamed, renamed
from tierline.gateway.stream import relay
from tierline.gateway.translate import Translation
from tierline.gateway.weighed import Weighed
from tierline.interfaces import Dialect, Provider, StreamReader
from tierline.providers.rate_limits import retry_after
from tierline.state.live_model import Permit
from tierline.state.world import World
from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.decision import Attempt
from tierline.types.errors import CannotTranslate, ProviderFailure
from tierline.types.outcome import Answer, Outcome, Usage
from tierline.types.wire import Call, Reply

_NO_TIME = 0.001
"""Seconds that a call is given at least: what has no time left at all ends as a time-out."""


class Lane(msgspec.Struct, frozen=True):
    """How one model is reached: everything that a call to it needs, looked up once at load. `headers` are those that every upstream of its
    dialect wants."""

    model: Model
    endpoint: Endpoint
    provider: Provider
    dialect: Dialect
    headers: tuple[tuple[str, str], ...] = ()


class Sent(msgspec.Struct, frozen=True):
    """What goes to one model: the body in its dialect, what of the request that could not carry, and the translation back (None: the
    model speaks the client's own dialect, and bodies pass through)."""

    body: bytes
    dropped: tuple[str, ...] = ()
    translation: Translation | None = None


class Caller:
    """Makes the attempts of one request, which came at `arrived` (a reading of `perf_counter`) and is `explained` where its client
    wished so. What goes to models of other dialects is translated by `translation`; the client's `headers` go to those of its own.
    `waited` is how many seconds were spent on upstreams so far."""

    __slots__ = ("_admission", "_arrived", "_client", "_explained", "_headers", "_lanes", "_request", "_translation", "_weighed", "waited")

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        world: World,
        weighed: Weighed,
        client: Downstream | None,
        arrived: float,
        explained: str,
        translation: Translation,
        headers: tuple[tuple[str, str], ...],
    ) -> None:
        self._lanes = lanes
        self._admission = Admission(world, weighed.features, weighed.decision)
        self._weighed = weighed
        self._request = weighed.request
        self._explained = explained
        self._client = client
        self._arrived = arrived
        self._translation = translation
        self._headers = headers
        self.waited = 0.0

    async def __call__(self, attempt: Attempt) -> Outcome:
        """The outcome of one attempt. The client's going away is an outcome too: `cancelled`."""
        lane = self._lanes[attempt.target]
        try:
            sent = self._sent(lane)
        except CannotTranslate as error:
            return Outcome(ok=False, error="untranslatable", detail=error.message)
        started = perf_counter()
        longest = lane.endpoint.timeout if attempt.timeout is None else attempt.timeout
        try:
            return await self._admission.through(attempt.target, longest, lambda permit: self._made(lane, sent, attempt, permit, started))
        except asyncio.CancelledError:  # while it waited for a place
            return _gone(started)
        finally:
            self.waited += perf_counter() - started

    async def _made(self, lane: Lane, sent: Sent, attempt: Attempt, permit: Permit, started: float) -> Outcome:
        try:
            return await self._exchanged(lane, sent, attempt, permit, started)
        except ProviderFailure as failure:
            return failed(failure, perf_counter() - started, keep_body=sent.translation is None)
        except asyncio.CancelledError:
            return _gone(started)

    def _sent(self, lane: Lane) -> Sent:
        """The body for one model; raises CannotTranslate."""
        if lane.dialect.name == self._request.dialect:
            return Sent(lane.dialect.upstream_body(self._request, lane.model))
        rendered = self._translation.body(lane.dialect, lane.model)
        return Sent(rendered.body, rendered.dropped, self._translation)

    async def _exchanged(self, lane: Lane, sent: Sent, attempt: Attempt, permit: Permit, started: float) -> Outcome:
        request = self._request
        patience = lane.endpoint.timeout
        if attempt.timeout is not None:
            patience = max(min(patience, attempt.timeout - (perf_counter() - started)), _NO_TIME)
        content_by = perf_counter() + patience
        reply = await lane.provider.send(
            Call(
                lane.model,
                request.kind,
                lane.dialect.upstream_path(request, lane.model),
                sent.body,
                (*lane.headers, *self._headers) if sent.translation is None else lane.headers,
                stream=request.stream,
                timeout=patience,
                request_id=request.id,
                door=permit.name,
            )
        )
        try:
            self._admission.heed(permit, reply)
            if reply.status >= 400:
                return await _refused(lane, sent, reply, started)
            if request.stream and self._client is not None:
                return await self._streamed(lane, sent, attempt, reply, started, content_by)
            return await self._whole(lane, sent, reply, started)
        finally:
            await reply.close()

    async def _whole(self, lane: Lane, sent: Sent, reply: Reply, started: float) -> Outcome:
        body = await reply.body()
        if sent.translation is None:
            answer, usage = lane.dialect.read_answer(self._request, body)
            answer = renamed(answer, self._request.model)
        else:
            answer, usage = sent.translation.answer(lane.dialect, body, sent.dropped)
        usage = usage or self._estimated(len(answer.text))
        elapsed = perf_counter() - started
        return Outcome(ok=True, answer=answer, usage=usage, cost=cost(lane.model, usage), elapsed=elapsed, status=reply.status)

    async def _streamed(self, lane: Lane, sent: Sent, attempt: Attempt, reply: Reply, started: float, content_by: float) -> Outcome:
        assert self._client is not None
        client, reader = self._client, self._reader(lane, sent)
        if sent.translation is None:
            client = Renamed(client, reader, self._request.model)
        overhead = started - self._arrived - self.waited
        opening = Opening(self._weighed.decision, attempt.target, attempt.number, overhead, self._explained, sent.dropped)
        end = await relay(reply, reader, client, opening, content_by)
        usage = reader.usage or self._estimated(reader.output_chars)
        ttft = None if end.committed_at is None else end.committed_at - started
        answer = Answer(self._request.dialect, finish=reader.finish or "error", served_model=reader.served_model)
        return Outcome(
            ok=not end.error,
            answer=answer,
            usage=usage,
            cost=cost(lane.model, usage),
            elapsed=perf_counter() - started,
            ttft=ttft,
            error=end.error,
            status=reply.status,
            detail=end.detail,
        )

    def _reader(self, lane: Lane, sent: Sent) -> StreamReader:
        return lane.dialect.reader(self._request) if sent.translation is None else sent.translation.reader(lane.dialect)

    def _estimated(self, output_chars: int) -> Usage:
        return estimated(self._weighed.features.input_tokens, 0 if self._request.kind == "embeddings" else output_chars)


def cost(model: Model, usage: Usage) -> float:
    """USD of one call at the model's list price."""
    return model.price.cost(usage.input, usage.output, usage.cached, usage.cache_written)


def failed(failure: ProviderFailure, elapsed: float, *, keep_body: bool) -> Outcome:
    """The outcome of an attempt of which nothing reached the client. That an answer broke off half-way (`cut`) is then no more than
    a broken connection: another model may answer. `keep_body`: the upstream's error body is in the client's dialect."""
    kind = "connect" if failure.kind == "cut" else failure.kind
    answer = Answer("", body=failure.body, finish="error") if failure.body and keep_body else None
    return Outcome(
        False, answer, elapsed=elapsed, error=kind, status=failure.status, retry_after=failure.retry_after, detail=failure.message
    )


async def _refused(lane: Lane, sent: Sent, reply: Reply, started: float) -> Outcome:
    """The outcome of an error status; its body is kept where the client can read it, for errors that are its own to mend."""
    body = await reply.body()
    kind, detail = lane.dialect.read_error(reply.status, body)
    return Outcome(
        ok=False,
        answer=Answer(lane.dialect.name, body=body if sent.translation is None else b"", finish="error"),
        elapsed=perf_counter() - started,
        error=kind,
        status=reply.status,
        retry_after=retry_after(reply.headers, time(), body),
        detail=detail,
    )


def _gone(started: float) -> Outcome:
    return Outcome(ok=False, error="cancelled", elapsed=perf_counter() - started, detail="the client went away")
