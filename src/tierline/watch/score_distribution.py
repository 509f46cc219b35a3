"""Scores: do scorers find other difficulties than they used to?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.past import Past, grouped
from tierline.watch.shares import of_mix
from tierline.watch.subject import Subject, called

FACETS = ("difficulty", "complexity")


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """The difficulty that scorers give, and the complexity score, in tenths."""
    found = {
        facet: grouped({n: c for n, c in past.mixes.items() if n[1] == facet and (not watch.routes or n[0] in watch.routes)}, 2)
        for facet in FACETS
    }
    mixed = {facet: parts for facet, parts in found.items() if len(parts) > 1}
    for facet, parts in mixed.items():
        yield of_mix(past, watch, called("score", facet), parts, len(mixed), partial(_words, facet))


def _words(facet: str, most: str) -> tuple[str, str]:
    what = f"the distribution of the {facet} score has shifted: the tenth from {most}"
    return (
        what,
        "other requests (see input_mix), another scorer, or another prompt? A scorer trained on the old ones should be measured again",
    )
