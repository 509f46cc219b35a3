"""What sets a group apart from the others: its traits and terms by log-odds with a prior made of all requests (Monroe, Colaresi and Quinn
2008)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from tierline.evaluation.discover.traits import Trait, said

LEAST_REQUESTS = 5
"""A term of fewer requests names nothing: it might tell who asked."""
LEAST_SHARE = 0.08
"""Of a group's texts, that hold a term that names it."""
COMMON = 0.6
"""Of a group's requests, that have a trait that names it."""
TERMS, TRAITS = 6, 4
SURE = 1.96
LIFT = 1.25
"""How many times as common a trait is in a group as in all requests, that names it."""
OWN_PROMPT = 0.5
"""Of the requests with a system prompt, that are in the group that it names."""
PRIOR = 50.0
"""Requests that the prior counts as."""
LEADS: Mapping[str, int] = {"task": 0, "operation": 1, "prompt": 2}
"""Traits that are told first."""
Key = TypeVar("Key", bound=Hashable)


def apart(own: Mapping[Key, int], size: int, whole: Mapping[Key, int], total: int) -> dict[Key, float]:
    """How many standard errors a key's log-odds in the group lie above those in the rest; `own` and `whole` count requests that have it."""
    found = {}
    for key, count in own.items():
        everywhere = (whole[key] + 0.5) / (total + 1.0)
        base, other = PRIOR * everywhere, whole[key] - count
        here = _odds(count + base, size - count + PRIOR - base)
        there = _odds(other + base, total - size - other + PRIOR - base)
        found[key] = (here - there) / math.sqrt(1.0 / (count + base) + 1.0 / (other + base))
    return found


def telling_traits(own: Counter[Trait], size: int, whole: Counter[Trait], total: int) -> list[Trait]:
    """The traits that most of a group has and others have less, the plainest first."""
    score = apart(own, size, whole, total)

    def tells(trait: Trait) -> bool:
        if own[trait] < COMMON * size:
            return False
        if trait[0] == "prompt" and own[trait] < OWN_PROMPT * whole[trait]:
            return False
        lifted = score[trait] > SURE and own[trait] / size >= LIFT * whole[trait] / total
        return lifted or trait[0] in ("task", "operation")

    kept = list(filter(tells, own))
    kept.sort(key=lambda trait: (LEADS.get(trait[0], 9), -score[trait], trait))
    return kept[:TRAITS]


def telling_terms(own: Counter[str], size: int, whole: Counter[str], total: int) -> list[str]:
    """The terms that set a group apart, strongest first; a word that stands in a pair that is told is not told again."""
    score = apart(own, size, whole, total)
    least = max(LEAST_REQUESTS, LEAST_SHARE * size)
    kept = sorted((term for term in own if own[term] >= least and score[term] > SURE), key=lambda term: (-score[term], term))
    told: list[str] = []
    for term in kept:
        words = set(term.split())
        if not any(words & set(other.split()) for other in told):
            told.append(term)
        if len(told) == TERMS:
            break
    return told


def name_of(traits: Sequence[Trait], terms: Sequence[str], taken: set[str]) -> str:
    """A name that no other type has: its task, else its terms, else its traits; more of them where another has that name, a number where
    that does not help."""
    task = [value for field, value in traits if field == "task"]
    others = [said(trait) for trait in traits if trait[0] != "task"]
    parts = task or ([", ".join(terms[:3])] if terms else others[:3]) or ["like all others"]
    spare = [*([", ".join(terms[:3])] if task and terms else []), *[other for other in others if other not in parts]]
    name = " · ".join(parts)
    while name in taken and spare:
        name = f"{name} · {spare.pop(0)}"
    number = 2
    told = name
    while told in taken:
        told, number = f"{name} ({number})", number + 1
    taken.add(told)
    return told


def _odds(yes: float, no: float) -> float:
    return math.log(max(yes, 1e-9) / max(no, 1e-9))
