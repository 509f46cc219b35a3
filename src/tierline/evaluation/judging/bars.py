"""When a judge is valid: the bars that it must clear before its labels may gate or train anything."""

from __future__ import annotations

import math

import msgspec

from tierline.evaluation.judging.figures import Report


class Bars(msgspec.Struct, frozen=True):
    """Least kappa and least lower end of its interval; most position bias, self-disagreement and share of unread replies; most bias by
    length (as a correlation, or for pairs as an odds ratio of `odds` either way); least labels, and least of the rarer kind."""

    kappa: float = 0.6
    kappa_low: float = 0.4
    position: float = 0.1
    disagreement: float = 0.3
    unread: float = 0.1
    length: float = 0.3
    odds: float = 3.0
    labels: int = 50
    rarer: int = 10


def misses(report: Report, bars: Bars) -> list[str]:
    """Every bar that is missed, as a sentence; none: the judge is valid."""
    kappa, low = report.agreement.kappa, report.agreement.low
    found = []
    if report.labels < bars.labels:
        found.append(f"{report.labels} labels, needs {bars.labels}")
    if min(report.good, report.bad) < bars.rarer:
        found.append(f"only {min(report.good, report.bad)} of the rarer label, needs {bars.rarer}")
    if kappa is None or low is None:
        found.append("kappa is not defined: judge or labels always say the same")
    else:
        if kappa < bars.kappa:
            found.append(f"kappa {kappa:.2f}, needs {bars.kappa:g}")
        if low < bars.kappa_low:
            found.append(f"kappa may be as low as {low:.2f}, needs {bars.kappa_low:g}")
    found += _over("position bias", report.position.value, bars.position)
    disagrees = report.self_disagreement.value
    if disagrees is not None and disagrees > bars.disagreement:
        found.append(f"self-disagreement {disagrees:.0%}, at most {bars.disagreement:.0%}")
    if report.unread > bars.unread:
        found.append(f"{report.unread:.0%} of its replies cannot be read, at most {bars.unread:.0%}")
    found += _length(report, bars)
    return found


def _over(what: str, value: float | None, most: float) -> list[str]:
    return [f"{what} {value:+.2f}, at most {most:g} either way"] if value is not None and abs(value) > most else []


def _length(report: Report, bars: Bars) -> list[str]:
    """A bias by length counts where it is large and its interval leaves out none at all."""
    value, low, high = report.length.value, report.length.low, report.length.high
    if value is None or low is None or high is None or low <= 0.0 <= high:
        return []
    if report.way == "alone":
        return _over("correlation of its error with length", value, bars.length)
    odds = math.exp(value)
    return [f"names the longer answer at {odds:.1f} times the odds of the labels"] if not 1 / bars.odds <= odds <= bars.odds else []
