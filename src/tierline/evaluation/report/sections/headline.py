"""The first thing one reads: does the router beat a coin that costs the same?"""

from __future__ import annotations

from tierline.evaluation.document import Document, Row
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.charts.intervals import Span, intervals, tone
from tierline.evaluation.report.figures import NONE, percent, plural, points, usd
from tierline.evaluation.report.html import Html, join, tag
from tierline.evaluation.report.section import Section, Shown, absent, numbers, present, routers, table, title_case, why_not

VERDICTS = {
    "good": "beats a random mix of the same cost",
    "open": "is not shown to beat a random mix of the same cost",
    "bad": "loses to a random mix of the same cost",
}


def hero(document: Document) -> Html:
    """The headline of the page: the first candidate's advantage in a sentence, and the figures beside it."""
    shown = routers(document)
    if not shown:
        return tag("header", tag("p", "Tierline evaluation", class_="kicker"), tag("h1", _references_only(document)), class_="hero")
    first = shown[0]
    kind, sentence = _sentence(first)
    return tag(
        "header",
        tag(
            "p",
            f"Tierline evaluation · {plural(document.data.compared or document.data.queries, 'query', 'queries')} · ",
            plural(len(document.data.models), "model"),
            class_="kicker",
        ),
        tag("h1", tag("span", first.name, class_="subject"), f" {_verdict(first.row, kind)}."),
        tag("p", sentence, class_="lead"),
        _tiles(document, first.row, kind),
        class_=f"hero {kind}",
    )


def advantage(document: Document) -> Section:
    """Every router's advantage with its interval."""
    shown = routers(document)
    told = [row for row in shown if row.row.advantage is not None]
    if not told:
        return absent("advantage", "Advantage", why_not(shown, "advantage", "no router was evaluated"))
    spans = [Span(row.name, row.row.advantage.value, row.row.advantage.low, row.row.advantage.high) for row in told if row.row.advantage]
    title = "Advantage over a random mix of models of the same cost, with 95 % intervals: " + "; ".join(
        f"{s.name} {points(s.value)} points" for s in spans
    )
    return present(
        "advantage",
        "Advantage",
        "How many points of quality a router adds to a coin that throws between models at the same cost. "
        "An interval with zero in it proves nothing.",
        responsive(lambda width: intervals(width, spans, title, "percentage points of quality")),
        numbers(
            table(
                "Advantage over the cost-matched random mix",
                ["router", "advantage", "95 % interval", "its quality", "the mix", "the mix is"],
                [_row(row) for row in told],
                1,
            )
        ),
    )


def _row(shown: Shown) -> list[str]:
    gain = shown.row.advantage
    assert gain is not None
    mix = ", ".join(f"{name} {percent(share, 0)}" for name, share in gain.mix.items())
    return [
        shown.name,
        points(gain.value, 2),
        f"{points(gain.low, 2)} … {points(gain.high, 2)}",
        percent(shown.row.quality),
        percent(gain.quality),
        mix or NONE,
    ]


def _verdict(row: Row, kind: str) -> str:
    """What is said of the router in the headline: of its advantage, else of its tiers, else only where it stands."""
    if kind in VERDICTS:
        return VERDICTS[kind]
    if row.confusion is not None:
        return f"sends {percent(row.confusion.accuracy)} of queries to the tier they need"
    return "was not held against a random mix" if row.quality is None else f"reaches {percent(row.quality)} quality"


def _stands(row: Row) -> str:
    quality = "Its quality is not known" if row.quality is None else f"It reaches {percent(row.quality)} quality"
    return (
        quality if row.cost is None else f"{quality}{' and it costs' if row.quality is None else ' for'} {usd(row.cost)} per 1,000 queries"
    )


def _sentence(shown: Shown) -> tuple[str, Html]:
    """The verdict's kind and the sentence that carries it."""
    row, gain = shown.row, shown.row.advantage
    stands = _stands(row)
    if gain is None:
        why = row.why.get("advantage", "no advantage could be measured")
        return "none", join([f"{stands}. There is no headline figure: {why}."])
    more = "more" if gain.value >= 0 else "less"
    return tone(gain.low, gain.high), join(
        (
            f"{stands}: ",
            tag("strong", f"{points(abs(gain.value)).lstrip('+')} points {more}"),
            f" than a coin that throws between models at the same cost (95 % interval {points(gain.low)} to {points(gain.high)}).",
        )
    )


def _tiles(document: Document, row: Row, kind: str) -> Html:
    best = document.reference.get("best_single")
    oracle = document.reference.get("oracle")
    saved = row.save_at.get("99")
    regret = row.regret.total.quality if row.regret else None
    tiles = [
        ("Advantage", points(row.advantage.value) if row.advantage else NONE, "points over a random mix of the same cost", kind),
        (
            "Quality",
            percent(row.quality),
            _beside(best, oracle),
            "",
        ),
        ("Cost", usd(row.cost), f"per 1,000 queries{_best(best)}", ""),
        ("Saved", percent(saved, 0), "of the best single model's cost, at 99 % of its quality", ""),
        ("Regret", points(-regret).lstrip("+") if regret is not None else NONE, "points of quality below the oracle", ""),
        ("Flips", percent(row.flip_rate), "of reworded prompts go to another model", ""),
    ]
    shown = [tile for tile in tiles if tile[1] != NONE]
    return tag(
        "dl",
        [
            tag("div", tag("dt", name), tag("dd", tag("b", value), tag("small", about)), class_=f"tile {style}")
            for name, value, about, style in shown
        ],
        class_="tiles",
    )


def _beside(best: Row | None, oracle: Row | None) -> str:
    if best is None or oracle is None or best.quality is None:
        return "mean score of its answers"
    return f"best single model {percent(best.quality)}, oracle {percent(oracle.quality)}"


def _best(best: Row | None) -> str:
    return "" if best is None or best.cost is None else f"; best single model {usd(best.cost)}"


def _references_only(document: Document) -> str:
    best = document.reference.get("best_single")
    if not document.data.models:
        return f"{plural(document.data.queries, 'query', 'queries')} and no model: there is nothing to compare."
    named = f": the best single model is {best.model} at {percent(best.quality)}" if best is not None and best.model else ""
    return title_case(f"reference rows of {plural(len(document.data.models), 'model')}{named}.")
