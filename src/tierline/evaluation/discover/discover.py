"""Requests in, types out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.evaluation.discover.agreement import Labels, adjusted_rand, overlap
from tierline.evaluation.discover.asked import Asked, Gathered
from tierline.evaluation.discover.document import Discovery
from tierline.evaluation.discover.grouping import grouped
from tierline.evaluation.discover.judgements import NO_ANSWERS, Answers, judgements
from tierline.evaluation.discover.measure import measured
from tierline.evaluation.discover.naming import name_of, telling_terms, telling_traits
from tierline.evaluation.discover.saving import DRAWS, Reckoner
from tierline.evaluation.discover.suggest import suggestion
from tierline.evaluation.discover.terms import grams, names
from tierline.evaluation.discover.traits import BESIDE_WORDS, Trait, said, traits
from tierline.evaluation.discover.vectors import Points, joined, of_texts, of_traits, unit
from tierline.evaluation.estimate.document import ranged
from tierline.evaluation.estimate.evidence import LEAST
from tierline.types.errors import EvaluationFailure

BY_WORDS = 0.5
"""Of the requests, whose words must be kept for words to make the groups; else they only name them."""
LEAST_TYPE, LEAST_TYPE_SHARE = 10, 0.005
"""A group of fewer requests, or of a smaller share, is put to the rest."""
LEAST_HALVES = 100
"""Requests from which on stability is told."""
STEPS = 5
"""Times that `advance` is called."""


def _unseen(steps: int) -> None:
    """Where nobody watches."""
    del steps


class Grouped(NamedTuple):
    """The group of each request; −1 for the rest. `halves` are of two groupings, each made of its own half; empty where there are too
    few."""

    groups: Labels
    halves: tuple[Labels, ...]
    silhouettes: dict[int, float]
    by_words: bool


def group(asked: Sequence[Asked], seed: int = 0, *, advance: Callable[[int], None] = _unseen) -> Grouped:
    """The requests, which stand in the order of their draw, in groups: by their features, and by their words where these are kept."""
    found = [traits(one.features, one.task) for one in asked]
    kept = sum(bool(one.text) for one in asked)
    by_words = kept >= BY_WORDS * len(asked)
    if by_words:
        strong = [tuple(trait for trait in one if trait[0] in BESIDE_WORDS) for one in found]
        points = joined(of_traits(strong), of_texts([one.text for one in asked], seed))
    else:
        points = unit(of_traits(found))
    advance(1)
    whole = grouped(points)
    groups = whole.of(points)
    advance(1)
    halves = _halves(points, len(whole.middles)) if len(asked) >= LEAST_HALVES else ()
    advance(1)
    size = np.bincount(groups)
    least = max(LEAST_TYPE, LEAST_TYPE_SHARE * len(asked))
    small = size < (least if size.max() >= least else 1)
    return Grouped(np.where(small[groups], -1, groups), halves, dict(whole.silhouettes), by_words)


def _halves(points: Points, many: int) -> tuple[Labels, ...]:
    """All requests, grouped by the middles of each half."""
    return tuple(grouped(points[half::2], many).of(points) for half in (0, 1))


def discover(
    loaded: Loaded,
    gathered: Gathered,
    answers: Answers = NO_ANSWERS,
    *,
    seed: int = 0,
    advance: Callable[[int], None] = _unseen,
) -> Discovery:
    """The types of these requests with their figures. Raises EvaluationFailure where there is no request or no price."""
    asked = gathered.asked
    if not asked:
        raise EvaluationFailure(f"{gathered.where} holds no request")
    reckoner = Reckoner(loaded, answers, seed)
    found = group(asked, seed, advance=advance)
    described = _Described(asked, found)
    advance(1)
    cost = sum(one.cost for one in asked)
    tasks = frozenset(loaded.spec.tasks)
    taken, types, saved = set(tasks), [], np.zeros(DRAWS + 1)
    for place, told in described.groups():
        members = [asked[row] for row in np.flatnonzero(found.groups == place)]
        one = measured(told.name, members, len(asked), cost, tasks)
        reckoned = reckoner.saving(told.name, members, one.task)
        saved += one.share * reckoned.draws
        one = msgspec.structs.replace(
            one, traits=tuple(map(said, told.traits)), terms=tuple(told.terms), saving=reckoned.saving, stability=_stability(found, place)
        )
        if not one.task:
            rates = {model: sum(good) / len(good) for model, good in judgements(members, "", answers).items() if len(good) >= LEAST}
            rates = {model: rate for model, rate in rates.items() if model in loaded.models}
            one = msgspec.structs.replace(one, suggestion=suggestion(one, told.traits, members, taken, rates))
        types.append(one)
    left = [asked[row] for row in np.flatnonzero(found.groups == -1)]
    advance(1)
    return Discovery(
        where=gathered.where,
        seed=seed,
        requests=gathered.requests,
        drawn=len(asked),
        measured=gathered.measured,
        texts=sum(one.text is not None for one in asked),
        by_words=found.by_words,
        cost=cost / len(asked),
        saved=ranged(saved),
        types=tuple(sorted(types, key=lambda one: (-one.cost_share, -one.share, one.name))),
        rest=measured("the rest", left, len(asked), cost, tasks) if left else None,
        by_tool=gathered.by_tool,
        since=gathered.since,
        until=gathered.until,
        stability=adjusted_rand(*found.halves) if found.halves else None,
        silhouettes=found.silhouettes,
        notes=_notes(loaded, gathered, found),
    )


def _stability(found: Grouped, place: int) -> float | None:
    """How well a group is found again by either half, on average."""
    if not found.halves:
        return None
    return float(np.mean([overlap(found.groups == place, half) for half in found.halves]))


class _Told(NamedTuple):
    name: str
    traits: list[Trait]
    terms: list[str]


class _Described:
    """Counts of traits and terms, over all requests and in each group."""

    def __init__(self, asked: Sequence[Asked], found: Grouped) -> None:
        self._asked = asked
        self._groups = found.groups
        self._traits = [Counter[Trait]() for _ in range(int(found.groups.max()) + 1)]
        self._terms = [Counter[str]() for _ in self._traits]
        self._texts = Counter[int]()
        self._all_traits, self._all_terms = Counter[Trait](), Counter[str]()
        for one, place in zip(asked, found.groups.tolist(), strict=True):
            mine = traits(one.features, one.task)
            self._all_traits.update(mine)
            terms = {gram for gram in grams(one.text) if names(gram)} if one.text else set[str]()
            self._all_terms.update(terms)
            if place >= 0:
                self._traits[place].update(mine)
                self._terms[place].update(terms)
                self._texts[place] += bool(one.text)

    def groups(self) -> list[tuple[int, _Told]]:
        """The groups, the largest first, each with its name."""
        size = Counter(self._groups.tolist())
        texts = sum(bool(one.text) for one in self._asked)
        taken, found = set[str](), []
        for place in sorted((place for place in size if place >= 0), key=lambda place: (-size[place], place)):
            own = telling_traits(self._traits[place], size[place], self._all_traits, len(self._asked))
            terms = telling_terms(self._terms[place], self._texts[place], self._all_terms, texts) if texts else []
            found.append((place, _Told(name_of(own, terms, taken), own, terms)))
        return found


def _notes(loaded: Loaded, gathered: Gathered, found: Grouped) -> tuple[str, ...]:
    """What a reader must know that no figure says."""
    notes = []
    drawn = len(gathered.asked)
    if drawn < gathered.requests:
        notes.append(f"{drawn:,} of {gathered.requests:,} requests were drawn; every figure is of these")
    if gathered.by_tool:
        notes.append(f"{gathered.by_tool:,} requests that a tool answered are not among them")
    if not gathered.measured:
        notes.append("nothing was sent yet: models, tokens and costs are what the spec would come to")
    texts = sum(bool(one.text) for one in gathered.asked)
    if not found.by_words:
        kept = f"of {texts:,} requests the words are kept: too few to group by" if texts else "no words are kept"
        notes.append(f"{kept}, so types come from features alone (log_text on a route keeps some)")
    unpriced = [name for name, model in loaded.models.items() if not model.price.known]
    if unpriced:
        notes.append(f"no price is known of {', '.join(unpriced)}: not weighed as who might answer")
    return tuple(notes)
