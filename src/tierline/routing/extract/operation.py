"""The kinds of work a request asks for, and the leading one.

Evidence adds up: words of each kind in what is judged and in the head of the system prompt, the kind that either begins with, documents
handed over, formulas, output formats. A kind is seen from one point on; the leading kind has the most, and between equals the harder one
leads.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierline.routing.extract.lexicon import FAMILIES
from tierline.types.features import Operation

KINDS: tuple[Operation, ...] = ("reasoning", "synthesis", "generation", "classification", "extraction")
"""The kinds that words tell, in the order of `FAMILIES`; between equals the earlier leads."""

HITS_AT_MOST = 3
"""Words of one kind are counted up to here."""
OPENING = 1.5
"""More, for the kind of work that a text begins with."""
SYSTEM_WEIGHT = 2.0
"""What the system prompt says of the work counts so many times as much as the user's words, for the user's turn is then often only the
data."""

_KINDS = len(KINDS)
_REASONING, _SYNTHESIS, _EXTRACTION = 0, 1, 4
_MATHS, _QUANTITY = (list(FAMILIES).index(name) for name in ("maths", "quantity"))

NO_RULES: tuple[float, ...] = (0.0,) * _KINDS


def rules(families: Sequence[int], opening: int) -> tuple[float, ...]:
    """What a system prompt says of the work: the evidence for each kind."""
    said = [min(hits, HITS_AT_MOST) for hits in families[:_KINDS]]
    return tuple(SYSTEM_WEIGHT * (hits + (OPENING if kind == opening else 0)) for kind, hits in enumerate(said))


def operations(
    families: Sequence[int], opening: int, system: Sequence[float], material: bool, structured: bool, formulas: bool, options: bool
) -> tuple[Operation, tuple[Operation, ...]]:
    """The leading kind of work, and every kind seen, in the order of `KINDS`.

    `opening` is the index of the kind that the text begins with (-1: none), `system` what `rules` says of the system prompt."""
    evidence = list(system)
    for kind in range(_KINDS):
        if hits := families[kind]:
            evidence[kind] += hits if hits < HITS_AT_MOST else HITS_AT_MOST
    if opening >= 0:
        evidence[opening] += OPENING
    if formulas or options or families[_MATHS] or families[_QUANTITY]:
        evidence[_REASONING] += 0.5 * min(families[_MATHS], HITS_AT_MOST) + (families[_QUANTITY] > 0) + formulas + options
    if material:
        evidence[_SYNTHESIS] += 1.5
    if structured:
        evidence[_EXTRACTION] += 1
    best = max(evidence)
    if best < 1:
        return "generation", _GENERATION
    return KINDS[evidence.index(best)], tuple([kind for kind, points in zip(KINDS, evidence, strict=True) if points >= 1])


_GENERATION: tuple[Operation, ...] = ("generation",)
