"""The project's own router: what a spec decides for each prompt, through the same `Router.decide` as in production.

A prompt becomes a request with one user message, its features are extracted, the built-in scorer is asked where nothing has settled the
task, and the decision is made in a world where everything is up. No score of the table comes near it. A model of the spec is a model of the
table when its name or its upstream name (`model:`) is the table's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tierline.config.loaded import Loaded
from tierline.config.scorers import scorers_of
from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table
from tierline.routing.extract import Extractor
from tierline.routing.router import Router
from tierline.types.decision import Decision, Why
from tierline.types.errors import EvaluationFailure
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.request import Message, Request, Text
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View

EVERY = 500
"""Decisions between two reports of progress."""

_RULED = frozenset({Why.RULE, Why.PINNED, Why.NAMED_MODEL, Why.NAMED_TIER})


class _Told:
    """What the decisions say, as it is gathered."""

    def __init__(self, queries: int, models: int) -> None:
        self.choice = np.full(queries, -1, dtype=np.intp)
        self.ruled, self.lacking = np.zeros(queries, dtype=bool), np.zeros(queries, dtype=bool)
        self.removed = np.zeros((queries, models), dtype=bool)
        self.good = np.full((queries, models), np.nan)
        self.budget = np.full(queries, np.inf)
        self.tiers: list[str] = []
        self.elsewhere: set[str] = set()


class SpecRouter:
    """Decides by a loaded spec, on one of its routes. `tell_task`: the table's task is given with each request, as a
    client's header would."""

    needs_text = True

    def __init__(self, loaded: Loaded, route: str = "auto", tell_task: bool = False, name: str = "spec") -> None:
        self.name = name
        self.loaded = loaded
        self._router = Router(loaded)
        self._route = self._router.address(route).route if route != "auto" else route
        self._extract = Extractor(loaded)
        self._tell_task = tell_task
        self._scorer = scorers_of(loaded)[self._route]

    def matched(self, models: Sequence[str]) -> dict[str, str]:
        """Model of the spec → model of a table, for those that are in both; raises EvaluationFailure when none is."""
        found = {}
        for name, model in self.loaded.models.items():
            there = next((known for known in (name, model.upstream) if known in models), None)
            if there is not None:
                found[name] = there
        if not found:
            raise EvaluationFailure(
                f"no model of the spec is in the data: it has {', '.join(self.loaded.models)}; they have {', '.join(models)}. "
                "A model of the spec is found by its name or by `model:`"
            )
        return found

    def decide(self, identity: str, text: str, task: str = "", view: View = NO_VIEW) -> tuple[Features, Scores, Decision]:
        """The decision for one prompt, with what it was made from, in a world such as `view`."""
        hints = Hints(task=task if self._tell_task and task in self.loaded.spec.tasks else "")
        message = Message("user", (Text(text),))
        request = Request(identity, "openai_chat", "auto", (message,), route=self._route, hints=hints)
        features = self._extract(request)
        settled = self._router.settle(features)
        scores = NO_SCORES if settled else self._scorer.score(request, features)
        return features, scores, self._router.decide(features, scores, view, settled)

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """A decision a query; raises EvaluationFailure where the data have no prompts."""
        del fold, chance
        if table.text is None or not any(table.text):
            raise EvaluationFailure("a spec decides by prompts, and the data have none")
        place = {name: table.models.index(there) for name, there in self.matched(table.models).items()} if table.models else {}
        told = _Told(len(table.query), len(table.models))
        for i, (identity, text, task) in enumerate(zip(table.query, table.text, table.task, strict=True)):
            self._tell(told, i, place, *self.decide(identity, text, task))
            if i % EVERY == 0:
                progress("decisions", i, len(table.query))
        progress("decisions", len(table.query), len(table.query))
        return Routing(
            choice=told.choice,
            good=told.good if place else None,
            tier=told.tiers,
            ruled=told.ruled,
            removed=told.removed,
            wrong_capability=told.lacking,
            budget=told.budget,
            elsewhere=tuple(sorted(told.elsewhere)),
            at=f"route {self._route}, policy {self.loaded.fingerprint}",
        )

    def _tell(self, told: _Told, i: int, place: Mapping[str, int], features: Features, scores: Scores, decision: Decision) -> None:
        told.tiers.append(decision.tier)
        told.choice[i] = place.get(decision.target, -1)
        if place and decision.target not in place:
            told.elsewhere.add(decision.target or "(nobody)")
        told.ruled[i] = _ruled(decision)
        told.lacking[i] = self._lacks(decision, features)
        told.budget[i] = self._budget(decision)
        for dropped in decision.dropped:
            if dropped.model in place:
                told.removed[i, place[dropped.model]] = True
        if place:
            names = self._router.policy.fleet.names
            for candidate in self._router.consider(features, scores, NO_VIEW)[0]:
                if names[candidate.index] in place:
                    told.good[i, place[names[candidate.index]]] = candidate.quality

    def _budget(self, decision: Decision) -> float:
        """The latency budget of its task, else the route's deadline; seconds."""
        task = self.loaded.spec.tasks.get(decision.task)
        return decision.deadline if task is None or task.latency_budget is None else float(task.latency_budget)

    def _lacks(self, decision: Decision, features: Features) -> bool:
        model = self.loaded.models.get(decision.target)
        return model is not None and not set(features.needs) <= set(model.capabilities)


def restricted(router: SpecRouter, table: Table) -> Table:
    """The table with the models of the spec only, in the spec's order."""
    return table.only(list(dict.fromkeys(router.matched(table.models).values())))


def tier_of(router: SpecRouter, models: Sequence[str]) -> list[str]:
    """The tier of each model of a table, all of which the spec has; of several, the lowest."""
    tiers = router.loaded.spec.tiers
    found: dict[str, str] = {}
    for name, there in router.matched(models).items():
        tier = router.loaded.models[name].tier
        if there not in found or tiers.index(tier) < tiers.index(found[there]):
            found[there] = tier
    return [found[model] for model in models]


def _ruled(decision: Decision) -> bool:
    """Whether a rule or a pin named the models."""
    return any(reason.why in _RULED for reason in decision.reasons)
