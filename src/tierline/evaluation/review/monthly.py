"""The report of a month for people: a page, and the same in Markdown."""

from __future__ import annotations

from tierline.evaluation.report.figures import NONE, count, percent, seconds, usd
from tierline.evaluation.report.html import Child, Html, tag
from tierline.evaluation.report.page import page
from tierline.evaluation.report.section import Section, absent, note, present, table
from tierline.evaluation.review.month import Line, Month, RouteMonth

HEAD = ("route", "owner", "requests", "cost", "USD a request", "median", "p95", "climbed", "fell back", "no answer", "pass rate")
WASTE = ("route", "too dear a model", "thrown away on the way up", "cost of wrong answers", "together")


def month_report(month: Month, made: str) -> str:
    """The page of a month."""
    return page(f"Tierline {month.name}", _hero(month), [_routes(month), _waste(month)], made)


def month_markdown(month: Month) -> str:
    """The same as Markdown, for a wiki or a mail."""
    lines = [f"# Routing in {month.name}", "", next_words(month), "", *_markdown(HEAD, [_cells(one) for one in month.routes], 2)]
    lines += ["", "In brackets: the month before.", "", "## What could be won (USD)", ""]
    lines += _markdown(WASTE, [_wasted(one) for one in month.routes], 1)
    return "\n".join([*lines, ""])


def next_words(month: Month) -> str:
    """Which route to optimise next, and why, in a sentence."""
    if not month.next_route:
        return "Nothing was measured that could be won: no answers were judged, or none was climbed past, too dear or wrong."
    found = next(one for one in month.routes if one.route == month.next_route)
    parts = {
        "answers by a dearer model than measured need be": found.waste.over_routed,
        "first answers that were thrown away": found.waste.climbed,
        "what wrong answers cost the business": found.waste.failed,
    }
    said = ", ".join(f"{usd(value)} {what}" for what, value in sorted(parts.items(), key=lambda part: -part[1]) if value > 0)
    return f"Optimise the route {found.route} next: up to {usd(found.waste.total)} could be won there ({said})."


def _hero(month: Month) -> Html:
    now, before = _all(month, "now"), _all(month, "before")
    tiles = [
        ("Requests", count(now[0]), f"{count(before[0])} the month before"),
        ("Cost", usd(now[1]), f"{usd(before[1])} the month before"),
        ("Pass rate", percent(now[3] / now[2]) if now[2] else NONE, f"of {count(now[2])} answers that were judged"),
    ]
    shown = [tag("div", tag("dt", name), tag("dd", tag("b", value), tag("small", about)), class_="tile") for name, value, about in tiles]
    return tag(
        "header",
        tag("p", f"Tierline · the month {month.name}", class_="kicker"),
        tag("h1", f"{count(now[0])} requests for {usd(now[1])}."),
        tag("p", next_words(month), class_="lead"),
        tag("dl", shown, class_="tiles"),
    )


def _all(month: Month, which: str) -> tuple[int, float, int, int]:
    lines: list[Line] = [getattr(one, which) for one in month.routes]
    return (
        sum(line.requests for line in lines), sum(line.cost for line in lines), sum(line.judged for line in lines),
        sum(line.passed for line in lines),
    )  # fmt: skip


def _routes(month: Month) -> Section:
    if not month.routes:
        return absent("routes", "Routes", "the log has no request of this month")
    lead = "Each route; in brackets what it was the month before."
    return present("routes", "Routes", lead, table("Routes", HEAD, [_cells(one) for one in month.routes], 2))


def _waste(month: Month) -> Section:
    body = table("What could be won, in USD", WASTE, [_wasted(one) for one in month.routes])
    how = (
        "Too dear: what requests cost above the mean of the cheapest model whose measured pass rate clears the task's bar. Thrown away: "
        "first answers that a check refused. Wrong: the task's failure_cost for every answer that was judged not good enough."
    )
    return present("waste", "What could be won", "Money that bought nothing, and quality that was lost, by route.", body, note(how))


def _cells(one: RouteMonth) -> list[Child]:
    now, before = one.now, one.before
    pairs = [
        (count(now.requests), count(before.requests)),
        (usd(now.cost), usd(before.cost)),
        (f"{now.cost_each:.6f}", f"{before.cost_each:.6f}"),
        (seconds(now.p50), seconds(before.p50)),
        (seconds(now.p95), seconds(before.p95)),
        (percent(now.escalation_rate), percent(before.escalation_rate)),
        (percent(now.fallback_rate), percent(before.fallback_rate)),
        (percent(now.error_rate), percent(before.error_rate)),
        (percent(now.pass_rate), percent(before.pass_rate)),
    ]
    return [one.route, one.owner or NONE, *[f"{value} ({was})" if before.requests else value for value, was in pairs]]


def _wasted(one: RouteMonth) -> list[Child]:
    waste = one.waste
    return [one.route, usd(waste.over_routed), usd(waste.climbed), usd(waste.failed), usd(waste.total)]


def _markdown(head: tuple[str, ...], rows: list[list[Child]], numbers_from: int) -> list[str]:
    line = "|" + "|".join("---" if place < numbers_from else "---:" for place in range(len(head))) + "|"
    body = ["| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", line, *body]
