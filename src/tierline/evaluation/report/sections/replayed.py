"""What a replay found: how much changes, what it costs, and what the log can prove of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tierline.evaluation.counterfactual import Value
from tierline.evaluation.interval import Figure
from tierline.evaluation.replay.document import Evidence, Replay
from tierline.evaluation.report.figures import NONE, count, percent, plain, plural, points, seconds, usd
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, absent, note, numbers, present, table

Form = Callable[[float | None], str]

ESTIMATORS = (
    ("as logged", "logged"),
    ("IPS", "ips"),
    ("self-normalised IPS", "snips"),
    ("doubly robust", "dr"),
    ("change, doubly robust", "change"),
)


def replay_hero(replay: Replay) -> Html:
    """The headline: how many decisions change, what that costs, and what is known of the quality."""
    rows = replay.rows
    changed = rows.changed / rows.decided if rows.decided else 0.0
    tiles = [
        ("Changed", percent(changed), f"of {count(rows.decided)} decisions have another model first"),
        ("Cost", _share(replay), "expected for the first call, as the decisions reckon it"),
        ("Evidence", percent(replay.evidence.coverage, 0) if replay.evidence else NONE, "of the decisions the log can say something about"),
        ("Quality", _quality(replay), "points, doubly robust, where the log has evidence"),
    ]
    shown = [_tile(*tile) for tile in tiles if tile[1] != NONE]
    return tag(
        "header",
        tag("p", f"Tierline replay · {replay.source} under {replay.spec} ({replay.fingerprint})", class_="kicker"),
        tag("h1", f"{plural(rows.changed, 'decision')} of {count(rows.decided)} would change."),
        tag("p", _sentence(replay), class_="lead"),
        tag("dl", shown, class_="tiles"),
        class_="hero",
    )


def _tile(name: str, value: str, about: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", tag("b", value), tag("small", about)), class_="tile")


def _sentence(replay: Replay) -> str:
    change = replay.evidence.quality.change if replay.evidence and replay.evidence.quality else None
    if change is None or change.value is None:
        why = change.why if change is not None and change.why else "no answer that the new spec would have given was judged"
        return f"What that does to quality cannot be said: {why}."
    span = f" (95 % interval {points(change.low)} to {points(change.high)})" if change.low is not None else ""
    return f"Where the log has evidence, quality changes by {points(change.value)} points{span}."


def _share(replay: Replay) -> str:
    share = replay.reckoned.share if replay.reckoned else None
    return NONE if share is None else f"{points(share)}\N{NO-BREAK SPACE}%"


def _quality(replay: Replay) -> str:
    value = replay.evidence.quality.change.value if replay.evidence and replay.evidence.quality else None
    return points(value)


def shares(replay: Replay) -> Section:
    """Who is asked first, before and after."""
    rows = [[*row] for mapping in (replay.tiers, replay.models) for row in _moved(mapping)]
    if not rows:
        return absent("shares", "Who is asked first", "no decision was replayed")
    return present(
        "shares",
        "Who is asked first",
        "The share of first calls by tier and by model, before and under the new spec.",
        table("Shares of first calls", ["tier or model", "before", "after", "change, points"], rows),
    )


def _moved(shares: Mapping[str, tuple[float, float]]) -> Iterator[tuple[str, str, str, str]]:
    for name, (before, after) in sorted(shares.items(), key=lambda item: -max(item[1])):
        yield name or "(nobody)", percent(before), percent(after), points(after - before)


def evidence(replay: Replay) -> Section:
    """The estimators side by side, how much they rest on, and what has none."""
    told = replay.evidence
    if told is None:
        return absent("evidence", "What the log can prove", "no row was replayed, or the log holds nothing to prove anything by")
    judged = ", ".join(f"{count(number)} by {judge}" for judge, number in told.labelled.items()) or "none"
    return present(
        "evidence",
        "What the log can prove",
        f"The log's policy could have done what the new spec does on {percent(told.coverage)} of the decisions, and on "
        f"{percent(told.changed_coverage)} of the changed ones. Judged answers: {judged}.",
        _estimates(told),
        _bounds(told),
        _unproven(told),
    )


def _estimates(told: Evidence) -> Html | None:
    """A column an outcome, a row an estimator."""
    forms: tuple[tuple[str, Value | None, Form], ...] = (
        ("quality", told.quality, percent),
        ("cost, USD / 1,000", told.cost, usd),
        ("latency", told.latency, seconds),
    )
    there = [(name, value, form) for name, value, form in forms if value is not None]
    rows = [[name, *(_said(getattr(value, field), form) for _, value, form in there)] for name, field in ESTIMATORS]
    rests = ["effective rows", *(f"{plain(value.weights.effective)} of {count(value.weights.rows)}" for _, value, _ in there)]
    return table("Estimates for the new spec", ["estimator", *(name for name, _, _ in there)], [*rows, rests]) if there else None


def _said(figure: Figure, form: Form) -> Html | str:
    if figure.value is None:
        return tag("abbr", NONE, title=figure.why) if figure.why else NONE
    span = f" [{form(figure.low)}, {form(figure.high)}]" if figure.low is not None else ""
    return f"{form(figure.value)}{span}"


def _bounds(told: Evidence) -> Html | None:
    if told.quality_bounds is None:
        return None
    low, high = told.quality_bounds
    said = "If everything without evidence went as badly, or as well, as it can, quality over all rows changes by"
    return note(f"{said} {points(low)} to {points(high)} points.")


def _unproven(told: Evidence) -> Html:
    none = [[one.why, count(one.rows), ", ".join(one.examples[:3])] for one in told.none]
    needed = [
        [f"± {points(one.half).lstrip('+')}", percent(one.explore, 0), count(one.labelled), count(one.requests) if one.requests else NONE]
        for one in told.needed
    ]
    head = [
        "interval of the change, points",
        "left to chance (`explore`)",
        "judged requests among those that change",
        "requests like these",
    ]
    return tag(
        "div",
        table("Rows without evidence", ["why", "rows", "for example"], none) if none else None,
        numbers(table("What would give evidence", head, needed)) if needed else None,
    )


def caveats(replay: Replay) -> Section:
    """What a reader must know."""
    rows = replay.rows
    read = [
        ["read", count(rows.read)],
        ["decided again", count(rows.decided)],
        ["the same model first and the same plan", count(rows.same)],
        ["the same model first, another plan behind it", count(rows.plan_changed)],
        ["another model first", count(rows.changed)],
        ["refused now", count(rows.refused)],
        ["answered by a tool", count(rows.tools)],
        ["decided by this very spec, and out otherwise", count(len(rows.unfaithful))],
    ]
    return present(
        "rows",
        "The rows",
        "What was read, and what became of it.",
        table("Rows", ["", "rows"], read),
        tag("ul", [tag("li", line) for line in replay.caveats]) if replay.caveats else None,
    )
