"""The decisions that change under another spec, grouped by what changed them, with examples explained."""

from __future__ import annotations

from tierline.evaluation.replay.changes import Change, Example
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.report.figures import count, percent, plain
from tierline.evaluation.report.html import Html, tag
from tierline.evaluation.report.section import Section, absent, note, numbers, present, table

MOST = 20
"""Groups that are shown with their examples; the table holds all."""


HEAD = ("change", "kind", "why", "task", "requests", "USD, all of them", "with evidence")


def changes(replay: Replay) -> Section:
    """Every group of changed decisions, the largest first."""
    if not replay.changes:
        same = f"all {count(replay.rows.decided)} decisions come out with the same model first"
        return absent("changes", "Changed decisions", same)
    ordered = sorted(replay.changes, key=lambda change: -change.count)
    rows = [[_move(one), one.kind, one.why, one.task or "(no task)", count(one.count), _total(one.cost), _evidence(one)] for one in ordered]
    return present(
        "changes",
        "Changed decisions",
        "Decisions whose first model is another one, grouped by what made the difference. Open a group to read decisions in full.",
        tag("ul", [_group(one) for one in ordered[:MOST]], class_="changes"),
        note(f"{len(ordered) - MOST} smaller groups are in the numbers below.") if len(ordered) > MOST else None,
        numbers(table("Changed decisions by group", HEAD, rows, 4)),
    )


def _group(change: Change) -> Html:
    about = f"{count(change.count)} of the task {change.task}" if change.task else f"{count(change.count)} without a task"
    examples = [_example(one) for one in change.examples]
    return tag(
        "li",
        tag("p", tag("span", _move(change), class_="move"), f": {about}; {change.why}."),
        tag("p", f"Expected cost {_total(change.cost)} in all; the log has evidence for {_evidence(change)}.", class_="note"),
        tag("details", tag("summary", "Examples"), examples) if examples else None,
    )


def _example(one: Example) -> Html:
    said = tag("p", tag("code", one.request_id), f" was {one.before}, is now {one.after}.")
    return tag("div", said, tag("ul", [tag("li", line) for line in one.explanation]))


def _move(change: Change) -> str:
    return f"{change.before or 'nobody'} → {change.after or 'nobody'}"


def _evidence(change: Change) -> str:
    return percent(change.supported / change.count if change.count else 0.0, 0)


def _total(cost: float) -> str:
    return f"{'−' if cost < 0 else '+'}${plain(abs(cost))}"
