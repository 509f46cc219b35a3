"""Quality × cost, with the reference rows and the hull of the single models."""

from __future__ import annotations

from collections.abc import Iterator

from tierline.evaluation.document import Document, Row
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.charts.tradeoff import Line, Mark, known, tradeoff
from tierline.evaluation.report.figures import percent, usd
from tierline.evaluation.report.section import (
    REFERENCE_MEANINGS,
    REFERENCE_NAMES,
    Section,
    Shown,
    absent,
    legend,
    note,
    numbers,
    present,
    references,
    routers,
    table,
    why_not,
)

MOST_NAMES = 14
"""Single models of which every one is named; of more, only those on the hull are."""
SHAPES = {"random": "square", "best single model": "diamond", "task mean": "triangle", "oracle": "diamond"}


def curve(document: Document) -> Section:
    """The chart that the whole page is about."""
    marks, lines = list(_marks(document)), list(_lines(document))
    if not marks:
        otherwise = document.why.get("cost", "the table holds no costs, so nothing can be drawn against them")
        why = why_not([*routers(document), *references(document)], ("cost", "advantage"), otherwise)
        return absent("curve", "Quality and cost", why)
    title = "Quality against cost: " + "; ".join(f"{mark.name} {percent(mark.quality)} at {usd(mark.cost)}" for mark in marks if mark.named)
    keys = [
        *((f"dot {row.style}", row.name) for row in routers(document)),
        ("dot model", "single models"),
        ("stroke hull", "hull of the single models: what a coin reaches"),
        ("dot reference", "reference rows"),
        *([("stroke mean", "curve of the task mean")] if any(line.kind == "reference" for line in lines) else []),
    ]
    return present(
        "curve",
        "Quality and cost",
        "Up is better, left is cheaper. A router is worth its trouble where its curve runs above the dashed hull.",
        responsive(lambda width: tradeoff(width, marks, lines, title)),
        legend(keys),
        numbers(
            table(
                "Every point of the chart",
                ["row", "quality", "USD per 1,000 queries"],
                [[m.name, percent(m.quality, 2), usd(m.cost)] for m in marks],
            )
        ),
        note(
            "Reference rows: ",
            "; ".join(f"{REFERENCE_NAMES[name]}: {REFERENCE_MEANINGS[name]}" for name in REFERENCE_NAMES if name in document.reference),
            ".",
        ),
    )


def _marks(document: Document) -> Iterator[Mark]:
    hull = set((document.reference["zero_router"].models if "zero_router" in document.reference else {}) or ())
    named = len(document.data.models) <= MOST_NAMES
    best = document.reference["best_single"].model if "best_single" in document.reference else ""
    for name, figures in document.data.models.items():
        if known(figures.cost, figures.quality) and name != best:
            yield Mark(name, figures.cost or 0.0, figures.quality or 0.0, "model", named=named or name in hull)
    for shown in references(document):
        row = shown.row
        if shown.name != REFERENCE_NAMES["zero_router"] and known(row.cost, row.quality):
            yield _mark(f"best single: {row.model}" if row.model else shown.name, row, "reference", SHAPES[shown.name])
    for shown in routers(document):
        if known(shown.row.cost, shown.row.quality):
            yield _mark(shown.name, shown.row, f"candidate {shown.style}", "circle")


def _mark(name: str, row: Row, kind: str, shape: str) -> Mark:
    interval = row.quality_interval
    return Mark(
        name, row.cost or 0.0, row.quality or 0.0, kind, shape, interval.low if interval else None, interval.high if interval else None
    )


def _lines(document: Document) -> Iterator[Line]:
    for shown in references(document):
        if shown.name == REFERENCE_NAMES["zero_router"]:
            yield _line(shown, "hull")
        if shown.name == REFERENCE_NAMES["task_mean"]:
            yield _line(shown, "reference")
    for shown in routers(document):
        yield _line(shown, f"candidate {shown.style}")


def _line(shown: Shown, kind: str) -> Line:
    points = sorted({(point.cost, point.quality) for point in shown.row.curve if point.cost is not None})
    return Line(shown.name, tuple(points), kind)
