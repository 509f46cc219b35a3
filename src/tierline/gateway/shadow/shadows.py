"""The shadows of one spec: a request that was drawn is put to another model too, once its answer is out.

    answer out ─► begin ─► pool ─► asked → checked → compared ─► a row, labels, figures

No client waits for any of it. A model is asked only where governance and the key allow it, within the day's cap, at a place that stands
empty, and not while it has too much to do already."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import ShadowSpec
from tierline.gateway.ask import Asker
from tierline.gateway.call import Caller
from tierline.gateway.means import Means, cost
from tierline.gateway.shadow.carried import obstacle, quietly
from tierline.gateway.shadow.compare import compared, judge_id
from tierline.gateway.shadow.guest import NO_PLACE, Guest
from tierline.gateway.shadow.pool import Job, Pool
from tierline.gateway.tools_first import Overheard
from tierline.gateway.trace import Trace
from tierline.gateway.translate import Translation
from tierline.gateway.waiting import Waiting
from tierline.gateway.weighed import Weighed
from tierline.interfaces import Dialect
from tierline.ledger.shadows import Judgement, Shadowed
from tierline.state.world import World
from tierline.types.ask import Ask, Told
from tierline.types.completion import Completion
from tierline.types.decision import Attempt, Decision, Step
from tierline.types.errors import BadRequest, ProviderFailure
from tierline.types.outcome import Aside, Outcome, Result, Usage, Verdict
from tierline.types.request import Request

_logger = logging.getLogger("tierline.gateway")

USUAL = ShadowSpec()
"""What holds where a route says nothing of shadows, and an experiment wants some."""

QUIET = 10.0
"""Seconds at least for which a model that has too much to do, or does not answer, is left alone."""

_JUDGEMENT_TOKENS = 50
_LEFT_ALONE = frozenset({"rate_limited", "overloaded", "timeout", "idle", "connect"})


class Beside(msgspec.Struct, frozen=True):
    """A request whose client has its answer: as it was decided on, with the client's `headers`, the answer as it went out, whole or as a
    stream, and the model it is from; its trace, where it has one."""

    weighed: Weighed
    headers: tuple[tuple[str, str], ...]
    against: str
    body: bytes
    heard: Overheard | None
    trace: Trace | None = None


class Shadows:
    """What answers beside under one spec."""

    def __init__(self, loaded: Loaded, means: Means, world: World, dialects: Mapping[str, Dialect], pool: Pool) -> None:
        self._routes = {name: route.shadow for name, route in loaded.spec.routes.items() if route.shadow is not None}
        self._strict = frozenset(name for name, route in loaded.spec.routes.items() if route.strict)
        self._loaded = loaded
        self._means = means
        self._world = world
        self._dialects = dialects
        self._pool = pool
        self._quiet: dict[str, float] = {}
        self._retired = False

    @property
    def busy(self) -> bool:
        """Whether a shadow of this spec is under way."""
        return self._pool.runs_for(self)

    def retire(self) -> None:
        """Another spec is at work: nothing of this one begins any more."""
        self._retired = True
        self._pool.forget(self)

    def begin(
        self,
        weighed: Weighed,
        headers: tuple[tuple[str, str], ...],
        size: int,
        result: Result,
        heard: Overheard | None,
        trace: Trace | None = None,
    ) -> None:
        """Put every model that was drawn to work beside a request that was answered; `size` is that of its body in bytes. Returns at once,
        and never raises: the client has its answer."""
        try:
            outcome = result.outcome
            body = b"" if outcome is None or outcome.answer is None else outcome.answer.body
            beside = Beside(weighed, headers, result.model, body, heard, trace)
            for model in weighed.decision.shadows:
                self._offer(beside, model, size + (len(body) if heard is None else heard.size), result)
        except Exception as error:
            _logger.error("shadows could not begin: %s", type(error).__name__)

    def _offer(self, beside: Beside, model: str, size: int, result: Result) -> None:
        why = "reloaded" if self._retired else _why_not(model, result)
        if why:
            self._pool.watch.skipped(model, why)
        else:
            self._pool.offer(Job(model, size, self, partial(self._run, beside, model)))

    async def _run(self, beside: Beside, model: str) -> None:
        """One shadow, from what stands against it to its row."""
        weighed, route = beside.weighed, beside.weighed.decision.route
        said, accounts = self._routes.get(route, USUAL), self._pool.accounts
        why = obstacle(weighed.request, weighed.features, self._dialects[weighed.request.dialect]) or self._closed(weighed, model)
        if why:
            self._pool.watch.skipped(model, why)
            return
        await accounts.refresh()
        expected, left = self._expected(weighed, model, said.judge), accounts.left(route, said.max_cost_per_day)
        if expected > left:
            self._pool.watch.skipped(model, "budget")
            return
        accounts.hold(route, expected)
        try:
            await self._asked(beside, model, said, left)
        finally:
            accounts.hold(route, -expected)

    def _closed(self, weighed: Weighed, model: str) -> str:
        if model not in self._means.lanes or model not in self._means.reach(weighed.features, weighed.decision.task):
            return "reach"
        return "quiet" if self._world.clock() < self._quiet.get(model, 0.0) else ""

    def _expected(self, weighed: Weighed, model: str, judge: str) -> float:
        """USD that a shadow and its judge, who reads both answers twice, are taken to cost."""
        features, lanes = weighed.features, self._means.lanes
        usd = cost(lanes[model].model, Usage(input=features.input_tokens, output=features.output_tokens))
        if judge:
            read = features.input_tokens + 2 * features.output_tokens
            usd += 2 * cost(lanes[judge].model, Usage(input=read, output=_JUDGEMENT_TOKENS))
        return usd

    async def _asked(self, beside: Beside, model: str, said: ShadowSpec, left: float) -> None:
        """Ask, check, compare, and put it all down; also where it is cancelled on the way."""
        quiet = _beside(beside.weighed, model, said, left)
        translation = Translation(
            self._dialects[quiet.request.dialect],
            quiet.request,
            strict=quiet.request.route in self._strict,
            input_tokens=quiet.features.input_tokens,
        )
        guest, waiting = Guest(self._world, quiet.features), Waiting(trace=None if beside.trace is None else beside.trace.shadow())
        caller = Caller(self._means, self._world, quiet, None, perf_counter(), "", translation, beside.headers, waiting, admission=guest)
        checks = quiet.decision.steps[0].validators
        outcome = await self._paid(quiet, model, caller(Attempt(1, model, "branch", checks, timeout=float(said.timeout))))
        if outcome.error == "budget":
            self._pool.watch.skipped(model, "budget")
            return
        if outcome.error == "untranslatable" or (outcome.error == "overloaded" and outcome.detail == NO_PLACE):
            self._pool.watch.skipped(model, "untranslatable" if outcome.error == "untranslatable" else "busy")
            return
        if outcome.error in _LEFT_ALONE:
            self._quiet[model] = self._world.clock() + max(outcome.retry_after or 0.0, QUIET)
        asides: list[Aside] = []
        judgement: Judgement = ""
        given = caller.answer_of(1)
        if outcome.ok and given is not None and said.judge:
            asker = Asker(
                self._means, self._world, quiet.features, quiet.decision.task, translation, beside.headers, waiting, quiet.purse, guest
            )
            try:
                judgement = await self._compared(beside, quiet, given, said, asker, asides, left - outcome.cost)
            except asyncio.CancelledError:
                judgement = ""
        self._put(quiet, beside.against, model, said, outcome, judgement, asides, waiting.trace)

    async def _paid(self, quiet: Weighed, model: str, answer: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Its answer, paid for out of the budgets of its request: taken before, settled after; of `budget` where one has not got it.
        What its validators ask for is settled by those who ask."""
        purse, features = quiet.purse, quiet.features
        if purse is None:
            return await answer
        usd = cost(self._means.lanes[model].model, Usage(input=features.input_tokens, output=features.output_tokens))
        held = await purse.take(model, usd)
        if held is None:
            answer.close()
            return Outcome(ok=False, error="budget")
        paid = tokens = 0.0
        try:
            outcome = await answer
            paid = outcome.cost - sum([aside.cost for aside in outcome.asides])
            tokens = outcome.usage.input + outcome.usage.output
            return outcome
        finally:
            purse.settle(held, paid, tokens)

    async def _compared(
        self, beside: Beside, quiet: Weighed, given: Completion, said: ShadowSpec, asker: Asker, asides: list[Aside], left: float
    ) -> Judgement:
        """How its answer stands against the client's; empty where that one cannot be read any more."""
        dialect = self._dialects[quiet.request.dialect]
        try:
            clients = dialect.read_completion(beside.body) if beside.heard is None else beside.heard.completion(dialect)
        except (ProviderFailure, BadRequest):
            clients = None
        if clients is None:
            return ""

        async def ask(asked: Ask) -> Told:
            money = left - sum(aside.cost for aside in asides)
            return await asker.told(asked, "judge", asides, left=float(said.timeout), money=money)

        found = await compared(said.judge, clients, given, quiet.request, self._means.normalise, ask)
        if all(aside.ok for aside in asides):
            return found
        self._pool.watch.skipped(said.judge, "judge")
        return ""

    def _put(
        self,
        quiet: Weighed,
        against: str,
        model: str,
        said: ShadowSpec,
        outcome: Outcome,
        judgement: Judgement,
        asides: list[Aside],
        trace: Trace | None,
    ) -> None:
        judging = sum(aside.cost for aside in asides)
        verdicts = _found(outcome)
        row = Shadowed(
            quiet.decision.request_id,
            time.time(),
            quiet.decision.route,
            quiet.decision.task,
            model,
            against,
            said.share,
            outcome.ok,
            passed=_passed(outcome, verdicts),
            cost=outcome.cost + judging,
            elapsed=outcome.elapsed,
            judge=judge_id(said.judge) if said.judge else "",
            judgement=judgement,
            judging=judging,
            usage=outcome.usage,
            verdicts=verdicts,
            error=outcome.error,
        )
        self._pool.accounts.put(row)
        self._pool.watch.shadowed(row)
        if trace is not None:
            trace.shadowed(row, self._loaded)


def _why_not(model: str, result: Result) -> str:
    """What is known already to stand against it."""
    if result.winner is None or result.truncated or result.stopped == "cancelled":
        return "unanswered"
    return "same_model" if any(outcome.ok and attempt.target == model for attempt, outcome in result.attempts) else ""


def _beside(weighed: Weighed, model: str, said: ShadowSpec, left: float) -> Weighed:
    """The same request, decided for the shadow alone, with what it may cost at most."""
    before = weighed.decision
    checks = _checks(weighed, model) if said.validate else ()
    decision = Decision(
        before.request_id,
        before.route,
        before.policy,
        (Step("", (model,), validators=checks),),
        before.task,
        draw=before.draw,
        deadline=float(said.timeout),
        max_cost=left,
        max_attempts=1,
    )
    request: Request = quietly(weighed.request)
    features = msgspec.structs.replace(weighed.features, stream=False)
    return Weighed(request, features, weighed.scores, weighed.view, decision, weighed.purse)


def _checks(weighed: Weighed, model: str) -> tuple[str, ...]:
    """The validators that an answer of this model would have had to pass: those of its step, else those of the first."""
    steps = weighed.decision.steps
    return next((step.validators for step in steps if model in step.targets), steps[0].validators)


def _found(outcome: Outcome) -> tuple[Verdict, ...]:
    """What its validators found, without those that had no answer from the model they asked: they say nothing of this one."""
    unanswered = {aside.purpose for aside in outcome.asides if not aside.ok}
    return tuple([verdict for verdict in outcome.verdicts if verdict.validator not in unanswered])


def _passed(outcome: Outcome, verdicts: tuple[Verdict, ...]) -> bool | None:
    """Whether every validator said yes; None where that is not known."""
    if not all(verdict.passed for verdict in verdicts):
        return False
    return True if verdicts and len(verdicts) == len(outcome.verdicts) else None
