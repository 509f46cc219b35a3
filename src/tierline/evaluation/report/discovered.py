"""The report of a discovery: the types of requests and what routing each would save, as one HTML file."""

from __future__ import annotations

from tierline.evaluation.discover.document import Discovery, Type
from tierline.evaluation.discover.words import COLUMNS, agreement_words, cells_of, spanned, summary, title, told
from tierline.evaluation.report.figures import count, decimal, percent, usd
from tierline.evaluation.report.html import Child, Html, tag
from tierline.evaluation.report.page import page
from tierline.evaluation.report.section import Section, absent, note, present, table


def discover_report(found: Discovery, made: str = "") -> str:
    """The page; `made` says when and by what command, as it is to stand at its foot."""
    return page("Tierline discover", _hero(found), [_types(found), _each(found), _suggestions(found), _grouping(found)], made)


def _hero(found: Discovery) -> Html:
    tiles = [
        ("Types", count(len(found.types)), f"of {count(found.requests)} requests"),
        ("Cost", usd(found.cost), "per 1,000 requests now"),
        ("Could be saved", usd(found.saved.value), f"per 1,000; {spanned(found.saved)} nine times out of ten"),
    ]
    shown = [tag("div", tag("dt", name), tag("dd", tag("b", value), tag("small", about)), class_="tile") for name, value, about in tiles]
    return tag(
        "header",
        tag("p", "Tierline · what is asked", class_="kicker"),
        tag("h1", f"{title(found)}."),
        tag("p", summary(found), class_="lead"),
        tag("dl", shown, class_="tiles"),
    )


def _types(found: Discovery) -> Section:
    rows: list[list[Child]] = [list(cells_of(one)) for one in found.types]
    if found.rest is not None:
        rest = found.rest
        rows.append([rest.name, percent(rest.share), percent(rest.cost_share), usd(rest.cost), *[""] * (len(COLUMNS) - 4)])
    lead = "Those that cost most first. Costs are USD of 1,000 requests; tokens are medians; a saving is of 1,000 requests of its type."
    body = table("Types of requests", COLUMNS, rows, class_="dense")
    return present("types", "Types", lead, body, tag("ul", [tag("li", said) for said in found.notes], class_="plain"))


def _each(found: Discovery) -> Section:
    lead = "What sets each type apart, what its saving rests on, and what is not known."
    body = [tag("div", tag("h3", one.name), tag("ul", [tag("li", line) for line in told(one)], class_="plain")) for one in found.types]
    return present("each", "Each type", lead, body)


def _suggestions(found: Discovery) -> Section:
    lacking: list[Type] = [one for one in found.types if one.suggestion]
    if not lacking:
        return absent("tasks", "Tasks to begin with", "every type has a task of the spec already")
    text = "tasks:\n" + "\n".join(f"  {line}" for one in lacking for line in one.suggestion.splitlines())
    body = tag("div", tag("pre", tag("code", text)), class_="scroll", tabindex="0", role="region", aria_label="Suggested tasks")
    lead = "For types that have no task yet. The bar is to be set by a person."
    return present("tasks", "Tasks to begin with", lead, body)


def _grouping(found: Discovery) -> Section:
    if not found.silhouettes:
        return absent("grouping", "How many types", "the requests are all alike, or too few")
    rows: list[list[Child]] = [[str(many), decimal(value)] for many, value in found.silhouettes.items()]
    how = (
        "The number from 2 to 20 whose cut of Ward's hierarchy has the best mean silhouette; of those within one standard error of the "
        "best, the greatest. Groups of less than 0.5 % of the requests are put to the rest."
    )
    return present("grouping", "How many types", agreement_words(found), table("Silhouettes", ("groups", "silhouette"), rows), note(how))
