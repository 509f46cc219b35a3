"""How a training, and the card of a trained scorer, look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.config.scorer_file import ScorerFile

SHOWN = 20
"""Tasks shown, those with the most labels first."""


def verdicts(console: Console, tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """What the guard says of each task."""
    routed = sum(bool(one["route"]) for one in tasks.values())
    table = Table(
        title=f"The guard: {routed} of {len(tasks)} tasks may be routed", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False
    )
    for head in ("task", "labels", "over the mix of its cost", "route", ""):
        table.add_column(head, justify="left" if head in ("task", "") else "right")
    ranked = sorted(tasks.items(), key=lambda one: -int(one[1]["labels"]))
    for name, one in ranked[:SHOWN]:
        gain = f"{one['advantage']:+.4f} [{one['low']:+.4f}, {one['high']:+.4f}]"
        table.add_row(name or "(none)", f"{one['labels']:,}", gain, "true" if one["route"] else "false", str(one["why"]))
    console.print()
    console.print(table)
    if len(ranked) > SHOWN:
        console.print(f"and {len(ranked) - SHOWN} more tasks with fewer labels")


def show_card(console: Console, file: ScorerFile) -> None:
    """The card of a scorer's file."""
    card, header = file.header.card, file.header
    console.print(
        f"[bold]{header.kind}[/bold] scorer, trained {card.get('trained', '?')} on {card.get('queries', 0):,} queries", highlight=False
    )
    for what, value in (
        ("data", f"{', '.join(card.get('files', ()))} (fingerprint {str(card.get('data', ''))[:12]})"),
        ("licence", card.get("licence") or "not said"),
        ("models", ", ".join(f"{model} {labels:,}" for model, labels in card.get("labels", {}).items())),
        ("too new to be measured", ", ".join(card.get("new", ())) or "none"),
        (
            "settings",
            ", ".join(
                f"{name} {value if isinstance(value, str) else f'{value:g}'}"
                for name, value in card.get("settings", {}).items()
                if value not in (None, "")
            ),
        ),
        *_heard(card.get("heard")),
        ("digest", file.digest[:12]),
    ):
        console.print(f"  {what}: {value}", markup=False, highlight=False, soft_wrap=True)
    _rows(console, card)
    _calibration(console, card.get("learned", {}))
    verdicts(console, card.get("tasks", {}))


def _rows(console: Console, card: Mapping[str, Any]) -> None:
    title = "Held out: each figure from folds that were not trained on"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("", "quality", "USD/1,000", "over the mix of its cost", "% saved at 100/99/95", "APGR", "ECE"):
        table.add_column(head, justify="right" if head else "left")
    rows = {**card.get("reference", {}), "unguarded": card.get("unguarded", {}), "learned": card.get("learned", {})}
    for name, row in rows.items():
        gain, saved, cost = row.get("advantage"), row.get("save_at", {}), row.get("cost")
        table.add_row(
            name.replace("_", " "),
            _figure(row.get("quality"), 4),
            _figure(None if cost is None else cost * 1000, 4),
            "–" if gain is None else f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]",
            "/".join(_figure(None if saved.get(level) is None else saved[level] * 100, 0) for level in ("100", "99", "95")),
            _figure(row.get("apgr"), 3),
            _figure(row.get("ece"), 3),
        )
    console.print(table)


def _calibration(console: Console, learned: Mapping[str, Any]) -> None:
    found = learned.get("reliability", {})
    if found:
        worst = max(found, key=lambda model: found[model]["ece"])
        console.print(
            f"  calibration: ECE {learned.get('ece', 0.0):.3f}; worst of a model: {worst} {found[worst]['ece']:.3f}", highlight=False
        )


def _heard(heard: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Whose labels they are, where they came out of a log."""
    if heard is None:
        return []
    labels = ", ".join(f"{source} {many:,}" for source, many in sorted(heard["sources"].items(), key=lambda one: -one[1]))
    came = f"{heard['shadows']:,} by shadows, {heard['explored']:,} explored, {heard['left_aside']:,} left aside (asked after a weak one)"
    return [("labels by source", labels or "none"), ("conflicts", f"{heard['conflicts']:,}"), ("answers", came)]


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
