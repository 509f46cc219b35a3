"""What a type costs now, against the cheapest model that clears its bar.

    now    mean cost of its requests, each over its whole course
    then   the course that asks the model first: where it fails, and where the type's checks reject it, today's way follows
    saved  max(now − then, 0), and 0 wherever the model turns out not to clear the bar

Both are over the same requests: means are drawn by the Bayesian bootstrap (Rubin 1981), pass rates and the length of answers as the
worksheet draws them. A model whose pass rate is measured clears the bar when the lower end of its 95 % interval does. Only where no
measured model clears it, one that is assumed to: by the spec, else by the prior of its tier at the type's difficulty."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.config.spec import RouteSpec, TaskSpec
from tierline.evaluation.discover.asked import Asked
from tierline.evaluation.discover.document import Saving
from tierline.evaluation.discover.judgements import Answers, judgements
from tierline.evaluation.estimate import number as numbers
from tierline.evaluation.estimate.course import Means, expected
from tierline.evaluation.estimate.document import Range, ranged
from tierline.evaluation.estimate.evidence import LEAST
from tierline.evaluation.estimate.fill import FAILS
from tierline.evaluation.estimate.number import Number, Values
from tierline.evaluation.estimate.paths import Call, Path
from tierline.evaluation.estimate.source import Source
from tierline.evaluation.simulate.outcomes import ASSUMED_TOGETHER
from tierline.evaluation.simulate.pursued import Checks
from tierline.evaluation.wilson import wilson
from tierline.routing.belief import priors
from tierline.routing.router import Router
from tierline.types.catalog import Model
from tierline.types.decision import Drop
from tierline.types.errors import EvaluationFailure, RequestError
from tierline.types.hints import NO_HINTS
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

DRAWS = 200
RESTS_ON = 2_000
"""Requests of a type that its means are drawn from."""
ASKED_FOR = 60
"""Requests of a type for which the router is asked who may answer."""
UNABLE = 0.05
"""Of these, that a model may not answer before it is out of the running."""
LASTING = frozenset({Drop.CAPABILITY, Drop.CONTEXT, Drop.GOVERNANCE, Drop.KEY})
DUST = 1e-6
"""Share of the cost below which a saving is an error of rounding."""
TODAY = "today's way"


class Found(NamedTuple):
    """A saving, and what is saved a request in every draw."""

    saving: Saving
    draws: Values


class _Candidate(NamedTuple):
    model: str
    passes: Number
    clears: bool
    then: Values
    answered: int


class Reckoner:
    """Savings of the types of one draw of requests, by one spec. Raises EvaluationFailure where no model of the spec has a price."""

    def __init__(self, loaded: Loaded, answers: Answers, seed: int) -> None:
        self._loaded = loaded
        self._router = Router(loaded)
        self._answers = answers
        self._seed = seed
        self._priced = [model for model in loaded.models.values() if model.price.known]
        if not self._priced:
            raise EvaluationFailure("no model of the spec has a known price, so nothing can be reckoned: give price: {input: …, output: …}")

    def saving(self, name: str, group: Sequence[Asked], task: str) -> Found:
        """What routing this type would save; `task` is the one of the spec that it has, empty for none."""
        group = group[:RESTS_ON]
        spec = self._loaded.spec.tasks.get(task)
        bar, bar_of = self._bar(group, task, spec)
        means = _means(group, zlib.crc32(f"{self._seed}/{name}".encode()))
        now = means["cost"]
        judged = judgements(group, task, self._answers)
        candidates = [self._candidate(model, group, spec, bar, means, judged, name) for model in self._able(group)]
        clearing = sorted(
            (one for one in candidates if one.clears), key=lambda one: (not one.passes.source.measured, float(one.then[0]), one.model)
        )
        chosen = next((one for one in clearing if one.then[0] < now[0] * (1.0 - DUST)), None)
        if chosen is None:
            return _nothing(now, bar, bar_of, candidates, clearing)
        rates = numbers.draws(chosen.passes, f"{name}/{chosen.model}", DRAWS, self._seed)
        saved = np.where(np.concatenate([[True], rates >= bar]), np.clip(now - chosen.then, 0.0, now), 0.0)
        saving = Saving(
            model=chosen.model,
            now=ranged(now),
            then=ranged(chosen.then),
            saved=ranged(saved),
            bar=bar,
            bar_of=bar_of,
            basis="measured" if chosen.passes.source.measured else "assumed",
            passes=chosen.passes,
            today=_today(group, judged),
            unknown=self._unknown(group, chosen, clearing),
        )
        return Found(saving, saved)

    def _bar(self, group: Sequence[Asked], task: str, spec: TaskSpec | None) -> tuple[float, str]:
        if spec is not None and spec.quality_bar is not None:
            return spec.quality_bar, f"task {task}"
        route = _route(group)
        return self._loaded.spec.routes.get(route, RouteSpec()).quality_bar, f"route {route}, until somebody sets one"

    def _able(self, group: Sequence[Asked]) -> list[Model]:
        """The models with a price that capabilities, window, governance and keys leave to nearly all of these requests."""
        dropped: dict[str, int] = {}
        asked = group[:ASKED_FOR]
        for one in asked:
            hints = msgspec.structs.replace(one.features.hints, model="", tier="")
            features = msgspec.structs.replace(one.features, hints=hints if hints != NO_HINTS else NO_HINTS)
            try:
                decision = self._router.decide(features, NO_SCORES, NO_VIEW)
            except RequestError:
                continue
            for model in {drop.model for drop in decision.dropped if drop.why in LASTING}:
                dropped[model] = dropped.get(model, 0) + 1
        return [model for model in self._priced if dropped.get(model.name, 0) <= UNABLE * len(asked) and "chat" in model.capabilities]

    def _candidate(
        self, model: Model, group: Sequence[Asked], spec: TaskSpec | None, bar: float,
        means: Mapping[str, Values], judged: Mapping[str, Sequence[bool]], name: str,
    ) -> _Candidate:  # fmt: skip
        said = judged.get(model.name, ())
        if len(said) >= LEAST:
            passes = numbers.rate(sum(said) / len(said), Source("measured", len(said)))
            clears = wilson(sum(said), len(said))[0] >= bar
        else:
            passes = self._assumed(model, group, spec, said)
            clears = passes.value >= bar
        own = [one.tokens_out for one in group if one.model == model.name]
        then = self._then(model, means, passes, _longer(group, own, f"{name}/{model.name}", self._seed), spec)
        return _Candidate(model.name, passes, clears, then, len(own))

    def _assumed(self, model: Model, group: Sequence[Asked], spec: TaskSpec | None, said: Sequence[bool]) -> Number:
        """What the spec or the tier says, moved by the few answers that were judged: it weighs as much as 40 of them."""
        declared = None if spec is None else spec.quality.get(model.name)
        value, note = (self._prior(model, group), "prior of its tier") if declared is None else (declared, "spec")
        weight = numbers.ASSUMED_ANSWERS
        note += f", and {len(said)} judged" if said else ""
        return numbers.rate((value * weight + sum(said)) / (weight + len(said)), Source("assumed", note=note), weight + len(said))

    def _prior(self, model: Model, group: Sequence[Asked]) -> float:
        policy = self._router.policy
        difficulty = float(np.median([one.features.complexity.score for one in group]))
        by_tier = priors(policy.routes.get(_route(group)) or policy.routes["auto"], difficulty)
        return by_tier[policy.fleet.level[policy.fleet.index[model.name]]]

    def _then(self, model: Model, means: Mapping[str, Values], passes: Number, longer: Values, spec: TaskSpec | None) -> Values:
        """USD of the course that asks the model first."""
        price, count = model.price, len(longer)
        cached = price.input if price.cache_read is None else price.cache_read
        usd = (means["fresh"] * price.input + means["cached"] * cached + means["out"] * longer * price.output) / 1e6
        checks, whole = Checks(), np.ones(count)
        paths = _paths(model.name, bool(spec and spec.validate))
        found = expected(
            paths,
            Means(
                good={model.name: whole * passes.value, TODAY: whole * passes.value},
                fails={model.name: whole * FAILS, TODAY: whole * 0.0},
                cost={model.name: usd, TODAY: means["cost"]},
                checking={model.name: whole * 0.0, TODAY: whole * 0.0},
                sensitivity=whole * checks.sensitivity,
                specificity=whole * checks.specificity,
                together=whole * ASSUMED_TOGETHER,
            ),
        )
        return found.cost

    def _unknown(self, group: Sequence[Asked], chosen: _Candidate, clearing: Sequence[_Candidate]) -> tuple[str, ...]:
        found = []
        source = chosen.passes.source
        if not source.measured:
            found.append(
                f"{chosen.model} was not judged here often enough: {chosen.passes.value:.0%} is assumed ({source.note}); shadow it"
            )
        elif not any(one.id in self._answers.by_query for one in group) and chosen.answered < len(group):
            found.append(f"{chosen.model} was judged on the requests that were sent to it, which may be the easier ones")
        if chosen.answered < LEAST:
            found.append(f"{chosen.model} is taken to answer at today's length")
        cheaper = [one.model for one in clearing if not one.passes.source.measured and one.then[0] < chosen.then[0]]
        if cheaper and source.measured:
            found.append(f"{', '.join(cheaper)} would cost less, and nobody has judged it here: shadow it")
        named = sum(bool(one.features.hints.model) for one in group) / len(group)
        if named > 0.01:
            found.append(f"{named:.0%} of these requests name their model themselves")
        return tuple(found)


def _today(group: Sequence[Asked], judged: Mapping[str, Sequence[bool]]) -> float | None:
    """The pass rate of the models that answer now, weighed by how much each answers; None where most were not judged often enough."""
    rates = {model: sum(said) / len(said) for model, said in judged.items() if len(said) >= LEAST}
    known = [rates[one.model] for one in group if one.model in rates]
    return sum(known) / len(known) if len(known) > len(group) / 2 else None


def _route(group: Sequence[Asked]) -> str:
    routes: dict[str, int] = {}
    for one in group:
        routes[one.features.route] = routes.get(one.features.route, 0) + 1
    return min(routes, key=lambda route: (-routes[route], route))


def _nothing(now: Values, bar: float, bar_of: str, candidates: Sequence[_Candidate], clearing: Sequence[_Candidate]) -> Found:
    if clearing:
        cheapest = min(clearing, key=lambda one: (float(one.then[0]), one.model)).model
        why = f"{cheapest} is the cheapest that clears {bar:.0%}, and today's way costs no more"
    elif candidates:
        why = f"no model is measured or assumed to clear {bar:.0%} here"
    else:
        why = "no model with a known price may answer these requests"
    return Found(Saving("", ranged(now), ranged(now), Range(0.0, 0.0, 0.0), bar, bar_of, why=why), np.zeros(DRAWS + 1))


def _means(group: Sequence[Asked], seed: int) -> dict[str, Values]:
    """Means of cost and tokens a request, first as they are, then drawn; all from the same draws."""
    dice = np.random.default_rng(seed)
    weights = dice.standard_exponential((DRAWS, len(group)))
    weights = np.vstack([np.full(len(group), 1.0 / len(group)), weights / weights.sum(axis=1, keepdims=True)])
    columns = {
        "cost": [one.cost for one in group],
        "fresh": [max(one.tokens_in - one.cached, 0) for one in group],
        "cached": [min(one.cached, one.tokens_in) for one in group],
        "out": [one.tokens_out for one in group],
    }
    return {name: weights @ np.array(values, dtype=np.float64) for name, values in columns.items()}


def _longer(group: Sequence[Asked], own: Sequence[int], name: str, seed: int) -> Values:
    """How much longer a model's answers are than today's: measured where it answered often enough, else taken to be the same."""
    today = float(np.mean([one.tokens_out for one in group]))
    if len(own) < LEAST or today <= 0 or not sum(own):
        factor = numbers.amount(1.0, Source("assumed"))
    else:
        mean = float(np.mean(own))
        off = float(np.std(own, ddof=1)) / len(own) ** 0.5 / mean
        factor = numbers.amount(mean / today, Source("measured", len(own)), off)
    return np.concatenate([[factor.value], numbers.draws(factor, f"longer/{name}", DRAWS, seed)])


def _paths(model: str, checked: bool) -> tuple[Path, ...]:
    """The model first; today's way where it fails, and where checks reject it."""
    first = Call(model, "first", "yes", checked)
    after = Call(TODAY, "fallback", "yes")
    paths = [Path(((first,),), 0, False), Path(((Call(model, "first", "fail", checked),), (after,)), 1, False)]
    if checked:
        paths.append(Path(((Call(model, "first", "no", True),), (Call(TODAY, "escalation", "yes"),)), 1, False))
    return tuple(paths)
