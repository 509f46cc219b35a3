"""Answers of two models to the same request, or by chance to requests alike: the only ground on which a log tells what another choice
would have given.

shadows       a model answered beside, unseen: both answers were checked
escalations   the first answer failed its checks, and that of a model above passed them
chance        `explore`, an experiment or weights chose: a request with propensity p stands for 1/p that might have gone so
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.counterfactual import Sample, clip, snips
from tierline.evaluation.document import Regret
from tierline.evaluation.interval import Figure
from tierline.evaluation.metrics.regret import regret
from tierline.evaluation.quality.judged import Rate, rate_of
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.evidence import FEWEST
from tierline.evaluation.replay.logged import Logged
from tierline.evaluation.replay.support import WHOLE

MOST_ASKED = 4_000
"""Rows of chance that are decided again, the newest: so that nobody waits."""


class Pair(msgspec.Struct, frozen=True):
    """One request that two models answered, both checked: the client's model and the other, whether each was good enough, and USD."""

    given: str
    beside: str
    given_good: bool
    beside_good: bool
    given_cost: float
    beside_cost: float


class Beside(msgspec.Struct, frozen=True):
    """Two models over the requests that both answered: how often each alone was good, both, neither; `up`: the other stands in a higher
    tier, None: in the same."""

    given: str
    beside: str
    requests: int
    only_given: int
    only_beside: int
    both: int
    neither: int
    up: bool | None
    given_cost: float
    beside_cost: float


class Confused(msgspec.Struct, frozen=True):
    """Of the requests that a model of another tier answered beside: `under`, only the higher one was good; `over`, the lower one was good
    too, while the higher was sent. None where no such model was tried."""

    requests: int
    under: Rate | None
    over: Rate | None


class Explored(msgspec.Struct, frozen=True):
    """Requests that chance could send to either of two models: the share of good answers and USD a request when each is asked first, with
    all that follows. `why`: what there is too little of."""

    low: str
    high: str
    requests: int
    answers: Mapping[str, int]
    quality: Mapping[str, Figure]
    cost: Mapping[str, Figure]
    why: str = ""


def beside_of(pairs: Sequence[Pair], level: Mapping[str, int]) -> list[Beside]:
    """The pairs by their two models, the most frequent first. `level`: model → place of its tier, the cheapest 0."""
    found: dict[tuple[str, str], list[Pair]] = {}
    for one in pairs:
        found.setdefault((one.given, one.beside), []).append(one)
    made = [_beside(given, beside, some, level) for (given, beside), some in found.items()]
    return sorted(made, key=lambda one: -one.requests)


def _beside(given: str, beside: str, some: Sequence[Pair], level: Mapping[str, int]) -> Beside:
    counts = {key: sum((one.given_good, one.beside_good) == key for one in some) for key in ((1, 0), (0, 1), (1, 1), (0, 0))}
    up = None if level[given] == level[beside] else level[beside] > level[given]
    costs = (float(np.mean([one.given_cost for one in some])), float(np.mean([one.beside_cost for one in some])))
    return Beside(given, beside, len(some), counts[1, 0], counts[0, 1], counts[1, 1], counts[0, 0], up, *costs)


def confused(pairs: Sequence[Pair], level: Mapping[str, int]) -> Confused | None:
    """How often the tier was too low, and too high; None without a pair of two tiers."""
    above = [not one.given_good and one.beside_good for one in pairs if level[one.beside] > level[one.given]]
    below = [one.beside_good for one in pairs if level[one.beside] < level[one.given]]
    if not above and not below:
        return None
    return Confused(len(above) + len(below), rate_of(above) if above else None, rate_of(below) if below else None)


def regret_of(pairs: Sequence[Pair]) -> Regret | None:
    """The distance to whoever knew which of the two to ask, by cause; None without pairs."""
    if not pairs:
        return None
    score = np.array([(one.given_good, one.beside_good) for one in pairs], dtype=np.float64)
    cost = np.array([(one.given_cost, one.beside_cost) for one in pairs])
    return regret(np.zeros(len(pairs), dtype=np.intp), score, cost)


def explored(rows: Iterable[Logged], decider: Decider, level: Mapping[str, int]) -> list[Explored]:
    """By the two models that chance could choose between, the most frequent first. Only rows that this spec decided, by chance, and whose
    answers were judged."""
    policy = decider.router.policy.fingerprint
    found: dict[tuple[str, str], list[Logged]] = {}
    asked = 0
    for row in rows:
        done = row.decision
        if asked >= MOST_ASKED or done.policy != policy or not 0 < done.propensity < WHOLE or row.quality is None or row.cost is None:
            continue
        asked += 1
        possible = sorted((name for name in decider.chances(row, row.scores, done) if name in level), key=lambda name: level[name])
        if len(possible) == 2:
            found.setdefault((possible[0], possible[1]), []).append(row)
    return sorted((_explored(low, high, some) for (low, high), some in found.items()), key=lambda one: -one.requests)


def _explored(low: str, high: str, rows: Sequence[Logged]) -> Explored:
    done = np.array([row.decision.target for row in rows])
    answers = {name: int((done == name).sum()) for name in (low, high)}
    few = [f"{count} of {FEWEST} answers of {name}" for name, count in answers.items() if count < FEWEST]
    if few:
        return Explored(low, high, len(rows), answers, {}, {}, "only " + ", ".join(few))
    propensity = np.array([row.decision.propensity for row in rows])
    quality, cost = np.array([row.quality for row in rows], dtype=np.float64), np.array([row.cost for row in rows], dtype=np.float64)
    nothing = np.zeros(len(rows))
    weights = {name: clip(np.where(done == name, 1.0 / propensity, 0.0))[0] for name in (low, high)}
    return Explored(
        low,
        high,
        len(rows),
        answers,
        {name: snips(Sample(weight, quality, nothing, nothing), (0.0, 1.0)) for name, weight in weights.items()},
        {name: snips(Sample(weight, cost, nothing, nothing)) for name, weight in weights.items()},
    )
