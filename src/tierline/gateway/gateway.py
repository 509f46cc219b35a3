"""One spec at work: `Gateway.answer` is the whole story of a request, and the executable table of contents of the house.

    extract → settle, score → view → decide → pursue, driven → settle the world → log

A gateway never changes after it is made. A new spec makes a new one (`gateway/reload`); what outlives a spec (the world, the
log, unchanged providers) is handed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import PrepareSpec
from tierline.gateway.ask import Asker
from tierline.gateway.call import Caller
from tierline.gateway.classify import Classifier, classifier_for, classifiers_of
from tierline.gateway.downstream import ClientGone, Downstream, Opening
from tierline.gateway.drive import drive
from tierline.gateway.failure import error_of
from tierline.gateway.ids import Ids
from tierline.gateway.means import Means
from tierline.gateway.prepare import Preparations, prepare
from tierline.gateway.purse import Funds, Paid
from tierline.gateway.shadow.shadows import Shadows
from tierline.gateway.texts import Text, Texts
from tierline.gateway.tools_first import (
    NOT_ASKED,
    Found,
    ToolsFirst,
    ask_tools,
    overheard,
    remember,
    rendered,
    streamed,
    with_headers,
)
from tierline.gateway.translate import Translation
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.interfaces import DecisionLog, Dialect, Scorer
from tierline.routing.explain import explain
from tierline.routing.explain_tools import told_first
from tierline.routing.extract import Extractor
from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.state.purse import Purse
from tierline.state.rates import Turn
from tierline.state.world import World
from tierline.types.access import ANYONE, Key
from tierline.types.decision import Decision
from tierline.types.errors import ClientClosed, Forbidden, LogFailure, RequestError, Unavailable
from tierline.types.features import Features
from tierline.types.hints import NO_HINTS, Hints
from tierline.types.outcome import Answer, Result
from tierline.types.record import Record, Tried
from tierline.types.request import Request
from tierline.types.scores import NO_SCORES


class Asked(msgspec.Struct, frozen=True):
    """A request as a face hands it over: parsed, with who asks, what they hinted, the body's bytes and the reading of `perf_counter`
    at which it came. `headers` are those of the client's that upstreams of its dialect read too; they go to no other. `turn` is its
    part of its key's limits."""

    request: Request
    key: Key = ANYONE
    hints: Hints = NO_HINTS
    body: bytes = b""
    started: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    turn: Turn | None = None


class Answered(msgspec.Struct, frozen=True):
    """What came of a request. `error` is set where nothing (or, of a stream, not all) was answered; its status is what the client
    is told. `overhead` is seconds spent in Tierline itself; `explained` the decision in sentences, where the client wished for them.
    `found` is what came of the tools that were asked first, `told` the answer of the one that had it."""

    decision: Decision
    result: Result
    error: RequestError | None = None
    overhead: float = 0.0
    explained: str = ""
    found: Found = NOT_ASKED
    told: Answer | None = None

    @property
    def answer(self) -> Answer | None:
        """What answers the request, a model's or a tool's; None when nothing does."""
        return self.told if self.result.outcome is None else self.result.outcome.answer

    @property
    def cost(self) -> float:
        """USD over every attempt and every call beside them."""
        return self.result.cost + self.found.cost

    @property
    def tokens(self) -> int:
        """Tokens in and out of every attempt and every call beside them."""
        beside = [aside.usage for _, outcome in self.result.attempts for aside in outcome.asides] + [
            aside.usage for aside in self.found.asides
        ]
        return sum(usage.input + usage.output for usage in [*(outcome.usage for _, outcome in self.result.attempts), *beside])

    @property
    def status(self) -> int:
        """The HTTP status: 200, or the error's."""
        return 200 if self.error is None else self.error.status


class Gateway:
    """One spec, assembled. `means` says how each model is reached, `scorers` who speaks for each route, `dialects` what clients may
    speak; `tools` are asked before any model, `preparations` are what is done to a request first, `shadows` answer beside once it is
    answered; `observe` sees every record as it is logged. `in_flight` counts the requests that run on it; `said` is where a face
    keeps what it says of a route, task and model."""

    def __init__(
        self,
        loaded: Loaded,
        router: Router,
        means: Means,
        scorers: Mapping[str, Scorer],
        dialects: Mapping[str, Dialect],
        world: World,
        log: DecisionLog,
        observe: Callable[[Record], None],
        tools: ToolsFirst,
        shadows: Shadows | None = None,
    ) -> None:
        self.loaded = loaded
        self.means = means
        self.lanes = means.lanes
        self.scorers = scorers
        self.dialects = dialects
        self.world = world
        self.log = log
        self.router = router
        self.tools = tools
        self.shadows = shadows
        self.preparations = Preparations(loaded)
        self.classifiers = classifiers_of(loaded, means)
        self.funds = Funds(world.budgets)
        self.in_flight = 0
        self.said: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._new_id = Ids(member=world.member)
        self._extract = Extractor(loaded)
        self._texts = Texts(loaded)
        self._observe = observe
        self._strict = frozenset(name for name, route in loaded.spec.routes.items() if route.strict)
        self._most_waiting = loaded.spec.decision_log.max_queue

    async def answer(self, asked: Asked, client: Downstream | None = None) -> Answered:
        """Answer one request; a stream goes to `client` from its first content on. What fails is told in `Answered.error`; raised is
        only what cannot be decided at all (RequestError) and what should not happen."""
        request = self.admit(asked)
        features = self._extract(request, asked.key)
        if asked.turn is not None:
            await self.world.reserve(asked.turn, features.input_tokens + features.output_tokens)
        purse: Purse | None = None
        try:
            weighed = self.weigh(request, features)
            texts = self._texts.of(features, client)
            stream = None if client is None else texts or client
            tools = self.tools.of(request)
            seen = with_headers(request, asked.headers) if tools else request
            found = await ask_tools(tools, seen, features, weighed.decision.deadline) if tools else NOT_ASKED
            if self.funds.active and not found.ends_it:
                weighed, found = await self.funds.funded(weighed, lambda: self.weigh(request, features), found)
                purse = weighed.purse
            waiting = Waiting(found.elapsed)
            if not found.ends_it and (steps := self.preparations.of(request)):
                weighed, found = await self._prepared(steps, weighed, asked, found, waiting)
            if weighed.scores.abstained and not found.ends_it and (small := classifier_for(self.classifiers, weighed)):
                weighed, found = await self._classified(small, weighed, asked, found, waiting)
            explained = self._explained(weighed, found) if features.hints.explain else ""
            if found.ends_it:
                return await self._told(weighed, asked, found, texts, stream, explained)
            heard = overheard(tools, stream, weighed.decision.shadows)
            translation, spent, arrived = self._translation(weighed), found.cost, asked.started
            caller = Caller(
                self.means, self.world, weighed, heard or stream, arrived, explained, translation, asked.headers, waiting, spent
            )
            calls = caller if purse is None else Paid(caller, purse, weighed.decision)
            result = await drive(pursue(weighed.decision, found.elapsed, spent), calls)
            if client is not None:
                result = await caller.deliver(result)
            self.world.settle(weighed.features, result)
            error = error_of(weighed.decision, result, found.elapsed)
            if purse is not None:
                error = self.funds.refused(weighed.decision, result, error)
            answered = Answered(weighed.decision, result, error, perf_counter() - asked.started - waiting.seconds, explained, found)
            self._put(weighed, answered, None if texts is None else texts.bytes(asked.body, answered.answer, flagged=result.flagged))
            remember(tools, seen, self.dialects[request.dialect], result, heard)
            if weighed.decision.shadows and self.shadows is not None:
                self.shadows.begin(weighed, asked.headers, len(asked.body), result, heard)
        except RequestError:
            raise
        except Exception:
            self._put_incident(features)
            raise
        finally:
            if purse is not None:
                purse.close()
        return answered

    def admit(self, asked: Asked) -> Request:
        """The request under its own id, with the route or the override that its model name means.

        Raises UnknownModel, Forbidden where the key may not use the route, and Unavailable where the log has no room for its row: a
        request that cannot be logged is not begun."""
        if self.log.waiting >= self._most_waiting:
            raise Unavailable(f"the decision log takes no more rows: {self.log.problem}", retry_after=1.0)
        request, key, hints = asked.request, asked.key, asked.hints
        address = self.router.address(request.model)
        route = address.route
        if key.routes and route not in key.routes:
            raise Forbidden(f"the key {key.name!r} may not use the route {route!r} → it may use {', '.join(sorted(key.routes))}")
        if address.model or address.tier:
            hints = msgspec.structs.replace(hints, model=address.model or hints.model, tier=address.tier or hints.tier)
        return msgspec.structs.replace(request, id=self._new_id(), route=route, key=key.name, hints=hints)

    def weigh(self, request: Request, features: Features) -> Weighed:
        """Decide on an admitted request, without calling anything."""
        settled = self.router.settle(features)
        scores = NO_SCORES if settled is not None else self.scorers[features.route].score(request, features)
        view = self.world.view(features)
        return Weighed(request, features, scores, view, self.router.decide(features, scores, view, settled))

    def rehearse(self, asked: Asked) -> Weighed:
        """A dry run: the decision that the request would get now. Nothing is called and nothing is logged."""
        request = self.admit(asked)
        return self.weigh(request, self._extract(request, asked.key))

    def _translation(self, weighed: Weighed) -> Translation:
        request, tokens = weighed.request, weighed.features.input_tokens
        return Translation(self.dialects[request.dialect], request, strict=request.route in self._strict, input_tokens=tokens)

    async def _prepared(
        self, steps: Sequence[PrepareSpec], weighed: Weighed, asked: Asked, found: Found, waiting: Waiting
    ) -> tuple[Weighed, Found]:
        """The request as its route's steps leave it, decided on anew where they changed it, and what they were told."""
        request, features, decision = weighed.request, weighed.features, weighed.decision
        asker = Asker(self.means, self.world, features, decision.task, self._translation(weighed), asked.headers, waiting, weighed.purse)
        left, money = decision.deadline - found.elapsed, decision.max_cost
        done = await prepare(
            steps, request, self.dialects[request.dialect], asker, lambda now: self._extract(now, asked.key).input_tokens, left, money
        )
        found = msgspec.structs.replace(
            found,
            asides=(*found.asides, *done.asides),
            elapsed=found.elapsed + done.elapsed,
            cancelled=done.cancelled,
            blocked=done.blocked,
        )
        if done.request is request:
            return weighed, found
        again = msgspec.structs.replace(self._extract(done.request, asked.key), session=features.session)
        reweighed = self.weigh(done.request, again)
        return reweighed if weighed.purse is None else msgspec.structs.replace(reweighed, purse=weighed.purse), found

    async def _classified(self, small: Classifier, weighed: Weighed, asked: Asked, found: Found, waiting: Waiting) -> tuple[Weighed, Found]:
        """The request decided on again, in the same world, with what a small model said it is; the answer's own USD are not spent on
        that."""
        decision = weighed.decision
        asker = Asker(self.means, self.world, weighed.features, "", self._translation(weighed), asked.headers, waiting, weighed.purse)
        money = None if decision.max_cost is None else decision.max_cost - found.cost - sum(decision.steps[0].costs[:1])
        done = await small.ask(weighed, asker, waiting, decision.deadline - found.elapsed, money)
        asides, elapsed = (*found.asides, *done.asides), found.elapsed + done.elapsed
        found = msgspec.structs.replace(found, asides=asides, elapsed=elapsed, cancelled=done.cancelled)
        decision = self.router.decide(weighed.features, done.scores, weighed.view)
        return msgspec.structs.replace(weighed, scores=done.scores, decision=decision), found

    async def _told(
        self, weighed: Weighed, asked: Asked, found: Found, texts: Text | None, client: Downstream | None, explained: str
    ) -> Answered:
        """What a tool answered, in the client's dialect; or the row of a request that was blocked, or whose client went away."""
        request, dialect = weighed.request, self.dialects[weighed.request.dialect]
        overhead = perf_counter() - asked.started - found.elapsed
        gone = ClientClosed("the request was cancelled before its answer was complete") if found.cancelled else None
        error: RequestError | None = gone or found.blocked
        told: Answer | None = None
        if found.answer is not None and request.stream and client is not None:
            told = Answer(dialect.name)
            try:
                await streamed(found.answer, dialect, request, client, Opening(weighed.decision, "", 0, overhead, explained, (), found.by))
            except ClientGone:
                error = gone = ClientClosed("the client went away before its answer was complete")
        elif found.answer is not None:
            told = rendered(found.answer, dialect, request)
        result = Result((), stopped="" if gone is None else "cancelled")
        answered = Answered(weighed.decision, result, error, overhead, explained, found, told)
        self._put(weighed, answered, None if texts is None else texts.bytes(asked.body, told, flagged=found.blocked is not None))
        return answered

    def _explained(self, weighed: Weighed, found: Found) -> str:
        told = explain(self.router, weighed.features, weighed.scores, weighed.view, weighed.decision).sentences
        return " ".join([*told_first(found.by, found.asides), *told])

    def _put(self, weighed: Weighed, answered: Answered, text: bytes | None) -> None:
        result, decision = answered.result, weighed.decision
        if weighed.purse is not None:
            weighed.purse.square(answered.cost)
        record = Record(
            at=time.time(),
            features=weighed.features,
            decision=decision,
            tried=tuple([Tried.of(attempt, outcome) for attempt, outcome in result.attempts]),
            scores=weighed.scores,
            view=self.router.seen(weighed.features, decision, weighed.view),
            winner=result.winner,
            status=answered.status,
            error="" if answered.error is None else answered.error.code,
            stopped=result.stopped,
            flagged=result.flagged,
            truncated=result.truncated,
            overhead=answered.overhead,
            answered=answered.found.by,
            asides=answered.found.asides,
        )
        self._keep(record, text)

    def _put_incident(self, features: Features) -> None:
        """The row of a request on which Tierline itself failed."""
        decision = Decision(features.request_id, features.route, self.loaded.fingerprint, (), draw=features.draw)
        self._keep(Record(at=time.time(), features=features, decision=decision, status=500, error="internal_error"), None)

    def _keep(self, record: Record, text: bytes | None) -> None:
        try:
            self.log.put(record, text)
        except LogFailure as failure:
            raise Unavailable(f"the decision log cannot take the row: {failure.message}", retry_after=1.0) from None
        self._observe(record)
