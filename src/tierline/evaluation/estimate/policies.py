"""The policies that are held beside the spec. Each decides with the spec's own router, so that what a model cannot do, and what
governance forbids, holds for all of them.

all best     everything to the best model; nothing is checked, nothing escalates
all cheap    everything to the cheapest; likewise
static       each task's first model, and the rules; likewise
cascade      the cheapest model of each task first; what its checks reject climbs
learned      the trained scorer alone says who is good enough; the cheapest of those answers
spec         as the spec is written
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.config.spec import RouteSpec, ScorerSpec
from tierline.evaluation.estimate.evidence import Sample
from tierline.evaluation.estimate.worksheet import Row, Worksheet
from tierline.routing.router import Router
from tierline.types.decision import Decision
from tierline.types.view import NO_VIEW, View

SPEC = "spec"
BEST = "all best"


class Policy(msgspec.Struct, frozen=True):
    """One way to send the traffic. `about` says in a sentence what it does; `asks`: it may ask a small model what a request is."""

    name: str
    about: str
    decide: Callable[[Sample], Decision]
    asks: bool = False


def policies_of(
    loaded: Loaded, router: Router, worksheet: Worksheet, samples: Mapping[str, Sequence[Sample]]
) -> tuple[list[Policy], dict[str, str]]:
    """The policies there are, the dearest way first, and those that there are not, with the reason."""
    best, cheapest = best_of(loaded, worksheet), cheapest_of(worksheet)
    found = [
        Policy(BEST, f"everything to {best}; nothing is checked", _pinned(loaded, router, best)),
        Policy("all cheap", f"everything to {cheapest}; nothing is checked", _pinned(loaded, router, cheapest)),
        Policy("static", "each task's first model, and the rules; nothing is checked", _plain(_decides(_varied(loaded, select="static")))),
        Policy(
            "cascade", "the cheapest of each task first; what its checks reject climbs", _decides(_cheapest_first(loaded, worksheet)), True
        ),
    ]
    missing = _no_scorer(loaded, samples)
    if not missing:
        varied = _varied(loaded, select="cheapest_above_bar", rules=[])
        found.append(
            Policy("learned", "the trained scorer alone says who is good enough; the cheapest of those answers", _decides(varied), True)
        )
    found.append(Policy(SPEC, "as the spec is written", lambda sample: router.decide(sample.features, sample.scores, NO_VIEW), True))
    return found, {"learned": missing} if missing else {}


def best_of(loaded: Loaded, worksheet: Worksheet) -> str:
    """Of the highest tier that has a model, the one whose answers pass most often over all traffic; the cheaper one of two that are
    as good."""
    top = max(loaded.spec.tiers.index(model.tier) for model in loaded.models.values())
    names = [name for name, model in loaded.models.items() if loaded.spec.tiers.index(model.tier) == top]

    def good(name: str) -> float:
        return sum(row.traffic_share.value * row.models[name].pass_rate.value for row in worksheet.rows)

    return max(names, key=lambda name: (round(good(name), 9), -_price(worksheet, name)))


def cheapest_of(worksheet: Worksheet) -> str:
    """The model whose calls cost least over all traffic."""
    return min(worksheet.models, key=lambda name: _price(worksheet, name))


def call_cost(worksheet: Worksheet, row: Row, model: str) -> float:
    """USD of one call of a model for a request of the row, as the numbers stand."""
    offered, believed = worksheet.models[model], row.models[model]
    out = believed.tokens_out.value + believed.thinking.value
    return (row.tokens_in.value * offered.price_in.value + out * offered.price_out.value) / 1e6


def _price(worksheet: Worksheet, model: str) -> float:
    return sum(row.traffic_share.value * call_cost(worksheet, row, model) for row in worksheet.rows)


def _pinned(loaded: Loaded, router: Router, model: str) -> Callable[[Sample], Decision]:
    """As if an operator had pinned every route to one model."""
    view = View(pins=dict.fromkeys(("auto", *loaded.spec.routes), model))
    return lambda sample: _unchecked(router.decide(sample.features, sample.scores, view))


def _plain(decide: Callable[[Sample], Decision]) -> Callable[[Sample], Decision]:
    return lambda sample: _unchecked(decide(sample))


def _unchecked(decision: Decision) -> Decision:
    """The first step alone, with its fallbacks and without its checks."""
    steps = tuple(msgspec.structs.replace(step, validators=(), retries=0) for step in decision.steps[:1])
    return msgspec.structs.replace(decision, steps=steps, combine=None)


def _decides(loaded: Loaded) -> Callable[[Sample], Decision]:
    router = Router(loaded)
    return lambda sample: router.decide(sample.features, sample.scores, NO_VIEW)


def _varied(loaded: Loaded, **settings: Any) -> Loaded:
    """The spec with other settings on every route, and no way of combining, hedging or exploring."""
    routes = {"auto": RouteSpec(), **loaded.spec.routes}
    routes = {name: msgspec.structs.replace(route, combine=None, hedge=None, explore=0.0, **settings) for name, route in routes.items()}
    return msgspec.structs.replace(loaded, spec=msgspec.structs.replace(loaded.spec, routes=routes, experiments={}))


def _cheapest_first(loaded: Loaded, worksheet: Worksheet) -> Loaded:
    """The spec with each task's models in the order of their price, asked in that order; rules that name models are left out."""
    varied = _varied(loaded, select="static")
    rows = {row.task: row for row in worksheet.rows}
    tasks = {}
    for name, task in loaded.spec.tasks.items():
        prices = {model: call_cost(worksheet, rows[name], model) for model in loaded.models} if name in rows else {}
        tasks[name] = msgspec.structs.replace(task, models=sorted(task.models or loaded.models, key=lambda model: prices.get(model, 0.0)))
    routes = {
        name: msgspec.structs.replace(route, rules=[rule for rule in route.rules if rule.use is None])
        for name, route in varied.spec.routes.items()
    }
    return msgspec.structs.replace(varied, spec=msgspec.structs.replace(varied.spec, tasks=tasks, routes=routes))


def _no_scorer(loaded: Loaded, samples: Mapping[str, Sequence[Sample]]) -> str:
    """Why there is no learned policy; empty where there is one."""
    if not any(route.scorer.artifact for route in loaded.spec.routes.values()):
        return f"the spec names no trained scorer (routes.*.scorer.artifact; the built-in `{ScorerSpec().kind}` is not trained)"
    if not any(sample.scores.good for found in samples.values() for sample in found):
        return "nothing is known that the scorer could speak of: give requests (--workload) or a log (--log)"
    return ""
