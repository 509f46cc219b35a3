"""The router: a pure function from features, scores and view to a whole plan, compiled from one spec.

settle   → override, given task, task rules                                          (before any scorer)
decide   → question → scope → part → standing → belief → choice → steps → course
           what it is   whom for   its arm   who can    how good   who is first   what follows   how it is asked
seen     → the part of the view that a decision read, for the log
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.config.loaded import Loaded
from tierline.routing import budgets
from tierline.routing.address import Address, addresses, resolve
from tierline.routing.belief import Candidate, candidates, validated
from tierline.routing.climb import explore, up_when_unsure
from tierline.routing.combine import combined
from tierline.routing.compile import compile_policy
from tierline.routing.eligibility import NOBODY, Standing, call_cost
from tierline.routing.experiments import NO_PART, Part, arms_seen, part_of, put_anew, rivals, within
from tierline.routing.governance import told
from tierline.routing.hedge import hedge_after
from tierline.routing.load import shifted
from tierline.routing.policy import GovernancePolicy, Policy, RoutePolicy
from tierline.routing.question import Question, ask
from tierline.routing.rules import Rules
from tierline.routing.scope import Scope, scope_of, standing_in, widened
from tierline.routing.selection import Choice, Field, least_bad, select
from tierline.routing.session import held, kept
from tierline.routing.settle import settle
from tierline.routing.shadows import shadows
from tierline.routing.steps import confined, plan
from tierline.types.decision import Combine, Decision, Drop, Reason, Settled, Step, Why
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.stages import Stages, finish
from tierline.types.view import Latency, View


class Router:
    """Decides. Everything it needs was compiled at load; it holds no state and may be shared by any number of threads."""

    def __init__(self, loaded: Loaded, policy: Policy | None = None) -> None:
        """`policy` stands in for the one that the spec makes: the same without governance, to say what governance changed."""
        self.loaded = loaded
        self.policy = compile_policy(loaded) if policy is None else policy
        self.addresses = addresses(self.policy)
        self._free: Router | None = None
        if self.policy.governance.allowed:
            self._free = Router(loaded, msgspec.structs.replace(self.policy, governance=GovernancePolicy(Rules((), ()))))

    def address(self, name: str) -> Address:
        """What a client means by a model name; raises UnknownModel with the nearest known ones."""
        return resolve(self.addresses, name)

    def settle(self, features: Features) -> Settled | None:
        """What holds before any scorer is asked; None leaves the task open. Raises BadRequest for an unknown task, tier or model."""
        return settle(self.policy, self._route(features), features)

    def decide(self, features: Features, scores: Scores, view: View, settled: Settled | None = None) -> Decision:
        """The whole plan for one request. `settled` spares asking `settle` again where it has been asked."""
        return finish(self.stages(features, scores, view, settled))

    def stages(self, features: Features, scores: Scores, view: View, settled: Settled | None = None) -> Stages[Decision]:
        """The same, stage by stage."""
        decision, part = yield from self._plan(features, scores, view, settled)
        if part.experiment is None or not decision.steps:
            return decision
        return msgspec.structs.replace(decision, propensity=self._chance(features, scores, view, settled, decision, part))

    def _plan(self, features: Features, scores: Scores, view: View, settled: Settled | None) -> Stages[tuple[Decision, Part]]:
        """The plan, and the part that the request takes in an experiment; its propensity is that of its own arm alone."""
        reasons: list[Reason] = []
        question = self._ask(features, scores, view, settled, reasons)
        yield
        scope, part = held(self.policy, question, scope_of(self.policy, question, reasons)), NO_PART
        if self.policy.experiments or view.assigned:
            question, scope, part = self._parted(question, scope, reasons)
        standing = standing_in(self.policy, question, scope.wider)
        if not standing.mask & scope.first:
            scope, standing = widened(self.policy, question, scope, standing, reasons)
        if standing.lifted:
            reasons.append(Reason(Why.LIMITS_LIFTED))
        if question.view.budgets and (only_cheapest := budgets.spent(self.policy, standing)) is not None:
            reasons.append(only_cheapest)
        if not standing.mask & scope.first:
            reasons.append(Reason(Why.NOTHING_ELIGIBLE))
            return self._decision(question, (), standing, reasons, part), part
        yield
        pool = self._believe(question, scope, standing.mask)
        helping = self._helping(question) if question.route.helpers and not question.named else NOBODY
        if helping is not NOBODY and not (scope.ruled or scope.pinned or scope.held):
            helpers = self._believe(question, scope, helping.mask)
            together = combined(self.policy.fleet, question, helpers, pool, scope.order, reasons)
            if together is not None:
                return self._decision(question, together.steps, standing, reasons, part, None, together.how, helping), part
        choice = self._choose(question, scope, pool, standing, reasons)
        if choice.candidate.source != "scorer":
            reasons.append(Reason(Why.ASSUMED_QUALITY, choice.candidate.source, choice.candidate.quality))
        yield
        steps = self._steps(question, scope, choice, pool, reasons)
        return self._decision(question, steps, standing, reasons, part, choice, None, helping), part

    def _chance(self, features: Features, scores: Scores, view: View, settled: Settled | None, decision: Decision, part: Part) -> float:
        """The probability of the first target over every arm that the request could have drawn: Σ share · P(target | arm)."""
        chance = decision.propensity
        for arm, share in rivals(part, self.policy.fleet, decision.target):
            other, its = finish(self._plan(features, scores, msgspec.structs.replace(view, assigned=arm), settled))
            if other.target == decision.target:
                chance += share * other.propensity / its.share
        return min(chance, 1.0)

    def consider(self, features: Features, scores: Scores, view: View) -> tuple[list[Candidate], Question]:
        """What is believed of every model that stands for this request, and the question it puts; `explain` shows both."""
        question = self._ask(features, scores, view, None, [])
        question, scope, _ = self._parted(question, held(self.policy, question, scope_of(self.policy, question, [])), [])
        standing = standing_in(self.policy, question, scope.wider)
        return self._believe(question, scope, standing.mask), question

    def seen(self, features: Features, decision: Decision, view: View) -> View:
        """The part of the view that could have moved this decision: decided again under it, it comes out the same."""
        route, task = self._route(features), self.policy.tasks.get(decision.task)
        asks_speed = (
            features.hints.latency_budget is not None
            or route.select == "fastest"
            or (task is not None and (task.latency_budget is not None or task.prefer == "latency"))
        )
        limited = self.policy.fleet.limited if view.load else ()
        pin = view.pins.get(route.name)
        first = decision.target if route.hedge == math.inf else ""
        arms = arms_seen(self.policy, decision.task, route.name, view) if self.policy.experiments or view.assigned else {}
        return View(
            resting=view.resting,
            load={name: view.load[name] for name in limited if name in view.load},
            latency=view.latency if asks_speed else _only(view.latency, first),
            warm=view.warm if route.sticky or features.tool_loop or features.sealed else "",
            pins={} if pin is None else {route.name: pin},
            token_scale=view.token_scale,
            pressure=view.pressure,
            ttft=_only(view.ttft, first) if features.stream else {},
            limited=view.limited,
            budgets=view.budgets,
            pace=view.pace,
            arms=arms,
            assigned=view.assigned,
        )

    # the parts of a decision, in their order

    def _route(self, features: Features) -> RoutePolicy:
        routes = self.policy.routes
        return routes.get(features.route) or routes["auto"]

    def _ask(self, features: Features, scores: Scores, view: View, settled: Settled | None, reasons: list[Reason]) -> Question:
        settled = settled or self.settle(features)
        return ask(self.policy, self._route(features), features, scores, view, settled, reasons)

    def _parted(self, question: Question, scope: Scope, reasons: list[Reason]) -> tuple[Question, Scope, Part]:
        """The part that a question takes in an experiment, with the question as that part puts it, and whom it goes to then."""
        policy = self.policy
        part = part_of(policy, question, scope, reasons)
        changed = put_anew(part, question)
        if changed is not None:
            question, scope = changed, held(policy, changed, scope_of(policy, changed, []))
        return question, within(part, scope), part

    def _believe(self, question: Question, scope: Scope, mask: int) -> list[Candidate]:
        q, fleet = question, self.policy.fleet
        found = candidates(fleet, q.route, q.task, mask, q.features, q.scores, q.view, q.difficulty)
        return validated(fleet, found, scope.order, q.task.failure_cost) if q.checks.names else found

    def _helping(self, question: Question) -> Standing:
        """Those of the route's helpers that can serve; none of them where that would lift a limit."""
        standing = standing_in(self.policy, question, question.route.helpers, whole=False)
        return Standing(0) if standing.lifted else standing

    def _choose(self, question: Question, scope: Scope, pool: list[Candidate], standing: Standing, reasons: list[Reason]) -> Choice:
        everyone = not standing.mask & ~scope.first
        first = pool if everyone else [candidate for candidate in pool if scope.first >> candidate.index & 1]
        if scope.pinned or scope.held:
            reasons.append(Reason(Why.PINNED if scope.pinned else Why.SESSION_HELD, self.policy.fleet.names[first[0].index]))
            return Choice(first[0], reasons[-1])
        if scope.ruled and scope.order:
            listed = [c for c in first if c.index in scope.order]
            first = [min(listed, key=lambda c: scope.order.index(c.index))] if listed else first
        field = self._field(question, scope, first)
        choice = (least_bad(field) if standing.lifted else None) or select(field)
        reasons.append(choice.reason)
        if scope.ruled or question.named or (standing.lifted and choice.reason.why == Why.LEAST_BAD):
            return choice
        if question.unsure:
            choice = up_when_unsure(field, choice)
        if not (field.view.warm or field.view.pressure):
            return explore(field, choice, reasons)
        return self._moved(question, field, choice, reasons)

    def _moved(self, question: Question, field: Field, choice: Choice, reasons: list[Reason]) -> Choice:
        """Back to the session's model, up by chance, or down by load."""
        stay = kept(field, choice, reasons) if field.view.warm else None
        if stay is None:
            explored = explore(field, choice, reasons)
            if explored.reason.why == Why.EXPLORED or question.unsure:
                return explored
            stay = explored
        return shifted(field, question, stay, reasons) if field.view.pressure else stay

    def _field(self, question: Question, scope: Scope, first: list[Candidate]) -> Field:
        q = question
        return Field(self.policy.fleet, q.route, q.task, first, q.bar, q.difficulty, scope.order, q.max_cost, q.features, q.view, q.slack)

    def _steps(self, question: Question, scope: Scope, choice: Choice, pool: list[Candidate], reasons: list[Reason]) -> tuple[Step, ...]:
        fleet = self.policy.fleet
        if question.named:
            return confined(fleet, question, choice.candidate, pool)
        steps, last_resort = plan(fleet, question, choice.candidate, pool, scope.order)
        if last_resort:
            reasons.append(Reason(Why.LAST_RESORT, steps[-1].targets[0]))
        return steps

    def _decision(
        self,
        question: Question,
        steps: tuple[Step, ...],
        standing: Standing,
        reasons: list[Reason],
        part: Part,
        choice: Choice | None = None,
        combine: Combine | None = None,
        helping: Standing = NOBODY,
    ) -> Decision:
        features, route = question.features, question.route
        dropped = standing.dropped if helping is NOBODY else tuple(dict.fromkeys((*standing.dropped, *helping.dropped)))
        if features.redacted:
            reasons.append(Reason(Why.REDACTED, ", ".join(features.redacted)))
        if dropped and self._free is not None and any(fallen.why == Drop.GOVERNANCE for fallen in dropped):
            free = self._free.decide(features, question.scores, question.view)
            reasons.extend(told(self.policy, free.target, steps[0].targets[0] if steps else "", dropped))
        wait = features.hints.latency_budget
        deadline = route.deadline if wait is None else wait
        stream = _stream(question, combine) if features.stream else ""
        refusals, refusal_cost = self._refuge(question, helping) if helping.mask else ("", 0.0)
        hedge = None if route.hedge is None or combine is not None else hedge_after(question, steps, stream, deadline, reasons)
        return Decision(  # most of it by position: CPython makes a dictionary first where a call has more than fifteen names
            features.request_id,
            route.name,
            self.policy.fingerprint,
            steps,
            question.task.name,
            part.name,
            part.share if choice is None else part.share * choice.propensity,
            features.draw,
            deadline,
            question.max_cost,
            route.max_attempts,
            tuple(reasons),
            dropped,
            None if choice is None else choice.margin,
            retries=route.retries,
            backoff=route.backoff,
            hedge=hedge,
            combine=combine,
            refusals=refusals,
            stream=stream,
            refusal_cost=refusal_cost,
            lenient=question.checks.confidence if route.flags_unsure else (),
            shadows=() if route.shadow is None or not steps else shadows(self.policy, route.shadow, question, steps[0].targets[0]),
        )

    def _refuge(self, question: Question, helping: Standing) -> tuple[str, float]:
        """The model for what others refuse, where it can serve, and the expected USD of a call to it."""
        at, fleet = question.route.refusals, self.policy.fleet
        if at < 0 or not helping.mask >> at & 1:
            return "", 0.0
        name = fleet.names[at]
        return name, question.scores.cost.get(name, call_cost(fleet, at, question.features, question.view))


def _stream(question: Question, combine: Combine | None) -> Literal["", "buffered", "optimistic"]:
    """What becomes of a stream whose answer is still to be checked; answers that are combined are always whole."""
    if not (question.checks.names or combine is not None):
        return ""
    return "buffered" if combine is not None else question.task.stream or question.route.stream


def _only(known: Mapping[str, Latency], name: str) -> Mapping[str, Latency]:
    """What is known of one model alone."""
    return {name: known[name]} if name in known else {}
