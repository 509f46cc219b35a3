"""What a policy is held against: everything to one model, and random mixes that cost the same. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Single(msgspec.Struct, frozen=True):
    """Everything sent to one model: mean USD and mean quality (pass rate or score, 0 to 1) of a request."""

    model: str
    cost: float
    quality: float


def cheapest(singles: Sequence[Single]) -> Single:
    """The one with the lowest cost; the better one of two that cost the same."""
    return min(singles, key=lambda s: (s.cost, -s.quality))


def best(singles: Sequence[Single]) -> Single:
    """The one with the highest quality; the cheaper one of two that are as good."""
    return min(singles, key=lambda s: (-s.quality, s.cost))


def share_for(low: Single, high: Single, cost: float) -> float:
    """The share of requests that must go to `high`, at random, for a mix of both to cost `cost` a request; cut to [0, 1]."""
    if high.cost <= low.cost:
        return 0.0
    return min(max((cost - low.cost) / (high.cost - low.cost), 0.0), 1.0)


def random_mix(low: Single, high: Single, cost: float) -> float:
    """The expected quality of a coin that sends requests to `low` or `high` such that a request costs `cost`."""
    share = share_for(low, high, cost)
    return low.quality + share * (high.quality - low.quality)


def zero_router(singles: Sequence[Single], cost: float) -> float:
    """The best expected quality that any random mix of the models reaches at `cost` or less: the upper convex hull."""
    affordable = [s for s in singles if s.cost <= cost]
    dearer = [s for s in singles if s.cost > cost]
    quality = max((s.quality for s in affordable), default=min(s.quality for s in singles))
    return max([quality, *(random_mix(low, high, cost) for low in affordable for high in dearer)])
