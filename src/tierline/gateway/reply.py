"""An upstream's reply → an outcome, in one of three ways: taken whole, passed on to the client as it comes, or held for its checks."""

from __future__ import annotations

from tierline.gateway.downstream import Downstream, Opening
from tierline.gateway.means import cost
from tierline.gateway.renaming import Renamed, renamed, renamed_events
from tierline.gateway.stream import Read, hold, relay
from tierline.gateway.translate import words_of
from tierline.gateway.trial import Trial
from tierline.interfaces import StreamReader
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Answer, Outcome
from tierline.types.request import Request
from tierline.types.wire import Reply


async def taken_whole(trial: Trial, request: Request, reply: Reply) -> Outcome:
    """An answer that comes all at once; raises ProviderFailure."""
    lane, sent = trial.lane, trial.sent
    body = await reply.body()
    if sent.translation is None:
        answer, told = lane.dialect.read_answer(request, body)
        answer = renamed(answer, request.model)
        if trial.reads:
            trial.completion = lane.dialect.read_completion(body)
    else:
        trial.completion = completion = sent.translation.completion(lane.dialect, body)
        answer, told = sent.translation.answer(completion, sent.dropped), completion.usage
    usage = trial.usage(told, 0 if request.kind == "embeddings" else len(answer.text))
    return Outcome(ok=True, answer=answer, usage=usage, cost=cost(lane.model, usage), elapsed=trial.elapsed, status=reply.status)


async def passed_on(trial: Trial, request: Request, reply: Reply, client: Downstream, opening: Opening) -> Outcome:
    """A stream that reaches its client as it comes. Where validators look at it too, it is read meanwhile. Raises ProviderFailure while
    nothing has reached the client."""
    lane, sent = trial.lane, trial.sent
    trial.reader = reader = _reader(trial, request)
    if sent.translation is None:
        client = Renamed(client, reader, request.model)
    read = Read(reply, lane.dialect) if trial.reads else None
    end = await relay(read or reply, reader, client, opening, trial.content_by, trial.claim)
    if read is not None:
        trial.completion = read.completion
    usage = trial.usage(reader.usage, reader.output_chars)
    return Outcome(
        ok=not end.error,
        answer=Answer(request.dialect, finish=reader.finish or "error", served_model=reader.served_model),
        usage=usage,
        cost=cost(lane.model, usage),
        elapsed=trial.elapsed,
        ttft=None if end.committed_at is None else end.committed_at - trial.started,
        error=end.error,
        status=reply.status,
        detail=end.detail,
    )


async def held(trial: Trial, request: Request, reply: Reply) -> Outcome:
    """A stream that is kept back whole: `answer.body` is what its client gets when the course is over. Raises ProviderFailure."""
    lane, sent = trial.lane, trial.sent
    trial.reader = reader = _reader(trial, request)
    read = Read(reply, lane.dialect)
    body, content_at = await hold(read, reader, trial.content_by, trial.whole_by)
    trial.completion = completion = read.completion
    if completion is None:
        raise ProviderFailure("malformed", "the upstream's stream cannot be read as an answer")
    if sent.translation is None:
        body = renamed_events(body, reader.served_model, request.model)
    usage = trial.usage(reader.usage, reader.output_chars)
    answer = Answer(request.dialect, body, words_of(completion), reader.finish or "stop", reader.served_model, dropped=sent.dropped)
    ttft = content_at - trial.started
    return Outcome(True, answer, usage, cost(lane.model, usage), trial.elapsed, ttft, status=reply.status)


def _reader(trial: Trial, request: Request) -> StreamReader:
    dialect, translation = trial.lane.dialect, trial.sent.translation
    return dialect.reader(request) if translation is None else translation.reader(dialect)
