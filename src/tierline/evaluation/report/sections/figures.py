"""Every headline figure of every row in one table, and what is saved at which quality."""

from __future__ import annotations

from tierline.evaluation.document import Document
from tierline.evaluation.report.figures import NONE, decimal, percent, points, usd
from tierline.evaluation.report.html import Child, Html, tag
from tierline.evaluation.report.section import Section, Shown, absent, note, present, references, routers, table, why_not

LEVELS = ("100", "99", "95")


def every_row(document: Document) -> Section:
    """Routers and reference rows, one below the other."""
    shown = [*routers(document), *references(document)]
    if all(one.row.quality is None for one in shown):
        return absent("figures", "All rows", why_not(shown, "quality", "no row has a figure"))
    head = ["row", "quality", "95 % interval", "USD / 1,000", "advantage", "APGR", "CPT 50 %", "CPT 80 %", "AIQ", "arena"]
    rows = [_row(one) for one in shown]
    used = [place for place in range(len(head)) if place < 2 or any(row[place] != NONE for row in rows)]
    return present(
        "figures",
        "All rows",
        "The same figures for the routers and for the rows that any router has to be held against. A dash says why when you rest on it.",
        table("Figures of every row", [head[place] for place in used], [[row[place] for place in used] for row in rows]),
        note(
            "APGR and CPT (the least share of calls to the strong model that recovers so much of the gap) as RouteLLM defines them, ",
            "AIQ as RouterBench does, arena as RouterArena does.",
        ),
    )


def savings(document: Document) -> Section:
    """What each row saves of the best single model's cost, at how much of its quality."""
    shown = [row for row in (*routers(document), *references(document)) if any(row.row.save_at.get(level) is not None for level in LEVELS)]
    if not shown:
        return absent(
            "savings",
            "Savings",
            why_not(routers(document), ("advantage", "save_at"), "no row reaches 95 % of the best single model's quality"),
        )
    rows: list[list[Child]] = [[row.name, *(_share(row, level) for level in LEVELS)] for row in shown]
    return present(
        "savings",
        "Savings",
        "The share of the best single model's cost that is saved while so much of its quality is kept.",
        table(
            "Cost saved against the best single model", ["row", *(f"at {level} % of its quality" for level in LEVELS)], rows, class_="bars"
        ),
    )


def _share(shown: Shown, level: str) -> Child:
    value = shown.row.save_at.get(level)
    if value is None:
        return _missing(shown, f"save_at.{level}", "save_at")
    bar = tag("span", class_="fill", style=f"width:{max(min(value, 1.0), 0.0) * 100:.1f}%", aria_hidden="true")
    return tag("span", bar, tag("span", percent(value, 0)), class_="meter")


def _row(shown: Shown) -> list[Child]:
    row = shown.row
    interval = row.quality_interval
    cells: list[tuple[str, str]] = [
        ("quality", percent(row.quality)),
        ("quality_interval", f"{percent(interval.low)} … {percent(interval.high)}" if interval else NONE),
        ("cost", usd(row.cost)),
        (
            "advantage",
            f"{points(row.advantage.value)} [{points(row.advantage.low)}, {points(row.advantage.high)}]" if row.advantage else NONE,
        ),
        ("apgr", decimal(row.apgr)),
        ("cpt50", percent(row.cpt50, 0)),
        ("cpt80", percent(row.cpt80, 0)),
        ("aiq", decimal(row.aiq)),
        ("arena", decimal(row.arena)),
    ]
    return [shown.name, *(_missing(shown, name) if said == NONE and name in row.why else said for name, said in cells)]


def _missing(shown: Shown, *names: str) -> Html | str:
    """A dash that says why."""
    why = next((shown.row.why[name] for name in names if name in shown.row.why), "")
    return tag("abbr", NONE, title=why) if why else NONE
