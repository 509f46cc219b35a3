"""The kinds of work a request asks for, and the leading one.

Evidence adds up: words of each family in the user's words (twice as much where they begin the text) and in the head of the system prompt, documents handed over, output
formats. A kind is seen from one point of evidence on; the leading kind has the most, and between equals the harder one leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tierline.routing.extract.lexicon import FAMILIES
from tierline.types.features import Operation

KINDS: tuple[Operation, ...] = ("reasoning", "synthesis", "generation", "classification", "extraction")
"""The kinds that words tell, in the order of `FAMILIES`; between equals the earlier leads."""

HITS_AT_MOST = 3
SYSTEM_WEIGHT = 2.0
"""What the system prompt's head says of the work counts so many times as much as the user's words, for the user's turn is then often only the data."""

_KINDS = len(KINDS)
_MATHS, _QUANTITY = (list(FAMILIES).index(name) for name in ("maths", "quantity"))


def operations(
    families: Sequence[int], opening: int, system: Sequence[int], material: int, structured: bool, formulas: int, options: int
) -> tuple[Operation, tuple[str, ...]]:
    """The leading kind of work, and every kind seen, in the order of `KINDS`."""
    evidence = [
        min(said, HITS_AT_MOST) + SYSTEM_WEIGHT * min(ruled, HITS_AT_MOST)
        for said, ruled in zip(families[:_KINDS], system[:_KINDS], strict=True)
    ]
    if opening >= 0:
        evidence[opening] += 1.5
    evidence[0] += min(families[_MATHS], HITS_AT_MOST) * 0.5 + min(families[_QUANTITY], 1) + (1 if formulas else 0)
    if material:
        evidence[1] += 1.5
    if options >= 3:
        evidence[0] += 1
    if structured:
        evidence[4] += 1
    best = max(evidence)
    if best < 1:
        return "generation", ("generation",)
    return KINDS[evidence.index(best)], tuple(cast(str, kind) for kind, points in zip(KINDS, evidence, strict=True) if points >= 1)
