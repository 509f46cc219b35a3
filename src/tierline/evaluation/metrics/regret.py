"""Regret: the distance to the oracle, split by cause.

The oracle answers each query with the cheapest of the models that reach the query's best score. For each query, with the router's score s
and cost c, the best score s* and the oracle's cost c*:

    under-routed    s < s*              quality lost s* − s       cost c − c* (often negative: the wrong model was cheaper)
    over-routed     s = s*, c > c*      quality lost 0            cost c − c* (wasted)

The two causes add up to the whole distance: Q(oracle) − Q(router) and C(router) − C(oracle). A query of either kind is booked elsewhere
where the data tell that it could not be otherwise: `forced` (a rule, governance, a budget or an outage took the oracle's model away), then
`wrong_capability` (the model chosen lacks what the request needs), then `too_slow` (the answer came after the latency budget, which is a
regret even where it was right).
Without costs, over-routing cannot be seen, and costs are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.document import Loss, Regret
from tierline.evaluation.metrics.bootstrap import Floats

Mask = NDArray[np.bool_]
SAME = 1e-9


def oracle(score: Floats, cost: Floats | None) -> NDArray[np.intp]:
    """The oracle's model of each query."""
    if cost is None:
        return np.asarray(score.argmax(axis=1), dtype=np.intp)
    reach = score >= score.max(axis=1, keepdims=True) - SAME
    return np.asarray(np.where(reach, cost, np.inf).argmin(axis=1), dtype=np.intp)


def regret(
    chosen: NDArray[np.intp],
    score: Floats,
    cost: Floats | None,
    forced: Mask | None = None,
    wrong_capability: Mask | None = None,
    too_slow: Mask | None = None,
) -> Regret:
    """Of the models chosen for each query; the masks say, where they are known, which queries go to the further causes."""
    rows, ideal = np.arange(len(chosen)), oracle(score, cost)
    lost = score[rows, ideal] - score[rows, chosen]
    wasted = np.zeros(len(chosen)) if cost is None else cost[rows, chosen] - cost[rows, ideal]
    under = lost > SAME
    over = ~under & (wasted > SAME * 1e-6)
    late = np.zeros(len(chosen), dtype=bool) if too_slow is None else too_slow
    wrong, booked = under | over | late, np.zeros(len(chosen), dtype=bool)
    further: list[Loss | None] = []
    for mask in (forced, wrong_capability, too_slow):
        taken = None if mask is None else mask & wrong & ~booked
        booked = booked if taken is None else booked | taken
        further.append(None if taken is None else _loss(taken, lost, wasted))
    return Regret(
        total=_loss(wrong, lost, wasted),
        under_routed=_loss(under & ~booked, lost, wasted),
        over_routed=_loss(over & ~booked, lost, wasted),
        forced=further[0],
        wrong_capability=further[1],
        too_slow=further[2],
    )


def _loss(which: Mask, lost: Floats, wasted: Floats) -> Loss:
    return Loss(float(which.mean()), float(np.where(which, lost, 0.0).mean()), float(np.where(which, wasted, 0.0).mean()))
