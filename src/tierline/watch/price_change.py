"""Prices: does a model cost something else than it did, by the spec or by the catalogue?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.course import QUIET, Verdict
from tierline.watch.past import Past
from tierline.watch.subject import Subject, Told, called, moment, spoken

Prices = Sequence[tuple[float, float] | None]


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each model whose price was known."""
    for model, prices in sorted(past.prices.items()):
        name = called("model", model)
        yield Subject(
            name,
            partial(_look, prices, watch),
            partial(_told, past, watch, name, prices),
        )


def _change(prices: Prices, watch: Watch, hour: int) -> tuple[int, tuple[float, float], tuple[float, float]] | None:
    """The last change within the window: its hour, and the prices before and since."""
    now, since = prices[hour], hour
    if now is None:
        return None
    for place in range(hour - 1, max(hour - int(watch.window // 3600), -1), -1):
        before = prices[place]
        if before is not None and before != now:
            enough = any(abs(b - a) > watch.threshold * a for a, b in zip(before, now, strict=True))
            return (since, before, now) if enough else None
        since = place if before is not None else since
    return None


def _look(prices: Prices, watch: Watch, hour: int, moved: tuple[float, float] | None, floor: int) -> Verdict:
    found = _change(prices, watch, hour)
    if moved is not None:
        return QUIET if found is not None else Verdict("calm", hour, moved[1], moved[1], 1.0)
    if found is None or found[0] < floor:
        return QUIET
    since, before, now = found
    return Verdict("firing", since, sum(before), sum(now), 1.0)


def _told(past: Past, watch: Watch, name: str, prices: Prices, verdict: Verdict, hour: int) -> Told:
    found = _change(prices, watch, hour)
    figures = "" if found is None else f" from {_spoken(found[1])} to {_spoken(found[2])}"
    what = f"the price of {spoken(name)} went{figures} since {moment(past.at(verdict.since))}"
    return Told(
        what, "see what routing makes of it: tierline replay, and the tasks that answer with it; a price in the spec is kept", verdict.since
    )


def _spoken(price: tuple[float, float]) -> str:
    return f"{price[0]:g} in and {price[1]:g} out (USD per million tokens)"
