"""The whole report as one HTML file: no script, no request to anywhere, the style and the charts inside it.

Every figure comes from the document, and everything that is text in it is escaped. The page forbids itself to load anything
(`Content-Security-Policy`), so even a mistake here could not make it call home.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources

from tierline.evaluation.document import Document
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section
from tierline.evaluation.report.sections.calibration import confusion, reliability
from tierline.evaluation.report.sections.cascade import cascade
from tierline.evaluation.report.sections.changes import changes
from tierline.evaluation.report.sections.data import data
from tierline.evaluation.report.sections.drill import drill
from tierline.evaluation.report.sections.figures import every_row, savings
from tierline.evaluation.report.sections.headline import advantage, hero
from tierline.evaluation.report.sections.regret import regret
from tierline.evaluation.report.sections.replayed import caveats, evidence, replay_hero, shares
from tierline.evaluation.report.sections.robustness import robustness
from tierline.evaluation.report.sections.slices import slices
from tierline.evaluation.report.sections.tradeoff import curve

SECTIONS: Sequence[Callable[[Document], Section]] = (
    curve,
    advantage,
    every_row,
    savings,
    regret,
    slices,
    reliability,
    confusion,
    cascade,
    robustness,
    drill,
    data,
)
"""In the order of the page."""

REPLAY_SECTIONS: Sequence[Callable[[Replay], Section]] = (changes, evidence, shares, caveats)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def report(document: Document, title: str = "Tierline evaluation", made: str = "") -> str:
    """The page; `made` says when and by what command, as it is to stand at its foot."""
    return page(title, hero(document), [section(document) for section in SECTIONS], made)


def replay_report(replay: Replay, title: str = "Tierline replay", made: str = "") -> str:
    """The page of a replay: what changes and why, and what the log can prove."""
    return page(title, replay_hero(replay), [section(replay) for section in REPLAY_SECTIONS], made)


def page(title: str, head: Html, sections: Sequence[Section], made: str) -> str:
    """A page of sections: those with a body, then a list of those without and why."""
    shown = [section for section in sections if section.body is not None]
    missing = [section for section in sections if section.body is None]
    links = [tag("li", tag("a", section.title, href=f"#{section.id}")) for section in shown]
    nav = tag("nav", tag("p", "Contents", class_="kicker"), tag("ol", links), aria_label="Sections")
    main = tag("main", [_section(section) for section in shown], _missing(missing), id="main")
    body = tag(
        "body",
        tag("a", "Skip to the figures", href="#main", class_="skip"),
        head,
        tag("div", nav, main, class_="columns"),
        tag("footer", tag("p", made or "Made by Tierline.")),
    )
    style = Html(resources.files("tierline.evaluation.report").joinpath("page.css").read_text(encoding="utf-8"))
    top = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", style),
    )
    return f"<!doctype html>\n{tag('html', top, body, lang='en')}\n"


def _section(section: Section) -> Html:
    heading = f"{section.id}-title"
    return tag(
        "section",
        tag("h2", section.title, id=heading),
        tag("p", section.lead, class_="lead") if section.lead else None,
        section.body,
        id=section.id,
        aria_labelledby=heading,
    )


def _missing(sections: Sequence[Section]) -> Html | None:
    if not sections:
        return None
    entries = [tag("div", tag("dt", section.title), tag("dd", section.absent), id=section.id) for section in sections]
    return tag(
        "section",
        tag("h2", "Not shown, and why", id="absent-title"),
        tag("dl", entries, class_="absent"),
        id="absent",
        aria_labelledby="absent-title",
    )
