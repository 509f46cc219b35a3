"""How often a reworded prompt goes elsewhere, and what that loses."""

from __future__ import annotations

import msgspec

from tierline.evaluation.document import Document
from tierline.evaluation.perturb.robustness import Flips, Robustness
from tierline.evaluation.report.charts.bars import Bar, Part, bars
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.figures import NONE, count, percent, points, round_percent, usd
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, absent, note, numbers, present, routers, table, why_not


def robustness(document: Document) -> Section:
    """Each router under every kind of change."""
    shown = routers(document)
    told = [(row.name, msgspec.convert(row.row.robustness, Robustness)) for row in shown if row.row.robustness is not None]
    if not told:
        return absent("robustness", "Robustness", why_not(shown, "flip_rate", "not asked for: `tierline evaluate --robust` measures it"))
    return present(
        "robustness",
        "Robustness",
        "The same question with typos, in other case or wrapped in boilerplate should go to the same model. Where it does not, the scores "
        "say what the other model loses.",
        [_of_router(name, one) for name, one in told],
        note("Scores are those of the prompts as they stood: this is what the router loses by flipping, not what models lose by a typo."),
    )


def _of_router(name: str, told: Robustness) -> Html:
    rows = [
        Bar(
            kind,
            (Part(f"{kind}: {percent(flips.flip_rate)} flipped", flips.flip_rate, "c1"),),
            percent(flips.flip_rate),
            flips.low,
            flips.high,
        )
        for kind, flips in told.kinds.items()
    ]
    title = f"Share of prompts that {name} sends elsewhere: " + "; ".join(f"{bar.name} {bar.said}" for bar in rows)
    chart = responsive(lambda width: bars(width, rows, round_percent, title, "share of prompts that go to another model"))
    head = ["change", "prompts", "flipped", "95 % interval", "quality lost, points", "lost a flip", "USD / 1,000", "most often"]
    lost = f", {points(told.quality_lost, 2).lstrip('+')} points of quality lost" if told.quality_lost is not None else ""
    return tag(
        "div",
        tag("h3", f"{name}: {percent(told.flip_rate)} of prompts flip{lost}"),
        chart,
        numbers(table(f"Robustness of {name}", head, [_row(kind, flips) for kind, flips in told.kinds.items()])),
    )


def _row(kind: str, flips: Flips) -> list[str]:
    most = next(iter(flips.moved.items()), None)
    return [
        kind,
        count(flips.pairs),
        percent(flips.flip_rate),
        f"{percent(flips.low)} … {percent(flips.high)}",
        f"{points(flips.quality_lost, 2)} [{points(flips.quality_low, 2)}, {points(flips.quality_high, 2)}]"
        if flips.quality_lost is not None
        else NONE,
        points(flips.lost_per_flip),
        usd(flips.cost_change, signed=True),
        f"{most[0]} ({count(most[1])})" if most else NONE,
    ]
