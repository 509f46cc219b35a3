"""Is there a value that was never seen before, and that is frequent at once? Facts, so there is nothing to be unsure of."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tierline.watch.past import Values

SPANS = (1, 6, 24)
"""Hours of the stretches that are looked at."""

LEAST_SEEN = 20
"""Times that a new value has to be seen."""

KNOWN = 0.005
"""The share from which on a value was seen before: stray ones do not count."""

LEARNT = 24
"""Hours that have to be known before anything is new."""


class News(NamedTuple):
    """A value that is new: its share since it came, the hour in which it did, and what was most frequent before."""

    value: str
    share: float
    since: int
    before: str


def news(values: Values, hour: int, window: float, threshold: float) -> News | None:
    """The most frequent new value at an hour (by its place), where it makes up a share of `threshold` at least of an hour, six or 24.
    What came within `window` seconds is new."""
    if hour < LEARNT:
        return None
    back = max(int(window // 3600), 1)
    start = max(hour - back + 1, LEARNT)
    old = _sum(values, 0, start)
    total = sum(old.values())
    if not total:
        return None
    known = {value for value, count in old.items() if count / total >= KNOWN or value == ""}
    for span in SPANS:
        seen = _sum(values, max(hour - span + 1, start), hour + 1)
        fresh = [(count, value) for value, count in seen.items() if value not in known]
        if not fresh:
            continue
        count, value = max(fresh)
        share = count / sum(seen.values())
        if count >= LEAST_SEEN and share >= threshold:
            since = next(place for place in range(start, hour + 1) if values[place].get(value))
            return News(value, share, since, max(old, key=lambda name: (old[name], name)))
    return None


def share_of(values: Values, hour: int, value: str, span: int = 24) -> float | None:
    """The share of a value in the hours that end with one; None where nothing was seen."""
    seen = _sum(values, max(hour - span + 1, 0), hour + 1)
    total = sum(seen.values())
    return seen.get(value, 0.0) / total if total else None


def _sum(values: Values, first: int, end: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for counts in values[first:end]:
        for value, count in counts.items():
            found[value] += int(count)
    return found
