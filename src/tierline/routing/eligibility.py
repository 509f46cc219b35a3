"""Who can serve at all: every model that cannot is dropped with the first constraint that it fails.

Hard constraints hold always: capability, window, governance, the key, the price cap. Soft ones (a resting breaker, a full model, one
that is too slow or has had its rate for now) give way when they would leave nobody: any answer beats an error.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from tierline.routing.governance import bounds
from tierline.routing.policy import Fleet, Policy
from tierline.types.decision import Drop, Dropped
from tierline.types.features import Features
from tierline.types.view import View


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The mask of models that may serve, what was dropped, and whether the soft limits had to be lifted."""

    mask: int
    dropped: tuple[Dropped, ...] = ()
    lifted: bool = False


BACKGROUND = 60.0
"""A latency budget of so many seconds or more is background work: it waits for a place, and is never moved."""

NOBODY = Standing(0)
"""Where nobody was asked for."""


def eligible(
    policy: Policy,
    features: Features,
    view: View,
    mask: int,
    *,
    task: str,
    risk: str,
    latency_budget: float | None,
    max_cost: float | None,
    costs: Mapping[str, float],
) -> Standing:
    """Those of `mask` that can serve this request. `latency_budget` in seconds, `max_cost` in USD for the whole request; `costs` are what
    a scorer expects of a call, by model."""
    fleet, dropped = policy.fleet, list[Dropped]()
    left = _capable(fleet, features, mask, dropped)
    left = _window(fleet, features, view, left, dropped)
    if policy.governance.allowed:
        left = _governed(policy, features, left, dropped, task, risk)
    allowed = of_key(policy, features)
    if allowed is not None:
        left = _keep(fleet, left, allowed, dropped, Drop.KEY, features.key)
    if max_cost is not None:
        left = _affordable(fleet, features, view, left, dropped, max_cost, costs)
    if not (view.resting or view.limited or (view.load and fleet.limited) or (view.latency and latency_budget is not None)):
        return Standing(left, tuple(dropped))
    hard, before = left, len(dropped)
    left = _available(fleet, view, left, dropped, latency_budget)
    if hard and not left:
        return Standing(hard, tuple(dropped[:before]), lifted=True)
    return Standing(left, tuple(dropped))


def of_key(policy: Policy, features: Features) -> int | None:
    """The mask of models that the request's key may reach: as the spec says, or as the request says of a key that the spec does not
    know. None: all of them."""
    allowed = policy.keys.get(features.key)
    if not features.key_models:
        return allowed
    index = policy.fleet.index
    named = sum(1 << index[name] for name in frozenset(features.key_models) if name in index)
    return named if allowed is None else allowed & named


@functools.lru_cache(maxsize=4096)
def bits(mask: int) -> tuple[int, ...]:
    """The indices of the models in a mask, lowest first. Few masks ever come up, and all of them again and again."""
    return tuple([i for i in range(mask.bit_length()) if mask >> i & 1])


def _keep(fleet: Fleet, left: int, allowed: int, dropped: list[Dropped], why: Drop, subject: str) -> int:
    fallen = left & ~allowed
    if fallen:
        dropped.extend(Dropped(fleet.models[i].name, why, subject) for i in bits(fallen))
    return left & allowed


def _capable(fleet: Fleet, features: Features, left: int, dropped: list[Dropped]) -> int:
    for need in features.needs:
        able = fleet.can.get(need, 0)
        if left & ~able:
            left = _keep(fleet, left, able, dropped, Drop.CAPABILITY, need)
    return left


def _window(fleet: Fleet, features: Features, view: View, left: int, dropped: list[Dropped]) -> int:
    """Input and expected output must fit; a window of 0 is unknown and drops nobody."""
    expected = features.input_tokens + features.output_tokens
    scale = max(view.token_scale.values(), default=1.0)
    if not fleet.smallest_window or expected * max(scale, 1.0) <= fleet.smallest_window:
        return left
    for i in bits(left):
        model = fleet.models[i]
        tokens = features.input_tokens * view.token_scale.get(model.name, 1.0) + features.output_tokens
        if model.context and tokens > model.context:
            dropped.append(Dropped(model.name, Drop.CONTEXT, "window", float(round(tokens)), float(model.context)))
            left &= ~(1 << i)
    return left


def _governed(policy: Policy, features: Features, left: int, dropped: list[Dropped], task: str, risk: str) -> int:
    """Every rule that holds applies."""
    for number, mask in bounds(policy, features, task, risk):
        left = _keep(policy.fleet, left, mask, dropped, Drop.GOVERNANCE, str(number))
    return left


def _affordable(
    fleet: Fleet, features: Features, view: View, left: int, dropped: list[Dropped], max_cost: float, costs: Mapping[str, float]
) -> int:
    for i in bits(left):
        known = costs.get(fleet.names[i]) if costs else None
        cost = call_cost(fleet, i, features, view) if known is None else known
        if cost > max_cost:
            dropped.append(Dropped(fleet.models[i].name, Drop.PRICE, "max_cost", cost, max_cost))
            left &= ~(1 << i)
    return left


def _available(fleet: Fleet, view: View, left: int, dropped: list[Dropped], latency_budget: float | None) -> int:
    waits = latency_budget is not None and latency_budget >= BACKGROUND
    for i in bits(left):
        model = fleet.models[i]
        rest = view.resting.get(model.name, 0.0)
        load = view.load.get(model.name, 0)
        latency = view.latency.get(model.name) if latency_budget is not None else None
        if rest > 0:
            dropped.append(Dropped(model.name, Drop.RESTING, "breaker", rest))
        elif model.max_concurrency is not None and load >= model.max_concurrency and not waits:
            dropped.append(Dropped(model.name, Drop.CONCURRENCY, "max_concurrency", float(load), float(model.max_concurrency)))
        elif model.name in view.limited:
            dropped.append(Dropped(model.name, Drop.RATE, "rate", view.limited[model.name]))
        elif latency is not None and latency_budget is not None and latency.p95 > latency_budget:
            dropped.append(Dropped(model.name, Drop.LATENCY, "p95", latency.p95, latency_budget))
        else:
            continue
        left &= ~(1 << i)
    return left


def call_cost(fleet: Fleet, i: int, features: Features, view: View) -> float:
    """Expected USD of one call to model i: estimated tokens, the model's measured token scale, list price."""
    scale = view.token_scale.get(fleet.models[i].name, 1.0) if view.token_scale else 1.0
    return features.input_tokens * scale * fleet.price_in[i] + features.output_tokens * fleet.price_out[i]
