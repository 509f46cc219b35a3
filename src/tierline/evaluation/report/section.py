"""What a section of the page is, and the pieces that sections share: tables, notes, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline.evaluation.document import REFERENCES, Document, Row
from tierline.evaluation.report.html import Child, Html, join, tag

REFERENCE_NAMES: Mapping[str, str] = {
    "random": "random",
    "best_single": "best single model",
    "zero_router": "zero router",
    "task_mean": "task mean",
    "oracle": "oracle",
}
"""The reference rows, as people call them."""

REFERENCE_MEANINGS: Mapping[str, str] = {
    "random": "a model drawn by chance",
    "best_single": "everything to the model of the best mean score",
    "zero_router": "the best that mixing models by a coin can do, without looking at the question",
    "task_mean": "the model that is best on average for the query's task",
    "oracle": "the best model for every single query, known afterwards",
}


class Section(msgspec.Struct, frozen=True):
    """A part of the page. Without a body it is not shown, and `absent` says why. `lead` is a sentence that says how to read it."""

    id: str
    title: str
    body: Html | None
    lead: str = ""
    absent: str = ""


class Shown(msgspec.Struct, frozen=True):
    """A row with the name and the style it is shown under."""

    name: str
    row: Row
    style: str


def present(id: str, title: str, lead: str, *body: Child) -> Section:
    """A section that has something to show."""
    return Section(id, title, join(body), lead)


def absent(id: str, title: str, why: str) -> Section:
    """A section that has nothing to show, and why."""
    return Section(id, title, None, absent=why)


def routers(document: Document) -> list[Shown]:
    """The routers, candidates first; the style numbers them. One that nobody asked for and that is a reference row too is left to that."""
    first = [name for name in document.candidates if name in document.routers]
    names = first + [name for name in document.routers if name not in first and name not in document.reference]
    return [Shown(name, document.routers[name], f"s{number % 6 + 1}") for number, name in enumerate(names)]


def references(document: Document) -> list[Shown]:
    """The reference rows that are there, in their order, but for one that was asked for as a router."""
    there = [name for name in REFERENCES if name in document.reference and name not in document.candidates]
    return [Shown(REFERENCE_NAMES[name], document.reference[name], "reference") for name in there]


def why_not(rows: Sequence[Shown], figures: str | Sequence[str], otherwise: str) -> str:
    """Why a figure is missing in every row, in the document's own words where it has some: of the first of these that it speaks of."""
    for figure in (figures,) if isinstance(figures, str) else figures:
        found = dict.fromkeys(row.row.why[figure] for row in rows if figure in row.row.why)
        if found:
            return "; ".join(found)
    return otherwise


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[Child]], numbers_from: int = 1, class_: str = "") -> Html:
    """A table whose first column names the row; those from `numbers_from` on stand to the right."""
    top = tag("tr", [tag("th", name, scope="col", class_="n" if place >= numbers_from else None) for place, name in enumerate(head)])
    body = [
        tag("tr", tag("th", row[0], scope="row"), [_cell(cell, place + 1 >= numbers_from) for place, cell in enumerate(row[1:])])
        for row in rows
    ]
    inner = tag("table", tag("caption", caption), tag("thead", top), tag("tbody", body), class_=class_ or None)
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(cell: Child, number: bool) -> Html:
    return tag("td", cell, class_="n" if number else None)


def numbers(*body: Child) -> Html:
    """The figures behind a chart, folded away."""
    return tag("details", tag("summary", "The numbers"), *body)


def note(*text: Child) -> Html:
    """A remark below a chart or a table."""
    return tag("p", *text, class_="note")


def legend(entries: Sequence[tuple[str, str]]) -> Html:
    """Style → what it stands for."""
    keys = [tag("li", tag("span", class_=f"key {style}", aria_hidden="true"), name) for style, name in entries]
    return tag("ul", keys, class_="legend")


def title_case(name: str) -> str:
    """The first letter in capitals."""
    return name[:1].upper() + name[1:]
