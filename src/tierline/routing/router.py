"""The router: a pure function from features, scores and view to a whole plan, compiled from one spec.

settle   → override, given task, task rules                                          (before any scorer)
decide   → question → scope → standing → belief → choice → steps
           what it is   whom for   who can    how good   who is first   what follows
seen     → the part of the view that a decision read, for the log
"""

from __future__ import annotations

from tierline.config.loaded import Loaded
from tierline.routing.address import Address, addresses, resolve
from tierline.routing.belief import Candidate, candidates
from tierline.routing.climb import explore, up_when_unsure
from tierline.routing.compile import compile_policy
from tierline.routing.eligibility import Standing
from tierline.routing.policy import RoutePolicy
from tierline.routing.question import Question, ask
from tierline.routing.scope import Scope, scope_of, standing_in, widened
from tierline.routing.selection import Choice, Field, select
from tierline.routing.settle import settle
from tierline.routing.steps import confined, plan
from tierline.types.decision import Decision, Reason, Settled, Step, Why
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View


class Router:
    """Decides. Everything it needs was compiled at load; it holds no state and may be shared by any number of threads."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.policy = compile_policy(loaded)
        self.addresses = addresses(self.policy)

    def address(self, name: str) -> Address:
        """What a client means by a model name; raises UnknownModel with the nearest known ones."""
        return resolve(self.addresses, name)

    def settle(self, features: Features) -> Settled | None:
        """What holds before any scorer is asked; None leaves the task open. Raises BadRequest for an unknown task, tier or model."""
        return settle(self.policy, self._route(features), features)

    def decide(self, features: Features, scores: Scores, view: View, settled: Settled | None = None) -> Decision:
        """The whole plan for one request. `settled` spares asking `settle` again where it has been asked."""
        reasons: list[Reason] = []
        question = self._ask(features, scores, view, settled, reasons)
        scope = scope_of(self.policy, question, reasons)
        standing = standing_in(self.policy, question, scope.wider)
        if not standing.mask & scope.first:
            scope, standing = widened(self.policy, question, scope, standing, reasons)
        if standing.lifted:
            reasons.append(Reason(Why.LIMITS_LIFTED))
        if not standing.mask & scope.first:
            reasons.append(Reason(Why.NOTHING_ELIGIBLE))
            return self._decision(question, (), standing, reasons)
        pool = self._believe(question, standing.mask)
        choice = self._choose(question, scope, pool, reasons)
        if choice.candidate.source != "scorer":
            reasons.append(Reason(Why.ASSUMED_QUALITY, choice.candidate.source, choice.candidate.quality))
        steps = self._steps(question, scope, choice, pool, reasons)
        return self._decision(question, steps, standing, reasons, choice)

    def consider(self, features: Features, scores: Scores, view: View) -> tuple[list[Candidate], Question]:
        """What is believed of every model that stands for this request, and the question it puts; `explain` shows both."""
        question = self._ask(features, scores, view, None, [])
        scope = scope_of(self.policy, question, [])
        standing = standing_in(self.policy, question, scope.wider)
        return self._believe(question, standing.mask), question

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
        return View(
            resting=view.resting,
            load={name: view.load[name] for name in limited if name in view.load},
            latency=view.latency if asks_speed else {},
            pins={} if pin is None else {route.name: pin},
            token_scale=view.token_scale,
        )

    # the parts of a decision, in their order

    def _route(self, features: Features) -> RoutePolicy:
        routes = self.policy.routes
        return routes.get(features.route) or routes["auto"]

    def _ask(self, features: Features, scores: Scores, view: View, settled: Settled | None, reasons: list[Reason]) -> Question:
        settled = settled or self.settle(features)
        return ask(self.policy, self._route(features), features, scores, view, settled, reasons)

    def _believe(self, question: Question, mask: int) -> list[Candidate]:
        q = question
        return candidates(self.policy.fleet, q.route, q.task, mask, q.features, q.scores, q.view, q.difficulty)

    def _choose(self, question: Question, scope: Scope, pool: list[Candidate], reasons: list[Reason]) -> Choice:
        first = [candidate for candidate in pool if scope.first >> candidate.index & 1]
        if scope.pinned:
            reasons.append(Reason(Why.PINNED, self.policy.fleet.models[first[0].index].name))
            return Choice(first[0], reasons[-1])
        if scope.ruled and scope.order:
            listed = [c for c in first if c.index in scope.order]
            first = [min(listed, key=lambda c: scope.order.index(c.index))] if listed else first
        field = self._field(question, scope, first)
        choice = select(field)
        reasons.append(choice.reason)
        if scope.ruled or question.named:
            return choice
        if question.unsure:
            choice = up_when_unsure(field, choice)
        return explore(field, choice, reasons)

    def _field(self, question: Question, scope: Scope, first: list[Candidate]) -> Field:
        q = question
        return Field(self.policy.fleet, q.route, q.task, first, q.bar, q.difficulty, scope.order, q.max_cost, q.features, q.view)

    def _steps(self, question: Question, scope: Scope, choice: Choice, pool: list[Candidate], reasons: list[Reason]) -> tuple[Step, ...]:
        fleet, most = self.policy.fleet, question.route.max_attempts
        if question.named:
            return confined(fleet, question.task, choice.candidate, pool, most)
        steps, last_resort = plan(fleet, question.task, choice.candidate, pool, scope.order, most)
        if last_resort:
            reasons.append(Reason(Why.LAST_RESORT, steps[-1].targets[0]))
        return steps

    def _decision(
        self, question: Question, steps: tuple[Step, ...], standing: Standing, reasons: list[Reason], choice: Choice | None = None
    ) -> Decision:
        features, route = question.features, question.route
        wait = features.hints.latency_budget
        return Decision(
            request_id=features.request_id,
            route=route.name,
            policy=self.policy.fingerprint,
            steps=steps,
            task=question.task.name,
            propensity=1.0 if choice is None else choice.propensity,
            draw=features.draw,
            deadline=route.deadline if wait is None else wait,
            max_cost=question.max_cost,
            max_attempts=route.max_attempts,
            reasons=tuple(reasons),
            dropped=standing.dropped,
            margin=None if choice is None else choice.margin,
        )
