"""Do tasks and routes add up: ladders, fallbacks, shares, bars, budgets and deadlines?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.spec import RouteSpec, TaskSpec
from tierline.types.catalog import Model


def examine_tasks(case: Case, models: Mapping[str, Model]) -> None:
    """Reports what could never work as written, and warns of what will surprise."""
    for name, task in case.spec.tasks.items():
        _ladder(case, ("tasks", name), task)
        _quality(case, ("tasks", name), task)
        if task.latency_budget is not None and not task.latency_budget:
            case.problems.error(("tasks", name, "latency_budget"), "nothing is answered in no time", "give more than 0s")
        _weights(case, ("tasks", name), task.weights, task.models)
    _shares(case)
    for name, route in case.spec.routes.items():
        _difficulty(case, name, route)
        _selection(case, name, route)
        if not route.deadline:
            case.problems.error(("routes", name, "deadline"), "nothing is answered in no time", "give more than 0s")
        if case.whole:
            _budget(case, name, route, models)
    _latency(case)


def _ladder(case: Case, place: Place, task: TaskSpec) -> None:
    if task.models and task.models[0] in task.fallback:
        at = (*place, "fallback", task.fallback.index(task.models[0]))
        case.problems.error(at, f"{task.models[0]!r} would stand in for itself", "name a model of another provider")
    tiers = list(case.spec.tiers)
    known = [case.spec.models[name].tier for name in task.models if name in case.spec.models]
    rungs = [tiers.index(tier) for tier in known if tier in tiers]
    for lower, upper in itertools.pairwise(rungs):
        if upper < lower:
            reason = f"it climbs down, from {tiers[lower]} to {tiers[upper]}"
            case.problems.warn(
                (*place, "models"), reason, "list the primary first, then stronger models; who stands in belongs under fallback"
            )
            break


def _quality(case: Case, place: Place, task: TaskSpec) -> None:
    eligible = task.models or sorted(case.models)
    known = [task.quality[name] for name in eligible if name in task.quality]
    if task.quality_bar is not None and len(known) == len(eligible) and known and max(known) < task.quality_bar:
        reason = f"no model clears the bar: the best is declared at {max(known):g}, so every answer will be flagged as below it"
        case.problems.warn((*place, "quality_bar"), reason, "add a better model, or lower the bar knowingly")


def _shares(case: Case) -> None:
    shares = {name: task.traffic_share for name, task in case.spec.tasks.items() if task.traffic_share is not None}
    total = math.fsum(shares.values())
    if total > 1 + 1e-9:
        last = max(shares, key=lambda name: (case.problems.line(("tasks", name, "traffic_share")), name))
        case.problems.error(
            ("tasks", last, "traffic_share"), f"the shares of all tasks add up to {total:g}", "they are parts of all requests: 1 at most"
        )


def _weights(case: Case, place: Place, weights: Mapping[str, float], takes: list[str]) -> None:
    if weights and not any(weights.values()):
        case.problems.error((*place, "weights"), "every weight is zero", "give at least one model a share")
    for name in weights:
        if takes and name not in takes and name in case.models:
            case.problems.error((*place, "weights", name), f"the task does not take {name!r}", "add it to models, or remove its weight")


def _difficulty(case: Case, name: str, route: RouteSpec) -> None:
    place = ("routes", name, "difficulty")
    tiers = [tier for tier in case.spec.tiers if tier in route.difficulty]
    if tiers and tiers[-1] == case.spec.tiers[-1]:
        if route.difficulty[tiers[-1]] != 1:
            case.problems.error((*place, tiers[-1]), f"{tiers[-1]!r} is the last tier, and takes all that is left", "remove it")
        tiers.pop()
    for lower, upper in itertools.pairwise(tiers):
        if route.difficulty[upper] <= route.difficulty[lower]:
            ends = f"{upper!r} ends at {route.difficulty[upper]:g}, {lower!r} below it at {route.difficulty[lower]:g}"
            reason = f"{ends}: {upper!r} takes nothing"
            case.problems.error((*place, upper), reason, "thresholds rise along the tiers")


def _selection(case: Case, name: str, route: RouteSpec) -> None:
    place = ("routes", name)
    _weights(case, place, route.weights, [])
    if route.select != "weighted" or route.weights or not case.whole:
        return
    served = [route.task] if route.task else list(case.spec.tasks)
    if not any(case.spec.tasks[task].weights for task in served if task in case.spec.tasks):
        case.problems.error((*place, "select"), "no weights are given", "add weights: {model: share, …} to the route or its tasks")


def _budget(case: Case, name: str, route: RouteSpec, models: Mapping[str, Model]) -> None:
    """A cap below the cheapest possible call refuses every request of that task."""
    cap = route.cascade.max_cost
    if cap is None:
        return
    for task_name, task in case.spec.tasks.items():
        if route.task not in ("", task_name) or not (task.tokens.input or task.tokens.output):
            continue
        able = [models[model] for model in task.models or models if model in models and models[model].price.known]
        costs = {model.name: model.price.cost(task.tokens.input, task.tokens.output) for model in able}
        if costs and min(costs.values()) > cap:
            cheapest = min(costs, key=lambda model: (costs[model], model))
            reason = f"{cap:g} USD is less than the cheapest call of {task_name!r} costs ({costs[cheapest]:.6g} with {cheapest})"
            case.problems.error(("routes", name, "cascade", "max_cost"), reason, "raise it, or give the task a cheaper model")


def _latency(case: Case) -> None:
    """A task whose callers would wait longer than any of its routes lets them."""
    routes = {"auto": RouteSpec(), **case.spec.routes}
    for name, task in case.spec.tasks.items():
        serving = {route_name: route.deadline for route_name, route in routes.items() if route.task in ("", name)}
        if task.latency_budget is None or not serving:
            continue
        longest = max(serving, key=lambda route_name: (serving[route_name], route_name))
        if serving[longest] < task.latency_budget:
            reason = (
                f"the route {longest!r} gives up after {serving[longest]:g} s, before this budget of {task.latency_budget:g} s is used up"
            )
            hint = f"give the task a route with a longer deadline, or raise routes.{longest}.deadline"
            case.problems.warn(("tasks", name, "latency_budget"), reason, hint)
