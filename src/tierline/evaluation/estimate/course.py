"""Expected value over the course of a request: what a plan costs, gives and risks, as sums over its paths.

    P(path)     = E_z [ Π over its calls of P(call | z) ]
    P(fail)     = f                     the provider gives no answer
    P(yes | z)  = (1 − f) · (g·c + (1 − g)·(1 − s))       where checks look: s is the share of bad answers that they reject (sensitivity),
    P(no | z)   = (1 − f) · (g·(1 − c) + (1 − g)·s)       c of good ones that they accept (specificity); unchecked: yes is (1 − f)
    g(z)        = Φ( (Φ⁻¹(q) − √t · z) / √(1 − t) )       how often the model is good enough for requests as hard as z, standard normal

    cost        = Σ P(path) · Σ over its calls that did not fail of  tokens in · price in + (tokens out + thinking) · price out
    quality     = Σ P(path) · P(the answer given is good | path)          nobody answered: 0
    risk        = (1 − quality) · failure cost                            probability × impact

q is the pass rate over all requests of the task, t how much of what makes a request hard is shared by all models (one-factor Gaussian
copula: Vasicek 1987; the same draw as in `simulate/outcomes`). With t = 0 and perfect checks the cost is the sum that selection uses,
Σ costᵢ · Πⱼ₍ⱼ<ᵢ₎ (1 − qⱼ) (`routing/belief.escalating`, after FrugalGPT, Chen et al. 2023). The mean over z is a Gauss–Hermite sum of
`NODES` terms. Every quantity may be an array: one entry a draw of the uncertain inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from scipy import special

from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.paths import Call, Path

NODES = 12
_AT, _WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)
_WEIGHT = _WEIGHT / _WEIGHT.sum()

CAUSES = ("first", "retry", "escalation", "fallback", "branch", "judge")
"""Why a call is made, as `pursue` says it."""


class Means(msgspec.Struct, frozen=True):
    """What the models of a plan are taken to do, an array a number: pass rate, share of calls that fail, USD of a call, and USD of
    the checks of one of its answers, by model; `sensitivity` and `specificity` of checks, and `together`."""

    good: Mapping[str, Values]
    fails: Mapping[str, Values]
    cost: Mapping[str, Values]
    checking: Mapping[str, Values]
    sensitivity: Values
    specificity: Values
    together: Values


class Expected(msgspec.Struct, frozen=True):
    """One plan's expectations, an array each: USD by cause of the calls and of checks that ask a model (`checks`), the chance that
    the answer is good, and the share of requests that escalate, retry, fall back, go out flagged, and get no answer; `calls` a
    request. `chances` is of each path."""

    costs: Mapping[str, Values]
    quality: Values
    escalated: Values
    retried: Values
    fell_back: Values
    flagged: Values
    unanswered: Values
    calls: Values
    chances: Values

    @property
    def cost(self) -> Values:
        """USD over every call and check."""
        whole: Values = np.sum(list(self.costs.values()), axis=0)
        return whole


class _Chances:
    """P(call | z) for the calls of a plan, each worked out once; shape (draws, nodes)."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._known: dict[tuple[str, str, bool], Values] = {}
        self._good: dict[str, Values] = {}

    def of(self, call: Call) -> Values:
        """How likely the call gives this."""
        if call.kind == "picked":
            return self._picked(call)
        key = (call.model, call.kind, call.checked)
        if key not in self._known:
            self._known[key] = self._given(call)
        return self._known[key]

    def right(self, call: Call) -> Values:
        """How likely its answer is good, given what the checks said of it."""
        if call.kind.startswith(("good", "bad")):
            return np.full_like(self.good(call.model), float(call.kind.startswith("good")))
        good = self.good(call.model)
        if not call.checked:
            return good
        seen = self._means.specificity[:, None] if call.kind == "yes" else 1.0 - self._means.specificity[:, None]
        whole = self.of(call) / np.maximum(1.0 - self._means.fails[call.model][:, None], 1e-12)
        ratio: Values = good * seen / np.maximum(whole, 1e-12)
        return ratio

    def good(self, model: str) -> Values:
        """How often it is good enough for requests as hard as z."""
        if model not in self._good:
            shared = np.clip(self._means.together, 0.0, 0.999)[:, None]
            bar = special.ndtri(np.clip(self._means.good[model], 1e-9, 1.0 - 1e-9))[:, None]
            self._good[model] = special.ndtr((bar - np.sqrt(shared) * _AT) / np.sqrt(1.0 - shared))
        return self._good[model]

    def _given(self, call: Call) -> Values:
        fails = self._means.fails[call.model][:, None]
        good = self.good(call.model)
        if call.kind == "fail":
            return np.broadcast_to(fails, good.shape)
        accepts = np.ones_like(fails) if not call.checked else self._means.specificity[:, None]
        passes = np.ones_like(fails) if not call.checked else 1.0 - self._means.sensitivity[:, None]
        parts = {
            "good yes": good * accepts,
            "good no": good * (1.0 - accepts),
            "bad yes": (1.0 - good) * passes,
            "bad no": (1.0 - good) * (1.0 - passes),
        }
        chance: Values = (1.0 - fails) * sum(part for kind, part in parts.items() if kind.endswith(call.kind))
        return chance

    def _picked(self, call: Call) -> Values:
        sees = self._means.sensitivity[:, None]
        if not call.of:
            return np.ones_like(sees)
        chance: Values = (1.0 - sees) / call.of + (sees if call.right else 0.0)
        return chance


def expected(paths: Sequence[Path], means: Means) -> Expected:
    """The sums over all paths, which are made to add up to 1 where rare ones were cut off."""
    chances = _Chances(means)
    draws = len(means.together)
    weights, right = np.empty((len(paths), draws)), np.zeros((len(paths), draws))
    for number, path in enumerate(paths):
        given: Values = np.broadcast_to(_WEIGHT, (draws, NODES))
        for call in path.calls:
            given = given * chances.of(call)
        weights[number] = given.sum(axis=1)
        if path.winner is not None:
            right[number] = (given * chances.right(path.calls[path.winner])).sum(axis=1)
    whole = weights.sum(axis=0)
    weights, right = weights / whole, right / whole
    return Expected(
        costs=_costs(paths, weights, means),
        quality=right.sum(axis=0),
        escalated=_share(paths, weights, "escalation"),
        retried=_share(paths, weights, "retry"),
        fell_back=_share(paths, weights, "fallback"),
        flagged=weights[[path.flagged for path in paths]].sum(axis=0),
        unanswered=weights[[path.winner is None for path in paths]].sum(axis=0),
        calls=np.array([sum(bool(call.model) for call in path.calls) for path in paths]) @ weights,
        chances=weights,
    )


def _costs(paths: Sequence[Path], weights: Values, means: Means) -> dict[str, Values]:
    """USD by the cause of the calls."""
    counts: dict[tuple[str, str], Values] = {}
    for number, path in enumerate(paths):
        for call in path.calls:
            if call.kind != "fail" and call.model:
                key = (call.cause, call.model)
                counts.setdefault(key, np.zeros(len(paths)))[number] += 1
                if call.checked:
                    counts.setdefault(("checks", call.model), np.zeros(len(paths)))[number] += 1
    costs = {cause: np.zeros(weights.shape[1]) for cause in (*CAUSES, "checks")}
    for (cause, model), many in counts.items():
        costs[cause] += (many @ weights) * (means.checking if cause == "checks" else means.cost)[model]
    return costs


def _share(paths: Sequence[Path], weights: Values, cause: str) -> Values:
    """The chance of a path with such a call."""
    shares: Values = weights[[any(call.cause == cause for call in path.calls) for path in paths]].sum(axis=0)
    return shares
