"""A call that an organ asks for: its prompt goes to a model, its reply comes back as words, and the request pays for it.

    told = await asker.told(Ask("mini", "Is this right? ..."), "refunds/judge", asides, left=3.0)

Validators, judges, prepare steps and classifiers ask so. Every call leaves an `Aside` in the list it is given, also one that failed or was
cancelled half-way. A model that governance or the request's key keeps from the request is never asked.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, time

import msgspec

from tierline.gateway.admission import Admission
from tierline.gateway.estimate import CHARS_PER_TOKEN, estimated
from tierline.gateway.means import Lane, Means, cost
from tierline.gateway.trace import Headers
from tierline.gateway.translate import Translation, words_of
from tierline.gateway.waiting import Waiting
from tierline.providers.rate_limits import retry_after
from tierline.state.live_model import Permit
from tierline.state.purse import Purse
from tierline.state.world import World
from tierline.types.ask import Ask, Told
from tierline.types.conversation import Conversation, Output, Reasoning, Sampling, Text, Turn
from tierline.types.errors import CannotTranslate, ProviderFailure
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Answer, Aside, ErrorClass, Outcome, Usage
from tierline.types.wire import Call

NOBODY = "tierline"
"""The dialect that a conversation of our own is made in: none of those that upstreams speak."""
THINKING_ROOM = 2048
"""Tokens that a model which thinks may take beyond those of its reply."""

_NO_TIME = 0.001
"""Seconds that a call is given at least."""


class Asker:
    """Makes the calls that are asked for on behalf of one request of that `task`; `waiting` is told of the time they take. They are
    paid for out of `purse`, where there is one; `admission` is their way in, where it is not the usual one."""

    __slots__ = ("_admission", "_features", "_headers", "_means", "_purse", "_reached", "_task", "_translation", "_waiting")

    def __init__(
        self,
        means: Means,
        world: World,
        features: Features,
        task: str,
        translation: Translation,
        headers: tuple[tuple[str, str], ...],
        waiting: Waiting,
        purse: Purse | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._means = means
        self._purse = purse
        self._admission = admission or Admission(world, features)
        self._features = features
        self._task = task
        self._translation = translation
        self._headers = headers
        self._waiting = waiting
        self._reached: frozenset[str] | None = None

    async def told(self, ask: Ask, purpose: str, asides: list[Aside], *, left: float | None = None, money: float | None = None) -> Told:
        """What came of it, charged to `asides` under that purpose. `left` is the seconds that the request has, `money` the USD.

        Never raises for what an upstream does; it is cancelled like any other call, and charged for what it was sent."""
        name = self._named(ask)
        lane = self._means.lanes.get(name)
        if lane is None:
            return _refused(asides, purpose, name, "not_found", f"there is no model {name!r} to ask" if name else "no model may be asked")
        if name not in self._reach():
            return _refused(asides, purpose, name, "auth", "governance or the key keeps the request from this model")
        seconds = min(limit for limit in (left, ask.timeout, lane.endpoint.timeout) if limit is not None)
        if seconds <= 0:
            return _refused(asides, purpose, name, "deadline", "the request has no time left")
        if money is not None and self._expected(ask, lane) > money:
            return _refused(asides, purpose, name, "", "it would cost more than the request may")
        try:
            body = self._body(ask, lane)
        except CannotTranslate as error:
            return _refused(asides, purpose, name, "untranslatable", error.message)
        if self._purse is not None:
            return await self._paid(ask, lane, body, purpose, asides, seconds, self._purse)
        return await self._made(ask, lane, body, purpose, asides, seconds)

    async def _paid(self, ask: Ask, lane: Lane, body: bytes, purpose: str, asides: list[Aside], seconds: float, purse: Purse) -> Told:
        """The call with what it may cost taken before, and what it did cost settled after."""
        made: list[Aside] = []
        tokens = self._input_tokens(ask) + ask.max_tokens
        held = await purse.take(lane.model.name, self._expected(ask, lane), tokens=tokens, overdraw=True)
        if held is None:
            return _refused(asides, purpose, lane.model.name, "budget", "a budget has not got what the call may cost")
        try:
            return await self._made(ask, lane, body, purpose, made, seconds)
        finally:
            asides.extend(made)
            purse.settle(held, sum([aside.cost for aside in made]), sum([aside.usage.input + aside.usage.output for aside in made]))

    def _named(self, ask: Ask) -> str:
        """The model to ask: the one named, else the first of the ladder that the request may be shown to."""
        return ask.model or next((name for name in self._means.ladder if name in self._reach()), "")

    def _reach(self) -> frozenset[str]:
        if self._reached is None:
            self._reached = self._means.reach(self._features, self._task)
        return self._reached

    def _expected(self, ask: Ask, lane: Lane) -> float:
        return cost(lane.model, Usage(input=self._input_tokens(ask), output=ask.max_tokens))

    def _input_tokens(self, ask: Ask) -> int:
        return self._features.input_tokens if ask.same else (len(ask.system) + len(ask.prompt)) // CHARS_PER_TOKEN + 1

    def _body(self, ask: Ask, lane: Lane) -> bytes:
        if ask.same:
            conversation = msgspec.structs.replace(self._translation.conversation, stream=False)
            return self._translation.body(lane.dialect, lane.model, conversation).body
        return lane.dialect.render_body(conversation_of(ask, lane), lane.model).body

    async def _made(self, ask: Ask, lane: Lane, body: bytes, purpose: str, asides: list[Aside], seconds: float) -> Told:
        name, started, under_way = lane.model.name, perf_counter(), False
        trace = self._waiting.trace
        told = () if trace is None else trace.aside(purpose, name, started)

        async def make(permit: Permit) -> Outcome:
            nonlocal under_way
            under_way = True
            return await self._outcome(ask, lane, body, permit, told, started, seconds)

        self._waiting.begin(started)
        try:
            outcome = await self._admission.through(name, seconds, make)
        except asyncio.CancelledError:
            sent = estimated(self._input_tokens(ask), 0) if under_way else NO_USAGE
            elapsed = perf_counter() - started
            asides.append(Aside(purpose, name, ok=False, cost=cost(lane.model, sent), elapsed=elapsed, usage=sent, error="cancelled"))
            raise
        finally:
            self._waiting.end(perf_counter())
        if not outcome.ok or outcome.answer is None:
            asides.append(Aside(purpose, name, ok=False, elapsed=outcome.elapsed, error=outcome.error, detail=outcome.detail))
            return Told(ok=False, elapsed=outcome.elapsed, detail=outcome.detail)
        asides.append(Aside(purpose, name, ok=True, cost=outcome.cost, elapsed=outcome.elapsed, usage=outcome.usage))
        return Told(ok=True, text=outcome.answer.text, usage=outcome.usage, cost=outcome.cost, elapsed=outcome.elapsed)

    async def _outcome(self, ask: Ask, lane: Lane, body: bytes, permit: Permit, told: Headers, started: float, seconds: float) -> Outcome:
        """The call itself, whatever comes of it. `seconds` counts from `started`."""
        left = max(started + seconds - perf_counter(), _NO_TIME)
        try:
            text, usage = await self._answered(ask, lane, body, permit, told, left)
        except ProviderFailure as failure:
            elapsed = perf_counter() - started
            return Outcome(ok=False, elapsed=elapsed, error=failure.kind, retry_after=failure.retry_after, detail=failure.message)
        paid = cost(lane.model, usage)
        return Outcome(ok=True, answer=Answer("", text=text), usage=usage, cost=paid, elapsed=perf_counter() - started)

    async def _answered(self, ask: Ask, lane: Lane, body: bytes, permit: Permit, told: Headers, seconds: float) -> tuple[str, Usage]:
        request = msgspec.structs.replace(self._translation.request, stream=False)
        path = lane.dialect.upstream_path(request, lane.model)
        own = ask.same and lane.dialect.name == request.dialect
        headers = (*lane.headers, *told, *(self._headers if own else ()))
        call = Call(lane.model, "chat", path, body, headers, timeout=seconds, request_id=request.id, door=permit.name)
        reply = await lane.provider.send(call)
        try:
            self._admission.heed(permit, reply)
            given = await reply.body()
            if not 200 <= reply.status < 300:
                kind, _ = lane.dialect.read_error(reply.status, given)
                raise ProviderFailure(kind, "", retry_after=retry_after(reply.headers, time(), given))
            completion = lane.dialect.read_completion(given)
        except ProviderFailure as failure:
            # The upstream's own words may quote what it was sent, and this goes into the log.
            raise ProviderFailure(failure.kind, f"status {reply.status}", retry_after=failure.retry_after) from None
        finally:
            await reply.close()
        text = words_of(completion)
        usage = completion.usage if completion.usage != NO_USAGE else estimated(self._input_tokens(ask), len(text))
        return text, usage


def conversation_of(ask: Ask, lane: Lane) -> Conversation:
    """An ask's own prompt as a conversation for that model. Where the model cannot be held to a schema it is told of it in words; one
    that thinks is told to think little, and has room for it."""
    can = lane.model.capabilities
    system, output = ask.system, Output()
    if ask.schema and "json_schema" in can:
        output = Output("json_schema", schema=ask.schema, name="reply")
    elif ask.schema:
        output = Output("json_object") if "json_object" in can else output
        system = f"{system}\n\nReply with one JSON object and nothing else. Its JSON Schema: {ask.schema.decode()}".strip()
    thinks = "reasoning" in can
    return Conversation(
        by=NOBODY,
        turns=(*((Turn("system", (Text(system),)),) if system else ()), Turn("user", (Text(ask.prompt),))),
        output=output,
        reasoning=Reasoning(effort="low") if thinks else Reasoning(),
        sampling=Sampling(max_tokens=ask.max_tokens + (THINKING_ROOM if thinks else 0)),
    )


def _refused(asides: list[Aside], purpose: str, name: str, error: ErrorClass, detail: str) -> Told:
    """A call that was not made."""
    asides.append(Aside(purpose, name, ok=False, error=error, detail=detail))
    return Told(ok=False, detail=detail)
