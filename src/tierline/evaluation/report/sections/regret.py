"""The distance to the oracle, split by cause."""

from __future__ import annotations

from collections.abc import Iterator

from tierline.evaluation.document import Document, Loss, Regret
from tierline.evaluation.report.charts.bars import Bar, Part, bars
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.figures import PER, percent, points, round_points, round_usd, usd
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, Shown, absent, legend, note, numbers, present, references, routers, table, why_not

CAUSES = (
    ("under_routed", "under-routed", "c1"),
    ("over_routed", "over-routed", "c2"),
    ("too_slow", "too slow", "c3"),
    ("wrong_capability", "wrong capability", "c4"),
    ("forced", "forced", "c5"),
)


def regret(document: Document) -> Section:
    """Quality lost and money wasted, by cause."""
    shown = [row for row in (*routers(document), *references(document)) if row.row.regret is not None and row.name != "oracle"]
    if not shown:
        return absent("regret", "Regret by cause", why_not(routers(document), "regret", "no row has a decision for every query"))
    quality = _chart(shown, "quality")
    money = _chart(shown, "cost") if any(_of(row).total.cost for row in shown) else None
    unknown = [name for field, name, _ in CAUSES if all(getattr(_of(row), field) is None for row in shown)]
    return present(
        "regret",
        "Regret by cause",
        "How far each row is from the best model for every query. Under-routed: a model that failed where a dearer one passed. "
        "Over-routed: a dearer model than the cheapest that passes.",
        legend([(f"block {style}", name) for field, name, style in CAUSES if name not in unknown]),
        tag(
            "div",
            tag("figure", tag("h3", "Quality lost"), quality),
            money and tag("figure", tag("h3", "Money wasted"), money),
            class_="pair",
        ),
        numbers(
            table(
                "Regret by cause",
                ["row", "cause", "share of queries", "quality lost, points", "USD wasted per 1,000"],
                list(_rows(shown)),
                2,
            )
        ),
        note(f"The data cannot tell {', '.join(unknown)}: such queries stand under the first two.") if unknown else None,
    )


def _of(shown: Shown) -> Regret:
    assert shown.row.regret is not None
    return shown.row.regret


def _chart(shown: list[Shown], what: str) -> Html:
    def said(value: float) -> str:
        return points(value).lstrip("+") if what == "quality" else usd(value)

    rows = [Bar(row.name, tuple(_parts(_of(row), what, said)), said(getattr(_of(row).total, what))) for row in shown]
    title = f"{'Quality lost' if what == 'quality' else 'USD wasted per 1,000 queries'}: " + "; ".join(
        f"{bar.name} {bar.said}" for bar in rows
    )
    label = "percentage points below the oracle" if what == "quality" else "USD per 1,000 queries above the oracle"
    form = _points_lost if what == "quality" else _usd_wasted
    return responsive(lambda width: bars(min(width, 430.0), rows, form, title, label))


def _points_lost(value: float) -> str:
    return round_points(value).lstrip("+")


def _usd_wasted(value: float) -> str:
    return round_usd(value * PER)


def _parts(regret: Regret, what: str, said: object) -> Iterator[Part]:
    assert callable(said)
    for field, name, style in CAUSES:
        loss: Loss | None = getattr(regret, field)
        if loss is not None:
            value = getattr(loss, what)
            yield Part(f"{name}: {said(value)}, {percent(loss.share)} of queries", value, style)


def _rows(shown: list[Shown]) -> Iterator[list[str]]:
    for row in shown:
        for field, name, _ in (*CAUSES, ("total", "in all", "")):
            loss: Loss | None = getattr(_of(row), field)
            if loss is not None:
                yield [row.name, name, percent(loss.share), points(loss.quality, 2).lstrip("+"), usd(loss.cost)]
