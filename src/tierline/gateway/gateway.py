"""One spec at work: `Gateway.answer` is the whole story of a request, and the executable table of contents of the house.

    extract → settle, score → view → decide → pursue, driven → settle the world → log

A gateway never changes after it is made. A new spec makes a new one (`gateway/reload`); what outlives a spec (the world, the
log, unchanged providers) is handed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import PrepareSpec
from tierline.gateway.answered import Answered
from tierline.gateway.arms import Given, kept, to_another_spec, too_late
from tierline.gateway.ask import Asker
from tierline.gateway.asked import Asked
from tierline.gateway.call import Caller
from tierline.gateway.classify import Classifier, classifier_for, classifiers_of
from tierline.gateway.downstream import Downstream
from tierline.gateway.drive import drive
from tierline.gateway.failure import error_of
from tierline.gateway.guarded import Guard, revealed
from tierline.gateway.ids import Ids
from tierline.gateway.means import Means
from tierline.gateway.prepare import Preparations, prepare
from tierline.gateway.purse import Funds, Paid, paying
from tierline.gateway.rehearsal import Rehearsal
from tierline.gateway.rows import Rows
from tierline.gateway.shadow.shadows import Shadows
from tierline.gateway.texts import Text, Texts
from tierline.gateway.told import told
from tierline.gateway.tools_first import NOT_ASKED, Found, ToolsFirst, ask_tools, overheard, remember, with_headers
from tierline.gateway.translate import Translation
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.interfaces import DecisionLog, Dialect, Scorer
from tierline.routing.experiments import NONE
from tierline.routing.explain import explain
from tierline.routing.explain_tools import told_first
from tierline.routing.extract import Extractor
from tierline.routing.governance import in_force, refusing
from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.state.world import World
from tierline.types.decision import Decision
from tierline.types.errors import ContentBlocked, Forbidden, Unavailable
from tierline.types.features import Features
from tierline.types.record import Record
from tierline.types.request import Request
from tierline.types.scores import NO_SCORES
from tierline.types.sensitivity import UNSCANNED
from tierline.types.stages import Stages, finish


class Gateway:
    """One spec, assembled. `means` says how each model is reached, `scorers` who speaks for each route, `dialects` what clients may
    speak; `tools` are asked before any model, `preparations` are what is done to a request first, `shadows` answer beside once it is
    answered; `observe` sees every record as it is logged. `elsewhere` are the gateways that answer for arms of its experiments; a
    `rehearsal` decides beside. `in_flight` counts the requests that run on it; `said` is where a face keeps what it says of a route,
    task and model."""

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
        self.guard = Guard(loaded, router.policy, dialects) if loaded.spec.governance.detect else None
        self.elsewhere: Mapping[str, Gateway] = {}
        self.rehearsal: Rehearsal | None = None
        self.in_flight = 0
        self.said: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._new_id = Ids(member=world.member)
        self._extract = Extractor(loaded)
        self._texts = Texts(loaded)
        self._rows = Rows(log, router, dialects, self.guard, observe)
        self._strict = frozenset(name for name, route in loaded.spec.routes.items() if route.strict)
        self._most_waiting = loaded.spec.decision_log.max_queue

    def answer(self, asked: Asked, client: Downstream | None = None) -> Coroutine[Any, Any, Answered]:
        """Answer one request; a stream goes to `client` from its first content on. What fails is told in `Answered.error`; raised is
        only what cannot be decided at all (RequestError) and what should not happen."""
        return self._answer(asked, client) if self.guard is None else self._guarded(self.guard, asked, client)

    async def _guarded(self, guard: Guard, asked: Asked, client: Downstream | None) -> Answered:
        """The answer to what the guard lets through, with its client's own values in it."""
        watch = partial(guard.watch, asked, self._facts)
        watched = await asyncio.to_thread(watch) if guard.takes_long(asked) else watch()
        if watched.vault is None:
            return await self._answer(watched.asked, client)
        stream = guard.client(watched, client)
        return await revealed(watched.vault, stream, await self._answer(watched.asked, stream))

    async def _answer(self, asked: Asked, client: Downstream | None) -> Answered:
        turns = self.world.turns
        if asked.turn is None:
            weighed = await turns.together(self._planned(asked))
        else:
            request = self.admit(asked)
            features = await turns.together(self._extract.stages(request, asked.key))
            await self.world.reserve(asked.turn, features.input_tokens + features.output_tokens)
            weighed = await turns.together(self._decided(request, features, asked))
        other = self.at(weighed.decision) if self.elsewhere else self
        if other is not self:
            return await other.answer(self._handed_on(asked, weighed), client)
        with self._rows.incidents(weighed.features):
            return await self._pursued(weighed, asked, client)

    async def _pursued(self, weighed: Weighed, asked: Asked, client: Downstream | None) -> Answered:
        """Tools, money, small models first, then the course; a row at the end."""
        request, features = weighed.request, weighed.features
        texts = self._texts.of(features, client)
        stream = None if client is None else texts or client
        tools = self.tools.of(request)
        if tools and self.tools.governed:
            tools = self.tools.allowed(tools, in_force(self.router.policy, features, weighed.decision.task))
        seen = with_headers(request, asked.headers) if tools else request
        found = self._refused(weighed) if not weighed.decision.steps else NOT_ASKED
        if tools and not found.ends_it:
            found = await ask_tools(tools, seen, features, weighed.decision.deadline)
        if self.funds.active and not found.ends_it:
            weighed, found = await self.funds.funded(weighed, lambda: self.weigh(request, features, self._arm_of(weighed, asked)), found)
        try:
            waiting = Waiting(found.elapsed, asked.trace, self.world.turns)
            steps = self.preparations.of(request)
            if (steps or weighed.scores.abstained) and not found.ends_it:
                weighed, found = await self._readied(steps, weighed, asked, found, waiting)
            explained = self._explained(weighed, found) if features.hints.explain else ""
            if found.ends_it:
                answered = await told(weighed, found, self.dialects[request.dialect], stream, asked.started, explained)
                finish(self._logged(weighed, answered, asked, texts))
                return answered
            heard = overheard(tools, stream, weighed.decision.shadows)
            answered = await self._driven(weighed, asked, found, waiting, client, heard or stream, explained)
            await self.world.turns.together(self._logged(weighed, answered, asked, texts), gather=True)
            if tools:
                remember(tools, seen, self.dialects[request.dialect], answered.result, heard)
            if self.rehearsal is not None:
                self.rehearsal.begin(weighed, asked.key)
            if weighed.decision.shadows and self.shadows is not None:
                self.shadows.begin(weighed, asked.headers, len(asked.body), answered.result, heard, asked.trace)
            return answered
        finally:
            if weighed.purse is not None:
                weighed.purse.close()

    async def _driven(
        self,
        weighed: Weighed,
        asked: Asked,
        found: Found,
        waiting: Waiting,
        client: Downstream | None,
        stream: Downstream | None,
        explained: str,
    ) -> Answered:
        """The course, driven to its end, and what the world learns from it."""
        decision, purse, spent = weighed.decision, weighed.purse, found.cost
        translation = self._translation(weighed)
        caller = Caller(self.means, self.world, weighed, stream, asked.started, explained, translation, asked.headers, waiting, spent)
        result = await drive(pursue(decision, found.elapsed, spent), caller if purse is None else Paid(caller, purse, decision))
        if client is not None:
            result = await caller.deliver(result)
        self.world.settle(weighed.features, result)
        error = error_of(decision, result, found.elapsed)
        if purse is not None:
            error = self.funds.refused(decision, result, error)
        return Answered(decision, result, error, perf_counter() - asked.started - waiting.seconds, explained, found)

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
        made = self._new_id() if asked.given is None else asked.given.id
        return msgspec.structs.replace(request, id=made, route=route, key=key.name, hints=hints)

    def weigh(self, request: Request, features: Features, given: Given | None = None) -> Weighed:
        """Decide on an admitted request, without calling anything; `given` is the arm that it has already."""
        return finish(self._weighing(request, features, given))

    def _planned(self, asked: Asked) -> Stages[Weighed]:
        """All that is done with a request before anything is called."""
        request = self.admit(asked)
        features = yield from self._extract.stages(request, asked.key)
        yield
        return (yield from self._decided(request, features, asked))

    def _decided(self, request: Request, features: Features, asked: Asked) -> Stages[Weighed]:
        with self._rows.incidents(features):
            return (yield from self._weighing(request, features, asked.given))

    def _weighing(self, request: Request, features: Features, given: Given | None) -> Stages[Weighed]:
        settled = self.router.settle(features)
        scores = NO_SCORES if settled is not None else self.scorers[features.route].score(request, features)
        view = self.world.view(features)
        if given is not None:
            view = msgspec.structs.replace(view, arms=given.shares, assigned=given.arm)
        decision = yield from self.router.stages(features, scores, view, settled)
        return Weighed(request, features, scores, view, decision)

    def rehearse(self, asked: Asked) -> Weighed:
        """A dry run: the decision that the request would get now. Nothing is called and nothing is logged."""
        if self.guard is not None:
            asked = self.guard.watch(asked, self._facts, dry=True).asked
        request = self.admit(asked)
        weighed = self.weigh(request, self._extract(request, asked.key), asked.given)
        other = self.at(weighed.decision)
        return weighed if other is self else other.rehearse(self._handed_on(asked, weighed))

    def at(self, decision: Decision) -> Gateway:
        """The gateway that answers for a decision's arm: this one, unless the arm is another spec."""
        return self.elsewhere.get(decision.arm, self)

    def _handed_on(self, asked: Asked, weighed: Weighed) -> Asked:
        """The request for another gateway; its part of its key's limits was taken here."""
        return msgspec.structs.replace(asked, given=to_another_spec(self.router.policy, weighed), turn=None)

    def _facts(self, asked: Asked) -> tuple[Features, str | None]:
        """What governance rules read of a request before anything is decided: its features, and its task where that is settled."""
        features = self._extract(self.admit(asked), asked.key)
        settled = self.router.settle(features)
        return features, None if settled is None else settled.task

    def _refused(self, weighed: Weighed) -> Found:
        """A request that a governance rule lets nobody answer is answered by no tool either."""
        number = refusing(weighed.decision)
        if number is None:
            return NOT_ASKED
        unread = " (it holds what cannot be looked at)" if UNSCANNED in weighed.features.sensitivity else ""
        return Found(blocked=ContentBlocked(f"governance lets nobody answer this: {self.loaded.spec.governance.rules[number].why}{unread}"))

    def _translation(self, weighed: Weighed) -> Translation:
        request, tokens = weighed.request, weighed.features.input_tokens
        return Translation(self.dialects[request.dialect], request, strict=request.route in self._strict, input_tokens=tokens)

    async def _readied(
        self, steps: Sequence[PrepareSpec], weighed: Weighed, asked: Asked, found: Found, waiting: Waiting
    ) -> tuple[Weighed, Found]:
        """What small models do before the first attempt: the route's steps, and saying what the request is where the scorer could not."""
        if steps:
            weighed, found = await self._prepared(steps, weighed, asked, found, waiting)
        if weighed.scores.abstained and not found.ends_it and (small := classifier_for(self.classifiers, weighed)):
            weighed, found = await self._classified(small, weighed, asked, found, waiting)
        return weighed, found

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
        reweighed = self.weigh(done.request, again, self._arm_of(weighed, asked))
        return paying(reweighed, weighed.purse), found

    def _arm_of(self, weighed: Weighed, asked: Asked) -> Given | None:
        """The arm that a request has already, for deciding on it anew."""
        return kept(weighed) if self.router.policy.experiments else asked.given

    async def _classified(self, small: Classifier, weighed: Weighed, asked: Asked, found: Found, waiting: Waiting) -> tuple[Weighed, Found]:
        """The request decided on again, in the same world, with what a small model said it is; the answer's own USD are not spent on
        that."""
        decision = weighed.decision
        asker = Asker(self.means, self.world, weighed.features, "", self._translation(weighed), asked.headers, waiting, weighed.purse)
        money = None if decision.max_cost is None else decision.max_cost - found.cost - sum(decision.steps[0].costs[:1])
        done = await small.ask(weighed, asker, waiting, decision.deadline - found.elapsed, money)
        asides, elapsed = (*found.asides, *done.asides), found.elapsed + done.elapsed
        found = msgspec.structs.replace(found, asides=asides, elapsed=elapsed, cancelled=done.cancelled)
        view = weighed.view
        decision = self.router.decide(weighed.features, done.scores, view)
        if self.elsewhere and too_late(self.router.policy, weighed.decision, decision):
            view = msgspec.structs.replace(view, assigned=NONE)
            decision = self.router.decide(weighed.features, done.scores, view)
        again = msgspec.structs.replace(weighed, scores=done.scores, view=view, decision=decision)
        return paying(again, weighed.purse), found

    def _explained(self, weighed: Weighed, found: Found) -> str:
        told = explain(self.router, weighed.features, weighed.scores, weighed.view, weighed.decision).sentences
        return " ".join([*told_first(found.by, found.asides), *told])

    def _logged(self, weighed: Weighed, answered: Answered, asked: Asked, texts: Text | None) -> Stages[None]:
        """The request's row, once its purse is squared."""
        if weighed.purse is not None:
            weighed.purse.square(answered.cost)
        flagged = answered.result.flagged or answered.found.blocked is not None
        text = None if texts is None else texts.bytes(asked.body, answered.answer, flagged=flagged)
        yield from self._rows.put(weighed, answered, text, asked.trace)
