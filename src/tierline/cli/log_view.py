"""Rows of the decision log as people read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tierline.cli.terminal import local_time
from tierline.decision_log.codec import Row, decode
from tierline.decision_log.stats import Group, Stats
from tierline.ledger.copying import Copied
from tierline.routing.explain_course import picked
from tierline.types.decision import Dropped, Reason
from tierline.types.outcome import Aside
from tierline.types.record import Record, Tried

_WIDTHS = (19, 22, 10, 18, 18, 9, 6, 9, 8, 0)
_NAMES = ("time", "id", "route", "task", "model", "tier", "status", "cost", "seconds", "what happened")

_WIDTH = 112
"""Columns that the tables take at least."""

HEADING = " ".join(name.ljust(width) for name, width in zip(_NAMES, _WIDTHS, strict=True))
"""The head of the lines that `line` makes."""


def line(row: Row) -> Text:
    """A row on one line; red where the client was told of an error, yellow where more than one attempt was needed."""
    cells = (
        local_time(row["at"]),
        row["request_id"],
        row["route"],
        row["task"] or "-",
        row["model"] or row["answered"] or "-",
        "-" if row["answered"] else row["tier"] or "-",
        str(row["status"]),
        _dollars(row["cost"]),
        f"{row['latency']:.3f}",
        _happened(row),
    )
    text = " ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    failed = row["error"] or row["status"] >= 400
    return Text(text.rstrip(), style="red" if failed else "yellow" if row["attempts"] > 1 else "")


def _happened(row: Row) -> str:
    words = [row["error"], "" if row["stopped"] == row["error"] else row["stopped"]]
    words += [f"{row[name]} {name[:-1] if row[name] == 1 else name}" for name in ("fallbacks", "escalations") if row[name]]
    words += [name for name in ("flagged", "truncated") if row[name]]
    return ", ".join(word for word in words if word)


def show(console: Console, row: Row, words: Callable[[Reason], str] | None = None) -> None:
    """One request, whole. `words` tells a reason as a sentence; by default its code is shown plainly."""
    record = decode(row)
    decision = record.decision
    console.width = max(console.width, _WIDTH)  # a narrow terminal wraps the lines rather than squeeze the columns
    _facts(
        console,
        f"Request {decision.request_id}",
        {
            "time": local_time(record.at),
            "route": decision.route,
            "task": decision.task or "(none)",
            "key": record.features.key or "(none)",
            "team": record.features.team,
            "answered by": f"{row['model']} ({row['tier']})" if row["model"] else row["answered"] or "nobody",
            "status": f"{record.status} {_happened(row)}".strip(),
            "cost": _dollars(row["cost"]),
            "latency": f"{row['latency']:.3f} s, of it {record.overhead * 1000:.2f} ms in Tierline",
            "policy": decision.policy,
            "arm": decision.arm,
            "propensity": f"{decision.propensity:g}",
            "draw": f"{decision.draw:.6f}",
        },
    )
    _facts(console, "Features", _told(record.features, leave=("request_id", "route", "key", "team", "draw")))
    _facts(console, "Scores", _told(record.scores))
    _facts(console, "View", _told(record.view))
    _decided(console, record, words or plain)
    if record.asides:
        _asides(console, record)
    _attempts(console, record)


def plain(reason: Reason | Dropped) -> str:
    """A reason by its code: `cheapest above bar: mini (0.971, limit 0.97)`."""
    numbers = [f"{reason.value:.4g}"] if reason.value is not None else []
    if reason.limit is not None:
        numbers.append(f"limit {reason.limit:.4g}")
    words = reason.why.replace("_", " ") + (f": {reason.subject}" if reason.subject else "")
    return words + (f" ({', '.join(numbers)})" if numbers else "")


def _decided(console: Console, record: Record, words: Callable[[Reason], str]) -> None:
    decision = record.decision
    table = Table(title="Decision", title_justify="left", show_header=False, box=None, padding=(0, 2))
    for number, step in enumerate(decision.steps, 1):
        checks = f", checked by {', '.join(step.validators)}" if step.validators else ""
        table.add_row(f"step {number}", f"{step.tier}: {', then '.join(step.targets)}{checks}")
    for reason in decision.reasons:
        table.add_row("because", words(reason))
    for dropped in decision.dropped:
        table.add_row("left out", f"{dropped.model}: {plain(dropped)}")
    if decision.shadows:
        table.add_row("beside", ", ".join(decision.shadows))
    if decision.margin is not None:
        table.add_row("margin", f"{decision.margin:.4g}")
    cap = "" if decision.max_cost is None else f", {_dollars(decision.max_cost)}"
    table.add_row("limits", f"{decision.deadline:g} s, {decision.max_attempts} attempts{cap}")
    console.print(table)


def _attempts(console: Console, record: Record) -> None:
    table = Table(title="Attempts", title_justify="left", box=None, padding=(0, 1))
    for name in ("", "model", "cause"):
        table.add_column(name, no_wrap=True)
    table.add_column("outcome")
    for name in ("in", "cached", "out", "cost", "seconds", "first"):
        table.add_column(name, justify="right", no_wrap=True)
    for index, tried in enumerate(record.tried):
        table.add_row(
            "→" if index == record.winner else "",
            tried.target or "-",
            tried.cause,
            _outcome(record, index, tried),
            f"{tried.usage.input:,}",
            f"{tried.usage.cached:,}",
            f"{tried.usage.output:,}",
            _dollars(tried.cost),
            f"{tried.elapsed:.3f}",
            "-" if tried.ttft is None else f"{tried.ttft:.3f}",
        )
        for aside in tried.asides:
            _beside(table, aside)
    console.print(table)


def _outcome(record: Record, index: int, tried: Tried) -> str:
    if tried.cause == "judge" and tried.ok:
        return f"picked {picked(record, index) or 'none'}"
    checks = [f"{v.validator} {'passed' if v.passed else f'failed {v.detail}'.strip()}" for v in tried.verdicts]
    via = [f"by {tried.endpoint}"] if "#" in tried.endpoint else []
    waited = [f"after {tried.wait:.2f} s"] if tried.wait else []
    return ", ".join(("answered" if tried.ok else f"{tried.error} {tried.status or ''}".strip(), *waited, *via, *checks))


def _beside(table: Table, aside: Aside) -> None:
    """A call that an attempt's checks made: its cost is within the attempt's."""
    used = (f"{aside.usage.input:,}", f"{aside.usage.cached:,}", f"{aside.usage.output:,}")
    outcome = " ".join(filter(None, ("answered" if aside.ok else aside.error, aside.detail)))
    table.add_row("", f"+ {aside.target}", aside.purpose, outcome, *used, f"({_dollars(aside.cost)})", f"{aside.elapsed:.3f}", "-")


def _asides(console: Console, record: Record) -> None:
    """The calls before the first attempt: tools asked first, and what prepared the request."""
    table = Table(title="Before the first attempt", title_justify="left", box=None, padding=(0, 1))
    for name in ("for", "whom"):
        table.add_column(name, no_wrap=True)
    table.add_column("outcome")
    for name in ("cost", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for aside in record.asides:
        outcome = " ".join(filter(None, ("answered" if aside.ok else aside.error, aside.detail)))
        table.add_row(aside.purpose, aside.target, outcome, _dollars(aside.cost), f"{aside.elapsed:.3f}")
    console.print(table)


def stats(console: Console, figures: Stats) -> None:
    """The figures as a table, the sum last."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(figures.by, no_wrap=True)
    for name in ("requests", "share", "cost", "share", "per 1,000", "p50 s", "p95 s", "errors", "fell back", "climbed"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in figures.groups:
        table.add_row(group.name or "(none)", *_cells(group))
    table.add_section()
    table.add_row("all", *_cells(figures.total), style="bold")
    console.width = max(console.width, _WIDTH)  # a narrow terminal wraps the lines rather than lose figures
    console.print(table)
    if figures.total.asked_rate:
        rate, share = figures.total.asked_rate, figures.total.asked_cost_share
        console.print(f"A small model was asked what they are for {rate:.1%} of all requests, which took {share:.2%} of all cost.")


def _cells(group: Group) -> list[str]:
    return [
        f"{group.requests:,}",
        f"{group.request_share:.1%}",
        _dollars(group.cost),
        f"{group.cost_share:.1%}",
        _dollars(group.cost_per_1k),
        "-" if group.latency_p50 is None else f"{group.latency_p50:.2f}",
        "-" if group.latency_p95 is None else f"{group.latency_p95:.2f}",
        f"{group.error_rate:.1%}",
        f"{group.fallback_rate:.1%}",
        f"{group.escalation_rate:.1%}",
    ]


def _facts(console: Console, title: str, facts: dict[str, str]) -> None:
    shown = {name: text for name, text in facts.items() if text}
    if not shown:
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, text in shown.items():
        table.add_row(name, text)
    console.print(table)


def _told(struct: msgspec.Struct, leave: tuple[str, ...] = ()) -> dict[str, str]:
    """What of a struct differs from its defaults, as words."""
    told: dict[str, Any] = msgspec.to_builtins(struct)
    return {name.replace("_", " "): _value(value) for name, value in told.items() if name not in leave}


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _dollars(cost: float) -> str:
    return f"${cost:,.2f}" if cost >= 1 else f"${cost:.6f}".rstrip("0") if cost >= 1e-6 else "$0" if cost == 0 else f"${cost:.1e}"


def taken_along(copied: Copied) -> str:
    """What of the ledger went with a log, in a sentence."""
    went = [f"{count:,} {table.replace('_', ' ')}" for table, count in copied.rows.items() if count]
    left = f"; keys left out, for they mean another there: {', '.join(copied.clashing)}" if copied.clashing else ""
    return f"of the ledger {', '.join(went) or 'nothing new'}{left}"
