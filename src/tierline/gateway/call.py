"""One attempt: the request goes out to one model, and an outcome comes back, whatever happens.

    dialect.upstream_body → provider.send → read → validators → Outcome

Nothing here raises for what an upstream does wrong: that is an outcome, and the course decides what follows from it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from time import perf_counter
from typing import Any

import msgspec

from tierline.gateway.admission import Admission
from tierline.gateway.ask import Asker
from tierline.gateway.downstream import ClientGone, Downstream, Opening
from tierline.gateway.examine import Examiner
from tierline.gateway.feedback import told
from tierline.gateway.means import Lane, Means
from tierline.gateway.race import Claim
from tierline.gateway.reply import held, passed_on, taken_whole
from tierline.gateway.translate import Translation
from tierline.gateway.trial import Sent, Trial
from tierline.gateway.verdict import trailer
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.state.live_model import Permit
from tierline.state.world import World
from tierline.types.completion import Completion
from tierline.types.decision import Attempt
from tierline.types.errors import BadRequest, CannotTranslate, ProviderFailure
from tierline.types.outcome import Outcome, Result
from tierline.types.wire import Call

_NOT_READ = Outcome(ok=True, detail="answers of this kind are not compared")
"""What comes of a choice among embeddings."""


class Caller:
    """Makes the attempts of one request, which came at `arrived` (a reading of `perf_counter`) and is `explained` where its client
    wished so. What goes to models of other dialects is translated by `translation`; the client's `headers` go to those of its own.
    `waiting` is told of the time that upstreams take; `spent` is the USD that the request has cost already; `admission` is their way in,
    and that of what their validators ask, where it is not the usual one."""

    __slots__ = (
        "_admission", "_answers", "_arrived", "_beside", "_client", "_examiner", "_explained", "_headers", "_latest", "_means", "_request",
        "_spent", "_spent_before", "_streams", "_translation", "_waiting", "_weighed", "_world",
    )  # fmt: skip

    def __init__(
        self,
        means: Means,
        world: World,
        weighed: Weighed,
        client: Downstream | None,
        arrived: float,
        explained: str,
        translation: Translation,
        headers: tuple[tuple[str, str], ...],
        waiting: Waiting,
        spent: float = 0.0,
        admission: Admission | None = None,
    ) -> None:
        self._means = means
        self._world = world
        self._beside = admission
        self._admission = admission or Admission(world, weighed.features, weighed.decision)
        self._weighed = weighed
        self._request = weighed.request
        self._explained = explained
        self._client = client
        self._streams = weighed.request.stream and client is not None
        self._arrived = arrived
        self._translation = translation
        self._headers = headers
        self._waiting = waiting
        self._spent = spent
        self._spent_before = spent
        self._examiner: Examiner | None = None
        self._answers: dict[int, Completion] = {}
        self._latest: dict[str, Completion] = {}

    async def __call__(self, attempt: Attempt, claim: Claim | None = None) -> Outcome:
        """The outcome of one attempt. The client's going away is an outcome too: `cancelled`."""
        if attempt.wait and not await self._rested(attempt.wait):
            return _gone(0.0)
        if attempt.cause == "judge":
            return await self._chosen(attempt)
        lane = self._means.lanes[attempt.target]
        try:
            sent = self._sent(lane, attempt)
        except CannotTranslate as error:
            return Outcome(ok=False, error="untranslatable", detail=error.message)
        await self._world.turns.go_on()
        trial = self._trial(attempt, lane, sent, claim)
        self._waiting.begin(trial.started)
        try:
            outcome = await self._admission.through(
                attempt.target, trial.longest, lambda permit: self._made(trial, permit), waited=attempt.wait > 0
            )
        except asyncio.CancelledError:  # while it waited for its place: nothing was sent
            return _gone(trial.elapsed)
        finally:
            self._waiting.end(perf_counter())
        if trial.reads and outcome.ok:
            outcome = await self._examined(trial, outcome)
        self._spent += outcome.cost
        return outcome

    def _trial(self, attempt: Attempt, lane: Lane, sent: Sent, claim: Claim | None) -> Trial:
        """An attempt that begins now. Its answer is read where validators look at it, or where it is one of several. A stream is held for
        that, unless the decision passes it on before its verdict; and where the decision holds one, it holds them all, for a course that
        counts on nothing having been seen may ask another model after any of them."""
        stream, chat = self._weighed.decision.stream, self._request.kind == "chat"
        looked_at = chat and (attempt.cause == "branch" or bool(attempt.validators))
        kept_back = stream == "buffered" or attempt.cause == "branch" or (looked_at and stream != "optimistic")
        held = kept_back and chat and self._streams
        return Trial(attempt, lane, sent, claim, self._weighed.features.input_tokens, reads=looked_at or held, held=held)

    async def _rested(self, seconds: float) -> bool:
        """Lets a backoff pass; whether the client is still there."""
        self._waiting.begin(perf_counter())
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            return False
        finally:
            self._waiting.end(perf_counter())
        return True

    def _sent(self, lane: Lane, attempt: Attempt) -> Sent:
        """The body for one model; raises CannotTranslate."""
        own = lane.dialect.name == self._request.dialect
        if attempt.feedback:
            try:
                conversation = told(self._translation.conversation, self._latest.get(attempt.target), attempt.feedback)
            except BadRequest as error:
                raise CannotTranslate(error.message, param=error.param) from None
            rendered = self._translation.body(lane.dialect, lane.model, conversation)
        elif own:
            return Sent(lane.dialect.upstream_body(self._request, lane.model))
        else:
            rendered = self._translation.body(lane.dialect, lane.model)
        return Sent(rendered.body, rendered.dropped, None if own else self._translation)

    async def _made(self, trial: Trial, permit: Permit) -> Outcome:
        """The call itself, whatever comes of it."""
        request, lane, sent, reply = self._request, trial.lane, trial.sent, None
        headers = (*lane.headers, *self._headers) if sent.translation is None else lane.headers
        if (trace := self._waiting.trace) is not None:
            headers = (*headers, *trace.attempt(trial.attempt.number, trial.started))
        call = Call(
            lane.model,
            request.kind,
            lane.dialect.upstream_path(request, lane.model),
            sent.body,
            headers,
            stream=request.stream,
            timeout=trial.begin(),
            request_id=request.id,
            door=permit.name,
        )
        try:
            reply = await lane.provider.send(call)
            self._admission.heed(permit, reply)
            if not 200 <= reply.status < 300:
                return await trial.refused(reply)
            if trial.held:
                return await held(trial, request, reply)
            if self._streams and self._client is not None:
                opening = self._opening(trial.attempt.target, trial.attempt.number, trial.started, sent.dropped)
                return await passed_on(trial, request, reply, self._client, opening)
            return await taken_whole(trial, request, reply)
        except ProviderFailure as failure:
            return trial.failed(failure)
        except asyncio.CancelledError:
            return trial.cancelled()
        finally:
            if reply is not None:
                await reply.close()

    def _opening(self, model: str, attempts: int, now: float, dropped: tuple[str, ...]) -> Opening:
        overhead = now - self._arrived - self._waiting.total(now)
        return Opening(self._weighed.decision, model, attempts, overhead, self._explained, dropped)

    # what becomes of an answer that is looked at

    async def _chosen(self, attempt: Attempt) -> Outcome:
        """The choice among the answers of earlier attempts."""
        answers = [answer for at in attempt.of if (answer := self._answers.get(at + 1)) is not None]
        if len(answers) < len(attempt.of):
            return _NOT_READ
        outcome = await self._examining.chosen(attempt, answers, self._spent)
        self._spent += outcome.cost
        return outcome

    async def _examined(self, trial: Trial, outcome: Outcome) -> Outcome:
        committed = trial.reader is not None and not trial.held
        work = self._examining.examined(trial, outcome, self._spent + outcome.cost)
        judged = await (_whatever_happens(work) if committed else work)
        if trial.completion is not None:
            self._answers[trial.attempt.number] = self._latest[trial.attempt.target] = trial.completion
        if committed and self._client is not None:
            with contextlib.suppress(ClientGone, asyncio.CancelledError):
                await self._client.send(trailer(judged, self._request.dialect))
        return judged

    @property
    def _examining(self) -> Examiner:
        if self._examiner is None:
            means, weighed = self._means, self._weighed
            task, headers, purse = weighed.decision.task, self._headers, weighed.purse
            asker = Asker(
                means, self._world, weighed.features, task, self._translation, headers, self._waiting, purse, admission=self._beside
            )
            self._examiner = Examiner(means.validators, means.normalise, weighed, self._translation, asker)
        return self._examiner

    def answer_of(self, number: int) -> Completion | None:
        """What the attempt of that number answered, where it was read."""
        return self._answers.get(number)

    async def deliver(self, result: Result) -> Result:
        """Give the client of a stream the answer that was held for it, once the course is over. What has reached it already stands; where
        it has gone meanwhile, the result says so."""
        outcome, gone = result.outcome, result.stopped == "cancelled"
        if (
            self._client is None
            or not self._streams
            or gone
            or outcome is None
            or outcome.answer is None
            or not (outcome.ok and outcome.answer.body)
        ):
            return result
        answer = outcome.answer
        opening = self._opening(result.model, len(result.attempts), perf_counter(), answer.dropped)
        self._client.begin(msgspec.structs.replace(opening, cost=self._spent_before + result.cost, flagged=result.flagged))
        try:
            await self._client.send(answer.body)
        except (ClientGone, asyncio.CancelledError):
            return msgspec.structs.replace(result, stopped="cancelled")
        return result


async def _whatever_happens(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The verdict on an answer that its client has got is found to its end, though the client may be gone by then."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    return task.result()


def _gone(elapsed: float) -> Outcome:
    return Outcome(ok=False, elapsed=elapsed, error="cancelled", detail="the client went away")
