"""`tierline log`: read the decision log, while a gateway writes it or without one."""

from __future__ import annotations

import datetime
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from tierline import sqlite_file
from tierline.cli import log_view
from tierline.cli.terminal import Screen, refusing
from tierline.config import document, environment
from tierline.config.spec import DecisionLogSpec
from tierline.config.units import Duration
from tierline.decision_log import export as exporting
from tierline.decision_log.reader import ANY_ERROR, Filter, LogReader
from tierline.decision_log.stats import By, stats
from tierline.types.errors import LogFailure

HELP = """Read the decision log: one row for every request, with what was known, what was decided and what came of it.

It is safe beside a running gateway: nothing here writes. Times are `1h` (so long ago), `2026-11-22` or `2026-11-22T08:30`.

Example: `tierline log tail -f --error any`
"""

FOLLOW = 0.25
"""Seconds between two looks for new rows."""

log_app = typer.Typer(name="log", help=HELP, no_args_is_help=True, rich_markup_mode="markdown")

LogPath = Annotated[Path | None, typer.Option("--log", help="The log's SQLite file.", show_default="tierline.db")]
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
    log: LogPath = None,
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
    with _opened(log, config) as reader:
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
    log: LogPath = None,
    config: Config = None,
    text: Annotated[bool, typer.Option("--text", help="Print the stored prompt and answer too, where the route keeps them.")] = False,
    as_json: Json = False,
) -> None:
    """One request, whole: what was known, what was decided and why, and every attempt.

    Example: `tierline log show 5f1d0c9be2a74413`"""
    with _opened(log, config) as reader:
        found = reader.row(request_id)
        if found is None:
            raise LogFailure(f"{reader.path} has no request {request_id!r}: `tierline log tail` shows the newest ids")
        kept = reader.text(request_id) if text else None
        if as_json:
            shown = exporting.as_json(found) | ({"text": None if kept is None else kept.decode("utf-8", "replace")} if text else {})
            typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
            return
        log_view.show(Screen(), found)
        if text:
            typer.echo("\nno text is kept for this request" if kept is None else f"\n{kept.decode('utf-8', 'replace')}")


@log_app.command("stats")
def show_stats(
    by: Annotated[By, typer.Option(help="What to group by.")] = "tier",
    log: LogPath = None,
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
    with _opened(log, config) as reader:
        figures = stats(reader, by, _filter(since, until, route, task, model, key, None, ""))
    if as_json:
        typer.echo(msgspec.json.encode(figures).decode())
    else:
        log_view.stats(Screen(), figures)


@log_app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; `-` is standard output (NDJSON only).")],
    form: Annotated[
        Literal["ndjson", "parquet"], typer.Option("--format", help="NDJSON, or Parquet (needs `tierline[analysis]`).")
    ] = "ndjson",
    log: LogPath = None,
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
    with _opened(log, config) as reader:
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


@log_app.command("check")
def check(log: LogPath = None, config: Config = None, as_json: Json = False) -> None:
    """Read the whole file and look for damage; exits 1 when there is any.

    Example: `tierline log check --log tierline.db`"""
    with _opened(log, config) as reader:
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


@contextmanager
def _opened(log: Path | None, config: Path | None) -> Iterator[LogReader]:
    """The log to read; what goes wrong is said on one line, with exit code 2."""
    try:
        with refusing("log"):
            if log is not None and config is not None:
                raise LogFailure("give --log or --config, not both")
            with closing(LogReader(log or (Path(DecisionLogSpec().path) if config is None else _configured(config)))) as reader:
                yield reader
    except BrokenPipeError:
        raise typer.Exit(0) from None


def _configured(config: Path) -> Path:
    """The path that a spec gives, without the need for its secrets."""
    source = document.read(config)
    if source.problems and not source.data:
        raise LogFailure(str(source.problems[0]))
    section = source.data.get("decision_log")
    path = section.get("path") if isinstance(section, dict) else None
    return config.parent / environment.filled(str(path or DecisionLogSpec().path), os.environ)


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
