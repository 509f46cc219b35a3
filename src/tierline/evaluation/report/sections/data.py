"""What was measured on, and what a reader has to know of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.evaluation.document import Document, Finding
from tierline.evaluation.report.figures import count, percent, plural, usd
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, numbers, present, references, routers, table

MOST = 30
"""Tasks and data sets that are listed."""


def data(document: Document) -> Section:
    """Findings first, then models, tasks and settings."""
    about = document.data
    models = [
        [name, count(one.measured), percent(one.quality), usd(one.cost)]
        for name, one in sorted(about.models.items(), key=lambda item: -(item[1].quality or 0))
    ]
    return present(
        "data",
        "The data",
        _read(document),
        _findings(about.findings),
        numbers(
            table("Models", ["model", "measured", "quality", "USD / 1,000"], models),
            _counts("Tasks", about.tasks),
            _counts("Data sets", about.datasets),
            _settings(document),
            _reasons(document),
        ),
    )


def _read(document: Document) -> str:
    about = document.data
    read = f"{plural(about.queries, 'query', 'queries')} and {plural(about.cells, 'cell')} were read"
    if not about.compared:
        return f"{read}; there is no query on which several models were measured."
    return f"{read}; all figures are over the {plural(about.compared, 'query', 'queries')} on which every model was measured."


def _findings(findings: tuple[Finding, ...]) -> Html:
    if not findings:
        return tag("p", "Nothing odd was found in the data.", class_="note")
    order = {"error": 0, "warning": 1, "note": 2}
    entries = [
        tag("li", tag("span", one.severity, class_="flag"), " ", one.message, _examples(one), class_=one.severity)
        for one in sorted(findings, key=lambda one: order[one.severity])
    ]
    return tag("ul", entries, class_="findings")


def _examples(finding: Finding) -> Html | None:
    if not finding.examples:
        return None
    return tag("small", f" For example {', '.join(finding.examples[:5])}.")


def _counts(title: str, counts: Mapping[str, int]) -> Html | None:
    if not counts:
        return None
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    rows = [[name or "(none)", count(number)] for name, number in ordered[:MOST]]
    if len(ordered) > MOST:
        rows.append([f"{len(ordered) - MOST} more", count(sum(number for _, number in ordered[MOST:]))])
    return table(title, [title.lower(), "queries"], rows)


def _settings(document: Document) -> Html | None:
    settings = {"files": ", ".join(document.data.files), **document.settings}
    rows = [[name, value if isinstance(value, str) else msgspec.json.encode(value).decode()] for name, value in settings.items()]
    return table("Settings: with these the figures come out the same again", ["setting", "value"], rows, 9)


def _reasons(document: Document) -> Html | None:
    """Every figure that does not apply, and why: what the dashes say to those who cannot rest on them."""
    whys = [("document", document.why)] + [(shown.name, shown.row.why) for shown in (*routers(document), *references(document))]
    rows = [[name, figure, why] for name, reasons in whys for figure, why in reasons.items()]
    return table("Figures that do not apply, and why", ["row", "figure", "why"], rows, 9) if rows else None
