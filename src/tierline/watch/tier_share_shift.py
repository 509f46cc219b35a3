"""Tiers: does another share of the traffic go to each?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.shares import of_mix
from tierline.watch.subject import Subject, called, spoken

_REQUESTS = 0


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """All requests, and each route."""
    table = {name: counts[_REQUESTS] for name, counts in chosen(past.cells, watch).items()}
    routes = {
        called("route", route): grouped({n: c for n, c in table.items() if n[0] == route}, 2) for route in sorted({n[0] for n in table})
    }
    found = {"": grouped(table, 2)} | (routes if len(routes) > 1 else {}) if table else {}
    for name, parts in found.items():
        yield of_mix(past, watch, name, parts, len(found), partial(_words, name))


def _words(name: str, most: str) -> tuple[str, str]:
    what = f"the shares of the tiers in {spoken(name)} have shifted: {most}"
    return what, "was the spec, a scorer or a price changed then (tierline audit)? If not, see input_mix: other requests come in"
