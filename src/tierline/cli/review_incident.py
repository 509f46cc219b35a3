"""`tierline review --incident`: what tripped in an outage, who answered, and what it cost against a normal day."""

from __future__ import annotations

import time
from contextlib import closing

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from tierline.cli.log import moment
from tierline.cli.terminal import local_time
from tierline.decision_log.opening import open_reader
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.report.figures import NONE, percent, seconds, usd
from tierline.evaluation.review.incident import Incident, Stretch, Tripped, incident_of

_BLOCKS = " ▁▂▃▄▅▆▇█"


def show(console: Console, where: str, span: str, as_json: bool) -> None:
    """Print what happened in a span, `FROM..TO`. Raises ValueError for what is none."""
    since, until = span_of(span)
    with closing(open_reader(where)) as reader:
        found = incident_of(reader, labels_of(where), since, until)
    if as_json:
        typer.echo(msgspec.json.encode({"incident": found, "extra_cost": found.extra_cost}).decode())
        return
    console.print(f"{local_time(since)} to {local_time(until)}: {found.during.requests:,} requests", markup=False)
    if not found.during.requests:
        return
    _tell(console, found)


def span_of(text: str) -> tuple[float, float]:
    """`2026-11-20T09:00..2026-11-20T11:30` or `3h..1h` (ago) → Unix seconds. Raises ValueError."""
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError(f"{text!r} is no span: write FROM..TO, e.g. 2026-11-20T09:00..2026-11-20T11:30 or 3h..1h")
    now = time.time()
    return moment(first, now), moment(last, now) if last else now


def _tell(console: Console, found: Incident) -> None:
    if found.tripped:
        console.print(_failed(found))
        for one in found.tripped:
            console.print(_sentence(one), markup=False)
    else:
        console.print("No call to any model failed.")
    console.print("Failed calls over the time: " + _spark([bar.failed_calls for bar in found.course]), markup=False)
    console.print("Requests over the time:     " + _spark([bar.requests for bar in found.course]), markup=False)
    console.print(_compared(found))
    if found.normal is None:
        console.print("There are no requests before it to compare with.")
    elif found.extra_cost is not None:
        more = "more" if found.extra_cost >= 0 else "less"
        console.print(f"It cost {usd(abs(found.extra_cost))} {more} than so many requests on {found.normal_of}.", markup=False)
    if found.unanswered:
        console.print(f"Without an answer, among others: {', '.join(found.unanswered)} (tierline explain ID)", markup=False)


def _failed(found: Incident) -> Table:
    table = Table(title="What failed", title_justify="left", box=None, padding=(0, 2))
    for name in ("model", "door", "calls", "failed", "how", "first", "last", "well again", "spared by its breaker"):
        table.add_column(name, justify="right" if name in ("calls", "failed", "spared by its breaker") else "left")
    for one in found.tripped:
        how = ", ".join(f"{kind} {count}" for kind, count in one.kinds.items())
        again = "not in this time" if one.answered_again is None else local_time(one.answered_again)
        table.add_row(
            one.model, one.endpoint or "-", f"{one.calls:,}", f"{one.failed:,}", how, local_time(one.first), local_time(one.last), again,
            f"{one.spared:,}",
        )  # fmt: skip
    return table


def _sentence(one: Tripped) -> str:
    answered = ", ".join(f"{model or 'nobody'} {count:,}" for model, count in one.instead.items())
    return f"  Where {one.model} failed, answered: {answered}. See: {', '.join(one.requests)}"


def _compared(found: Incident) -> Table:
    table = Table(title="Against a normal day", title_justify="left", box=None, padding=(0, 2))
    table.add_column("")
    table.add_column("in the incident", justify="right")
    table.add_column(found.normal_of or "normal", justify="right")
    for name, figure in (
        ("no answer", lambda s: percent(s.error_rate)),
        ("fell back", lambda s: percent(s.fallback_rate)),
        ("climbed", lambda s: percent(s.escalation_rate)),
        ("good enough, of those judged", _passed),
        ("USD a request", lambda s: f"{s.cost:.6f}"),
        ("seconds, median", lambda s: seconds(s.p50)),
        ("seconds, 95th percentile", lambda s: seconds(s.p95)),
        ("answered by", _shares),
    ):
        table.add_row(name, figure(found.during), NONE if found.normal is None else figure(found.normal))
    return table


def _passed(stretch: Stretch) -> str:
    return f"{percent(stretch.passed / stretch.judged)} of {stretch.judged:,}" if stretch.judged else NONE


def _shares(stretch: Stretch) -> str:
    return ", ".join(f"{model or 'nobody'} {percent(share, 0)}" for model, share in stretch.answered_by.items())


def _spark(counts: list[int]) -> str:
    most = max(counts, default=0)
    return "".join(_BLOCKS[0 if not count else 1 + (len(_BLOCKS) - 2) * count // most] for count in counts)
