"""Deciding a logged request again: with its own features, scores and view, by the router that serves live traffic.

Text is not kept, so a trained scorer cannot speak again, and a small model cannot be asked again; their logged scores stand. The built-in
scorer reads features alone, and speaks again: where it is sure under the new spec, nobody would be asked."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from tierline.config.spec import RouteSpec
from tierline.evaluation.replay.logged import Logged
from tierline.routing.draws import EXPLORE, WEIGHTED, draw_for
from tierline.routing.experiments import NONE, experiment_of
from tierline.routing.router import Router
from tierline.scoring.hints import HintScorer
from tierline.types.decision import Decision
from tierline.types.errors import BadRequest
from tierline.types.features import Features
from tierline.types.request import Request
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import Latency, View

_CANDIDATES = 20_000
_PROBES = 128
_WHOLE = 1.0 - 1e-9
_NO_REQUEST = Request("", "", "")
_SOME = Latency(0.0, 0.0)


class Again(msgspec.Struct, frozen=True):
    """A decision made again. `stale`: its scores are another scorer's than the new spec names, or another model was asked;
    `unscored`: nobody had said what the new spec would ask for, for its task was settled then, or the scorer sure, and it is open
    now; `blind`: the new spec reads latencies that this row had no reason to keep; `refused`: what its client named is not in the new
    spec, which is said in words."""

    decision: Decision | None
    scores: Scores
    stale: bool = False
    unscored: bool = False
    blind: bool = False
    refused: str = ""


class Decider:
    """Decides logged requests under one spec."""

    def __init__(self, router: Router) -> None:
        self.router = router
        loaded = router.loaded
        routes = {"auto": RouteSpec(), **loaded.spec.routes}
        self._hints = {
            name: HintScorer(loaded, route.scorer.abstain_below) for name, route in routes.items() if route.scorer.kind == "hints"
        }
        self._kinds = {name: route.scorer.kind for name, route in routes.items()}
        self._asks = {name: "" if route.scorer.ask is None else route.scorer.ask.model for name, route in routes.items()}

    def again(self, row: Logged) -> Again:
        """The decision on one row; under the spec that made it, exactly its own."""
        features, router = row.features, self.router
        if row.decision.policy == router.policy.fingerprint:
            return Again(router.decide(features, row.scores, row.view), row.scores)
        try:
            settled = router.settle(features)
        except BadRequest as refused:
            return Again(None, row.scores, refused=refused.message)
        scores, stale, unscored = (NO_SCORES, False, False) if settled is not None else self.rescored(features, row.scores)
        decision = router.decide(features, scores, row.view, settled)
        return Again(decision, scores, stale, unscored, not row.view.latency and self._reads_latency(features, decision))

    def _reads_latency(self, features: Features, decision: Decision) -> bool:
        """Whether a latency of the model that is asked first would have had a part in this decision."""
        probe = View(latency={decision.target: _SOME})
        return bool(decision.target and self.router.seen(features, decision, probe).latency)

    def chances(self, row: Logged, scores: Scores, decision: Decision) -> Mapping[str, float]:
        """Target → the probability with which this spec chooses it for a request like this, over every draw; found by deciding again at
        draws that reach each branch of chance."""
        found = {decision.target: decision.propensity}
        if decision.propensity >= _WHOLE:
            return found
        for arm in self._others(row, decision):
            other = self.router.decide(row.features, scores, msgspec.structs.replace(row.view, assigned=arm))
            found.setdefault(other.target, other.propensity)
        if sum(found.values()) >= _WHOLE:
            return found
        for draw in _draws():
            other = self.router.decide(msgspec.structs.replace(row.features, draw=draw), scores, row.view)
            found[other.target] = other.propensity
            if sum(found.values()) >= _WHOLE:
                break
        return found

    def _others(self, row: Logged, decision: Decision) -> tuple[str, ...]:
        """The arms of the experiment that a decision is of, and none of them."""
        experiment = experiment_of(self.router.policy, decision.task, decision.route)
        return () if experiment is None or row.view.assigned else (*(arm.name for arm in experiment.arms if arm.name != decision.arm), NONE)

    def scores(self, row: Logged) -> Scores:
        """The scores that this spec decides a logged request with. Raises BadRequest where it would refuse it."""
        if row.decision.policy == self.router.policy.fingerprint:
            return row.scores
        return NO_SCORES if self.router.settle(row.features) is not None else self.rescored(row.features, row.scores)[0]

    def rescored(self, features: Features, logged: Scores) -> tuple[Scores, bool, bool]:
        """The scores to decide with, and whether they are another scorer's, or nobody's."""
        route = features.route if features.route in self._kinds else "auto"
        hints, ask = self._hints.get(route), self._asks[route]
        if hints is not None:
            now = hints.score(_NO_REQUEST, features)
            if not (ask and now.abstained):
                return now, False, False
            return (logged, logged.asked != ask, False) if logged.asked else (now, False, True)
        if not logged.by:
            return logged, False, True
        return logged, logged.by != self._kinds[route] or _asked_another(logged, ask), ask != "" and logged.abstained and not logged.asked


def _asked_another(logged: Scores, ask: str) -> bool:
    """Whether what stands in the log was said by a model that the new spec does not ask."""
    return logged.asked not in ("", ask)


@functools.cache
def _draws() -> tuple[float, ...]:
    """Draws that reach the branches of chance with few decisions: the two ends of exploration, then the weights' whole range."""
    every = [n / _CANDIDATES for n in range(_CANDIDATES)]
    explored = sorted(every, key=lambda draw: draw_for(draw, EXPLORE))
    weighted = sorted(every, key=lambda draw: draw_for(draw, WEIGHTED))
    spread = weighted[:: _CANDIDATES // _PROBES]
    return (explored[0], explored[-1], *spread[:: _PROBES // 8], *spread)
