"""`tierline log`: read the decision log, while a gateway writes it or without one."""

from __future__ import annotations

import datetime
import getpass
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from tierline import sqlite_file
from tierline.cli import log_shadows, log_view
from tierline.cli.log_source import opened
from tierline.cli.terminal import Screen, refusing
from tierline.config.units import Duration
from tierline.decision_log import export as exporting
from tierline.decision_log.opening import open_reader
from tierline.decision_log.postgres.copying import into_database, into_file
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import ANY_ERROR, Filter, LogReader
from tierline.decision_log.stats import By, stats
from tierline.ledger.copying import copy_ledger
from tierline.postgres.connection import is_address
from tierline.types.errors import LogFailure

HELP = """Read the decision log: one row for every request, with what was known, what was decided and what came of it.

It is safe beside a running gateway: nothing here writes. Times are `1h` (so long ago), `2026-11-22` or `2026-11-22T08:30`.

Example: `tierline log tail -f --error any`
"""

FOLLOW = 0.25
"""Seconds between two looks for new rows."""

log_app = typer.Typer(name="log", help=HELP, no_args_is_help=True, rich_markup_mode="markdown")

LogPath = Annotated[str, typer.Option("--log", help="The log's file, or postgresql://… of its database.", show_default="tierline.db")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="Take the log's path from this spec instead.")]
Since = Annotated[str, typer.Option(help="Only rows from this time on.")]
Until = Annotated[str, typer.Option(help="Only rows before this time.")]
Route = Annotated[str, typer.Option(help="Only rows of this route.")]
Task = Annotated[str, typer.Option(help="Only rows of this task.")]
Model = Annotated[str, typer.Option(help="Only rows that this model answered.")]
Key = Annotated[str, typer.Option(help="Only rows of the API key of this name.")]
Status = Annotated[int | None, typer.Option(help="Only rows with this HTTP status.")]
Error = Annotated[str, typer.Option(help=f"Only rows with this error class, or `{ANY_ERROR}` of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(log_app)


@log_app.command()
def tail(
    count: Annotated[int, typer.Option("-n", min=0, help="How many of the newest rows.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new rows as they are written.")] = False,
    log: LogPath = "",
    config: Config = None,
    since: Since = "",
    until: Until = "",
    route: Route = "",
    task: Task = "",
    model: Model = "",
    key: Key = "",
    status: Status = None,
    error: Error = "",
    as_json: Json = False,
) -> None:
    """The newest rows, a line each.

    Example: `tierline log tail -n 50 --task order_extraction`"""
    console = Screen(soft_wrap=True)
    with opened(log, config) as reader:
        which = _filter(since, until, route, task, model, key, status, error)
        after = reader.newest()
        if not as_json:
            console.print(log_view.HEADING, style="bold")
        for row in reader.last(count, which):
            _line(console, row, as_json)
            after = max(after, row["seq"])
        if follow:
            for row in reader.follow(_wait, which, after):
                _line(console, row, as_json)


@log_app.command()
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The id in the header `x-tierline-decision`.")],
    log: LogPath = "",
    config: Config = None,
    text: Annotated[bool, typer.Option("--text", help="Print the stored prompt and answer too, where the route keeps them.")] = False,
    as_json: Json = False,
) -> None:
    """One request, whole: what was known, what was decided and why, and every attempt.

    Example: `tierline log show 5f1d0c9be2a74413`"""
    with opened(log, config) as reader:
        found = reader.row(request_id)
        if found is None:
            raise LogFailure(f"{reader.path} has no request {request_id!r}: `tierline log tail` shows the newest ids")
        kept = reader.text(request_id) if text else None
        if as_json:
            shown = exporting.as_json(found) | ({"text": None if kept is None else kept.decode("utf-8", "replace")} if text else {})
            typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
            return
        log_view.show(Screen(), found)
        with log_shadows.opened(reader.path) as shadows:
            if shadows is not None and (beside := shadows.of(request_id)):
                log_shadows.beside(Screen(), beside)
        if text:
            typer.echo("\nno text is kept for this request" if kept is None else f"\n{kept.decode('utf-8', 'replace')}")


@log_app.command("stats")
def show_stats(
    by: Annotated[By, typer.Option(help="What to group by.")] = "tier",
    log: LogPath = "",
    config: Config = None,
    since: Since = "",
    until: Until = "",
    route: Route = "",
    task: Task = "",
    model: Model = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Shares of requests and cost, latency, errors and fallbacks.

    A request's cost, all attempts together, counts to the model that answered.

    Example: `tierline log stats --by model --since 24h`"""
    with opened(log, config) as reader:
        which = _filter(since, until, route, task, model, key, None, "")
        figures = stats(reader, by, which)
        beside = log_shadows.summed(log_shadows.standings(reader.where, which.since, which.until, route, task))
    if as_json:
        typer.echo(msgspec.json.encode({**msgspec.structs.asdict(figures), "shadows": beside}).decode())
        return
    log_view.stats(Screen(), figures)
    if beside.answers and not (model or key):
        typer.echo(f"beside them: {beside.answers:,} answers of shadows for ${beside.cost:.4f}, in none of the figures above")


@log_app.command("shadows")
def show_shadows(
    log: LogPath = "",
    config: Config = None,
    since: Since = "",
    until: Until = "",
    route: Route = "",
    task: Task = "",
    model: Annotated[str, typer.Option(help="Only answers of this model.")] = "",
    as_json: Json = False,
) -> None:
    """What the models that answered beside were worth: checks passed, comparisons won and lost, and how often the judge disagreed with
    itself.

    Example: `tierline log shadows --task order_extraction --since 7d`"""
    with opened(log, config) as reader:
        which = _filter(since, until, route, task, model, "", None, "")
        found = log_shadows.standings(reader.where, which.since, which.until, route, task, model)
    if as_json:
        typer.echo(log_shadows.as_json(found).decode())
    else:
        log_shadows.show(Screen(), found)


@log_app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; `-` is standard output (NDJSON only).")],
    form: Annotated[
        Literal["ndjson", "parquet"], typer.Option("--format", help="NDJSON, or Parquet (needs `tierline[analysis]`).")
    ] = "ndjson",
    log: LogPath = "",
    config: Config = None,
    since: Since = "",
    until: Until = "",
    route: Route = "",
    task: Task = "",
    model: Model = "",
    key: Key = "",
    status: Status = None,
    error: Error = "",
) -> None:
    """Write rows to a file for analysis, oldest first: plain columns, and features, scores, view, decision and attempts as JSON.

    Example: `tierline log export --format parquet --since 7d -o week.parquet`"""
    with opened(log, config) as reader:
        which = _filter(since, until, route, task, model, key, status, error)
        if str(output) == "-":
            if form == "parquet":
                raise LogFailure("Parquet needs a file: give one with -o")
            exporting.write_ndjson(reader, sys.stdout.buffer, which)
            return
        console = Screen(stderr=True)
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("rows", total=reader.count(which))
            count = _export(reader, output, form, which, lambda rows: progress.advance(bar, rows))
        console.print(f"{count:,} rows in {output}")


@log_app.command()
def migrate(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The log's SQLite file, or postgresql://… .")],
    target: Annotated[str, typer.Argument(metavar="TO", help="postgresql://… , or a new SQLite file.")],
    since: Since = "",
    until: Until = "",
) -> None:
    """Copy a log and its ledger from a file into PostgreSQL, or from PostgreSQL into a new file for analysis on one machine.

    Into PostgreSQL it may be broken off and begun again: it goes on where it was, and no row comes twice. Stop the gateway that writes the
    file first. Into a ledger that is in use go specs, keys whose names are free, labels, feedback, reviews and shadows; pins, releases and
    the audit trail only into an empty one.

    Example: `tierline log migrate tierline.db postgresql://tierline@db/tierline`"""
    with refusing("log"):
        console = Screen(stderr=True)
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("rows", total=None)

            def told(done: int, total: int) -> None:
                progress.update(bar, completed=done, total=total)

            if is_address(target):
                if since or until:
                    raise LogFailure("a file goes into PostgreSQL whole: leave --since and --until out")
                count = into_database(Path(source), target, told)
                ledger = copy_ledger(source, target, getpass.getuser())
            else:
                with closing(open_reader(source)) as reader:
                    count = into_file(reader, Path(target), _filter(since, until, "", "", "", "", None, ""), told)
                ledger = copy_ledger(source, target, getpass.getuser())
        console.print(f"{count:,} rows copied; {log_view.taken_along(ledger)}", highlight=False)


@log_app.command("check")
def check(log: LogPath = "", config: Config = None, as_json: Json = False) -> None:
    """Read the whole file and look for damage; exits 1 when there is any.

    Example: `tierline log check --log tierline.db`"""
    with opened(log, config) as reader:
        if isinstance(reader, PostgresReader):
            raise LogFailure("PostgreSQL looks after its own files: `check` is for the SQLite file, give its path with --log")
        found = sqlite_file.quick_check(reader.path)
        rows = None if found else reader.count()
    if as_json:
        typer.echo(msgspec.json.encode({"rows": rows, "damage": found}).decode())
    elif not found:
        typer.echo(f"{reader.path}: sound, {rows:,} rows")
    else:
        typer.echo("\n".join((f"{reader.path}: damaged", *found, sqlite_file.mend(reader.path))))
    if found:
        raise typer.Exit(1)


def _filter(since: str, until: str, route: str, task: str, model: str, key: str, status: int | None, error: str) -> Filter:
    now = time.time()
    return Filter(
        since=moment(since, now) if since else 0.0,
        until=moment(until, now) if until else None,
        route=route,
        task=task,
        model=model,
        key=key,
        status=status,
        error=error,
    )


def moment(text: str, now: float) -> float:
    """Unix time from `1h` (so long before `now`) or an ISO date or time (local, unless it says otherwise); raises ValueError."""
    try:
        return now - Duration.parse(text)
    except ValueError:
        try:
            return datetime.datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise ValueError(f"{text!r} is no time: write 30m, 24h, 7d, 2026-11-22 or 2026-11-22T08:30") from None


def _line(console: Console, row: sqlite3.Row, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(exporting.as_json(row)).decode())
    else:
        console.print(log_view.line(row), highlight=False)


def _wait() -> bool:
    try:
        sys.stdout.flush()
        time.sleep(FOLLOW)
    except KeyboardInterrupt:
        return False
    return True


def _export(reader: LogReader, output: Path, form: str, which: Filter, progress: exporting.Progress) -> int:
    if form == "parquet":
        return exporting.write_parquet(reader, output, which, progress)
    with output.open("wb") as out:
        return exporting.write_ndjson(reader, out, which, progress)
