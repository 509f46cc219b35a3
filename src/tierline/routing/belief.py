"""What is believed of a model for one request: how often it is good enough, and what choosing it will cost.

The pass rate comes from the first that knows: the scorer, the task's own table in the spec, or a prior by tier. The
last two are assumed, and every decision that rests on them says so.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from tierline.routing.eligibility import bits
from tierline.routing.policy import Fleet, RoutePolicy, TaskPolicy
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View

Source = Literal["scorer", "spec", "prior"]

STEEPNESS = 6.0
"""How quickly the prior falls with difficulty: half the scale of difficulty past a rung's ceiling costs three logits."""


class Candidate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Model `index` as the selection sees it: pass rate and where it came from, USD for one call, and the expected USD of
    choosing it, the cost of failure included."""

    index: int
    quality: float
    source: Source
    cost: float
    expected: float


def priors(route: RoutePolicy, difficulty: float) -> tuple[float, ...]:
    """P(good enough) of each rung at this difficulty: exactly the route's bar at the rung's ceiling, falling logistically.

    logit p = logit(bar) + STEEPNESS × (ceiling − difficulty). So, with nothing else known, the cheapest model that clears the
    bar is the cheapest of the lowest rung that takes the difficulty."""
    return _priors(route.bar, route.ceilings, difficulty)


@functools.lru_cache(maxsize=4096)
def _priors(bar: float, ceilings: tuple[float, ...], difficulty: float) -> tuple[float, ...]:
    """Difficulties are rounded to three digits, so few ever come up."""
    bar = min(max(bar, 0.01), 0.99)
    base = math.log(bar / (1.0 - bar))
    return tuple([round(1.0 / (1.0 + math.exp(-(base + STEEPNESS * (ceiling - difficulty)))), 9) for ceiling in ceilings])


def candidates(
    fleet: Fleet, route: RoutePolicy, task: TaskPolicy, mask: int, features: Features, scores: Scores, view: View, difficulty: float
) -> list[Candidate]:
    """Every model of the mask with what is believed of it, in the fleet's order.

    Expected cost is one call plus (1 − quality) × the task's cost of failure. Checks, which turn a failure into an escalation
    instead, enter in `validated`."""
    prior: tuple[float, ...] = ()
    good, declared, failure_cost = scores.good, task.quality, task.failure_cost
    tokens_in, tokens_out = features.input_tokens, features.output_tokens
    scale, asked = view.token_scale, bool(good or scores.cost)
    names, price_in, price_out, level = fleet.names, fleet.price_in, fleet.price_out, fleet.level
    found = []
    for i in bits(mask):
        quality, source = declared[i], "spec"
        if quality is None:
            prior = prior or priors(route, difficulty)
            quality, source = prior[level[i]], "prior"
        name = names[i]
        cost = tokens_in * scale.get(name, 1.0) * price_in[i] + tokens_out * price_out[i]
        if asked:
            if name in good:
                quality, source = good[name], "scorer"
            cost = scores.cost.get(name, cost)
        found.append(Candidate(i, quality, source, cost, cost + (1.0 - quality) * failure_cost))  # type: ignore[arg-type]
    return found


def validated(fleet: Fleet, found: Sequence[Candidate], order: tuple[int, ...], failure_cost: float) -> list[Candidate]:
    """The same candidates where answers are checked: a bad answer costs the calls that follow, and only after the last of them the
    business."""
    chains = zip(found, following(fleet, found, order), strict=True)
    return [msgspec.structs.replace(c, expected=escalating([c, *above], failure_cost)) for c, above in chains]


def following(fleet: Fleet, found: Sequence[Candidate], order: tuple[int, ...]) -> list[list[Candidate]]:
    """Who is called after each of them: what `order` lists after a model, or else the cheapest of each rung above it."""
    by_index = {c.index: c for c in found}
    cheapest: dict[int, Candidate] = {}
    for c in found:
        rung = fleet.level[c.index]
        if rung not in cheapest or c.cost < cheapest[rung].cost:
            cheapest[rung] = c
    chains = []
    for c in found:
        if c.index in order:
            chains.append([by_index[i] for i in order[order.index(c.index) + 1 :] if i in by_index])
        else:
            chains.append([cheapest[rung] for rung in sorted(cheapest) if rung > fleet.level[c.index]])
    return chains


def escalating(chain: Sequence[Candidate], failure_cost: float) -> float:
    """Expected USD of a validated chain: each call is paid if all before it failed, and the last failure costs the business.

    E = Σ costᵢ · Πⱼ₍ⱼ<ᵢ₎ (1 − qⱼ) + failure_cost · Π (1 − qᵢ), for validators that catch every bad answer."""
    reached, total = 1.0, 0.0
    for candidate in chain:
        total += reached * candidate.cost
        reached *= 1.0 - candidate.quality
    return total + reached * failure_cost
