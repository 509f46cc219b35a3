"""A request that no model answers: a tool did, it was blocked, or its client went away while it waited."""

from __future__ import annotations

from time import perf_counter

from tierline.gateway.answered import Answered
from tierline.gateway.downstream import ClientGone, Downstream, Opening
from tierline.gateway.tools_first import Found, rendered, streamed
from tierline.gateway.weighed import Weighed
from tierline.interfaces import Dialect
from tierline.types.errors import ClientClosed, RequestError
from tierline.types.outcome import Answer, Result


async def told(weighed: Weighed, found: Found, dialect: Dialect, client: Downstream | None, started: float, explained: str) -> Answered:
    """What a tool answered, in the client's dialect, streamed where it wished for a stream; or why nothing is answered. `started` is the
    reading of `perf_counter` when the request came."""
    request = weighed.request
    overhead = perf_counter() - started - found.elapsed
    gone = ClientClosed("the request was cancelled before its answer was complete") if found.cancelled else None
    error: RequestError | None = gone or found.blocked or found.refused
    answer: Answer | None = None
    if found.answer is not None and request.stream and client is not None:
        answer = Answer(dialect.name)
        try:
            await streamed(found.answer, dialect, request, client, Opening(weighed.decision, "", 0, overhead, explained, (), found.by))
        except ClientGone:
            error = gone = ClientClosed("the client went away before its answer was complete")
    elif found.answer is not None:
        answer = rendered(found.answer, dialect, request)
    result = Result((), stopped="" if gone is None else "cancelled")
    return Answered(weighed.decision, result, error, overhead, explained, found, answer)
