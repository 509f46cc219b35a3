"""`tierline review`: tasks that are due for a look, and the answers that no check accepted, for a person to judge; what is judged is a
label."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, cast

import msgspec
import typer
from rich.table import Table

from tierline.cli.log_source import LOG, named, written
from tierline.cli.review_due import look, sign
from tierline.cli.review_month import month
from tierline.cli.terminal import Screen, local_time
from tierline.decision_log.opening import text_of
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import STATES, CannotReview, Review, State
from tierline.types.errors import LogFailure

Log = Annotated[str, typer.Option("--log", help=f"{LOG}; the review queue is in it too.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="Take the log from this spec.")]
By = Annotated[str, typer.Option(help="Who judges, for the audit trail; your user name if left out.")]
Note = Annotated[str, typer.Option(help="Why, for those who read it later.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The request's id, as `list` shows it.")]

_WIDTH = 120

review = typer.Typer(
    help="Look again: at tasks that are due (no command; `sign`, `month`), and at the answers that no check accepted (`list` and "
    "those below).",
)
review.callback(invoke_without_command=True)(look)
review.command("sign")(sign)
review.command("month")(month)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(review, name="review")


@review.command("list")
def listed(
    state: Annotated[str, typer.Option(help=f"One of all, {', '.join(STATES)}.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="Most entries.")] = 50,
    log: Log = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the queue, the newest first.

    Example: `tierline review list --state all --limit 10`"""
    if state not in (*STATES, "all"):
        raise typer.BadParameter(f"{state!r} is none of all, {', '.join(STATES)}")
    which: State | None = None if state == "all" else cast("State", state)
    with _opened(log, config) as ledger:
        found, counts = ledger.reviews.list(which, limit), ledger.reviews.counts()
    if as_json:
        typer.echo(msgspec.json.encode({"counts": counts, "reviews": found}).decode())
        return
    if found:
        table = Table()
        for name in ("time", "id", "kind", "route", "task", "model", "what failed", "state"):
            table.add_column(name, no_wrap=name == "id")
        for entry in found:
            names = (entry.kind, entry.route, entry.task or "-", entry.model or "-")
            table.add_row(local_time(entry.at), entry.request_id, *names, _failed(entry), entry.state)
        console = Screen()
        console.width = max(console.width, _WIDTH)  # a narrow terminal wraps the lines rather than lose words
        console.print(table)
    typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()))


@review.command()
def show(request_id: Id, log: Log = "", config: Config = None, as_json: AsJson = False) -> None:
    """Show one entry with its checks, and prompt and answer where the route's `log_text` keeps them.

    Example: `tierline review show 5f2c9a41d0b37e68`"""
    with _opened(log, config) as ledger:
        entry = ledger.reviews.get(request_id)
    if entry is None:
        raise _refused(f"the review queue has no request {request_id!r}; `tierline review list` shows it")
    kept = text_of(named(log, config), request_id)
    text = None if kept is None else kept.decode("utf-8", "replace")
    if as_json:
        typer.echo(msgspec.json.encode({"review": entry, "text": text}).decode())
        return
    typer.echo(f"{entry.request_id}  {local_time(entry.at)}  {entry.kind}, {entry.state}")
    typer.echo(f"route {entry.route}, task {entry.task or '(none)'}, answered by {entry.model or 'nobody'}")
    for verdict in entry.verdicts:
        said = "passed" if verdict.passed else "failed"
        typer.echo(f"  {verdict.validator} {said}{': ' + verdict.detail if verdict.detail else ''}")
    if entry.reviewed_by:
        typer.echo(
            f"{entry.state} by {entry.reviewed_by} at {local_time(entry.reviewed_at or 0.0)}{': ' + entry.note if entry.note else ''}"
        )
    if entry.correction is not None:
        typer.echo(f"it should have been: {entry.correction}")
    typer.echo("\nno text is kept for this request: give its route `log_text: flagged`" if text is None else f"\n{text}")


@review.command()
def accept(request_id: Id, note: Note = "", by: By = "", log: Log = "", config: Config = None, as_json: AsJson = False) -> None:
    """The answer was right after all: a label `pass`.

    Example: `tierline review accept 5f2c9a41d0b37e68`"""
    _judge(log, config, request_id, "accepted", by, None, note, as_json)


@review.command()
def correct(
    request_id: Id,
    answer: Annotated[str, typer.Option(help="The right answer, or `-` to read it from standard input.")],
    note: Note = "",
    by: By = "",
    log: Log = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The answer was wrong, and this is the right one: a label `fail` with its correction.

    Example: `tierline review correct 5f2c9a41d0b37e68 --answer 42`"""
    _judge(log, config, request_id, "corrected", by, sys.stdin.read() if answer == "-" else answer, note, as_json)


@review.command()
def dismiss(request_id: Id, note: Note = "", by: By = "", log: Log = "", config: Config = None, as_json: AsJson = False) -> None:
    """Nothing is to be learnt from it: no label.

    Example: `tierline review dismiss 5f2c9a41d0b37e68 --note "a test of ours"`"""
    _judge(log, config, request_id, "dismissed", by, None, note, as_json)


@review.command()
def export(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write there instead of to standard output.")] = None,
    log: Log = "",
    config: Config = None,
) -> None:
    """Write what was judged as labels, one JSON object a line.

    Example: `tierline review export --out labels.jsonl`"""
    with _opened(log, config) as ledger:
        lines = (json.dumps(label, ensure_ascii=False) + "\n" for label in ledger.reviews.labels())
        if out is None:
            for line in lines:
                typer.echo(line, nl=False)
            return
        with out.open("w", encoding="utf-8") as file:
            count = sum(1 for line in lines if file.write(line))
    typer.echo(f"wrote {count} labels to {out}", err=True)


def _judge(log: str, config: Path | None, request_id: str, state: State, by: str, correction: str | None, note: str, as_json: bool) -> None:
    try:
        with _opened(log, config) as ledger:
            judged = ledger.reviews.judge(request_id, state, by or getpass.getuser(), correction, note)
    except CannotReview as error:
        raise _refused(error.message) from None
    typer.echo(msgspec.json.encode(judged).decode() if as_json else f"{request_id} is {judged.state} by {judged.reviewed_by}")


@contextmanager
def _opened(log: str, config: Path | None) -> Iterator[Ledger]:
    """The ledger of an existing log; a wrong path makes no new file."""
    try:
        with closing(Ledger(written(log, config))) as ledger:
            yield ledger
    except LogFailure as error:
        raise _refused(error.message) from None


def _refused(message: str) -> typer.Exit:
    typer.echo(f"tierline review: {message}", err=True)
    return typer.Exit(2)


def _failed(entry: Review) -> str:
    return ", ".join(verdict.validator for verdict in entry.verdicts if not verdict.passed) or "-"
