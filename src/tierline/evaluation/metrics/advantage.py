"""The headline: what a router gains over a coin that costs the same.

    advantage = Q(router) − Q(mix),     mix = (1 − w) · low + w · high,     w such that C(mix) = C(router)

`low` and `high` are the neighbouring corners of the zero router (`hull`) between which the router's mean cost lies; w is cut to [0, 1]: a
router cheaper than every model is held against the cheapest model, one dearer than the best against the best. Q and C are means over the
queries. The mix is chosen in hindsight, on the same queries, from all single models: it is the strongest mix of this cost, so the
advantage errs against the router (docs/decisions/0014).

The interval is paired: each resample draws queries, and on them takes the router's Q and C, the two models' Q and C, and w anew. Which two
models are mixed is not drawn anew.
"""

from __future__ import annotations

import numpy as np

from tierline.evaluation.document import Advantage
from tierline.evaluation.metrics.bootstrap import Bootstrap, Floats
from tierline.evaluation.metrics.hull import Hull


def advantage(
    quality: Floats, cost: Floats, score: Floats, costs: Floats, single: Hull, models: tuple[str, ...], bootstrap: Bootstrap, name: str
) -> Advantage:
    """Of a router with these qualities and costs, a value a query; `score` and `costs` are the table's, `single` its hull."""
    mix = single.mix(float(cost.mean()))
    low, high = min(mix, key=single.models.index), max(mix, key=single.models.index)
    columns = np.stack([quality, cost, score[:, low], score[:, high], costs[:, low], costs[:, high]], axis=1)
    found = bootstrap.estimate(columns, f"advantage/{name}", _over_the_mix, (-1.0, 1.0))
    at = {models[model]: share for model, share in mix.items()}
    mixed = sum(share * float(score[:, model].mean()) for model, share in mix.items())
    paid = sum(share * float(costs[:, model].mean()) for model, share in mix.items())
    return Advantage(found.value, found.low, found.high, at, mixed, paid)


def _over_the_mix(means: Floats) -> Floats:
    """The formula above, on means of (quality, cost, score low, score high, cost low, cost high)."""
    quality, cost, low, high, cost_low, cost_high = means.T
    between = cost_high - cost_low
    share = np.clip(np.divide(cost - cost_low, between, out=np.zeros_like(between), where=between > 0), 0.0, 1.0)
    over: Floats = quality - (low + share * (high - low))
    return over
