"""Is there a value that was never seen before, and that is frequent at once? Facts, so there is nothing to be unsure of."""

from __future__ import annotations

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


BACK = (24, 7 * 24, 28 * 24)
"""Hours before the window in which it may have been seen."""


class News(NamedTuple):
    """A value that is new: its share since it came, the hour in which it did, and what was most frequent before."""

    value: str
    share: float
    since: int
    before: str


def news(values: Values, hour: int, window: float, threshold: float) -> News | None:
    """The most frequent new value at an hour (by its place), where it makes up a share of `threshold` at least of an hour, six or 24.
    What came within `window` seconds is new."""
    start = max(hour - max(int(window // 3600), 1) + 1, LEARNT)
    if hour < LEARNT or not any(values[start - LEARNT : start]):
        return None
    for span in SPANS:
        seen = total_of(values, max(hour - span + 1, start), hour + 1)
        enough = max(LEAST_SEEN, threshold * sum(seen.values()))
        fresh = [(count, value) for value, count in seen.items() if count >= enough and value and not _known(values, value, start)]
        if fresh:
            count, value = max(fresh)
            since = next(place for place in range(start, hour + 1) if values[place].get(value))
            old = total_of(values, max(start - BACK[-1], 0), start)
            return News(value, count / sum(seen.values()), since, max(old, key=lambda name: (old[name], name)))
    return None


def _known(values: Values, value: str, start: int) -> bool:
    """Whether a value was seen before: the last day, the last week or the last four weeks, whichever says so first."""
    return any((share_of(values, start - 1, value, back) or 0.0) >= KNOWN for back in BACK)


def share_of(values: Values, hour: int, value: str, span: int = 24) -> float | None:
    """The share of a value in the hours that end with one; None where nothing was seen."""
    hours = values[max(hour - span + 1, 0) : hour + 1]
    total = sum(sum(counts.values()) for counts in hours)
    return sum(counts.get(value, 0.0) for counts in hours) / total if total else None


def total_of(values: Values, first: int, end: int) -> dict[str, float]:
    """How often each value was seen from one hour to before another."""
    found: dict[str, float] = {}
    for counts in values[first:end]:
        for value, count in counts.items():
            found[value] = found.get(value, 0.0) + count
    return found
