"""Input: do other requests come in?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.shares import of_mix
from tierline.watch.subject import Subject, called

FACETS = ("operation", "language", "length")
_REQUESTS = 0


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """The mix of tasks, kinds of work, languages and lengths, over the routes that are watched."""
    found = {"task": grouped({name: counts[_REQUESTS] for name, counts in chosen(past.cells, watch).items()}, 1)}
    for facet in FACETS:
        found[facet] = grouped({n: c for n, c in past.mixes.items() if n[1] == facet and (not watch.routes or n[0] in watch.routes)}, 2)
    mixed = {facet: parts for facet, parts in found.items() if len(parts) > 1}
    for facet, parts in mixed.items():
        yield of_mix(past, watch, called("input", facet), parts, len(mixed), partial(_words, facet))


def _words(facet: str, most: str) -> tuple[str, str]:
    what = f"the mix of requests by {facet} has shifted: {most}"
    return what, "who sends them (tierline log stats --by key)? If they stay, measure the routing on them: tierline replay, tierline train"
