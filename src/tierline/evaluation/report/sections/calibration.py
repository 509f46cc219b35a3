"""Whether predicted pass rates hold, and which tier was needed against which was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from tierline.evaluation.document import Confusion, Document
from tierline.evaluation.report.charts.reliability import diagram
from tierline.evaluation.report.figures import count, decimal, percent
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, Shown, absent, note, numbers, present, references, routers, table, why_not

MOST = 12
"""Diagrams that are shown of one router; the rest stand in the table."""


def reliability(document: Document) -> Section:
    """A diagram for each model that a router predicts for."""
    shown = [row for row in (*routers(document), *references(document)) if row.row.reliability]
    if not shown:
        return absent("reliability", "Reliability", why_not(routers(document), ("reliability", "brier"), "no router predicts pass rates"))
    return present(
        "reliability",
        "Reliability",
        "A router that says 80 % should be right 80 % of the time: dots on the diagonal. Below it, it promised too much. "
        "Larger dots are more queries.",
        [_of_router(row) for row in shown],
    )


def _of_router(shown: Shown) -> Html:
    told = sorted(shown.row.reliability.items(), key=lambda item: -item[1].ece)
    figures = [
        tag(
            "figure",
            tag("figcaption", tag("b", model), f" ECE {decimal(one.ece)}, Brier {decimal(one.brier)}"),
            diagram(model, one.bins, one.ece),
        )
        for model, one in told[:MOST]
    ]
    rows = [
        [model, f"{percent(one.low, 0)} to {percent(one.high, 0)}", percent(one.predicted), percent(one.actual), count(one.count)]
        for model, about in told
        for one in about.bins
        if one.count
    ]
    more = note(f"{len(told) - MOST} more models are in the numbers below; these are the worst.") if len(told) > MOST else None
    heading = f"{shown.name}: ECE {decimal(shown.row.ece)}, Brier {decimal(shown.row.brier)}"
    whole = table(f"Reliability of {shown.name}", ["model", "predicted between", "mean predicted", "came", "queries"], rows)
    return tag("div", tag("h3", heading), tag("div", figures, class_="small-multiples"), more, numbers(whole))


def confusion(document: Document) -> Section:
    """Tiers needed against tiers chosen."""
    shown = [(row.name, row.row.confusion) for row in (*routers(document), *references(document)) if row.row.confusion is not None]
    if not shown:
        return absent("confusion", "Tiers", why_not(routers(document), "confusion", "the data name no tiers"))
    return present(
        "confusion",
        "Tiers needed and chosen",
        "Each row is a tier that was needed, each column one that was chosen. Left of the diagonal is under-routed: quality at risk. "
        "Right of it is over-routed: money.",
        tag("div", [_matrix(name, one) for name, one in shown], class_="matrices"),
    )


def _matrix(name: str, told: Confusion) -> Html:
    head = [tag("th", "needed ↓ chosen →", scope="col"), *(tag("th", tier, scope="col", class_="n") for tier in told.tiers)]
    body = [tag("tr", tag("th", tier, scope="row"), list(_cells(told, place))) for place, tier in enumerate(told.tiers)]
    source = "the data's own labels" if told.source == "labels" else "the lowest tier with a model that reaches the query's best score"
    rates = f"{percent(told.under_routed)} under-routed, {percent(told.over_routed)} over-routed"
    caption = f"{name}: {percent(told.accuracy)} on the diagonal, {rates}"
    inner = tag("table", tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body), class_="matrix")
    return tag(
        "div", tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption), note(f"What was needed: {source}.")
    )


def _cells(told: Confusion, place: int) -> Iterator[Html]:
    counts = told.counts[place]
    whole = sum(counts)
    for column, value in enumerate(counts):
        share = value / whole if whole else 0.0
        kind = "even" if column == place else "under" if column < place else "over"
        yield tag("td", tag("b", count(value)), " ", tag("small", percent(share, 0)), class_=f"n {kind}", style=f"--share:{share:.3f}")
