"""`tierline replay`: a decision log decided again under another spec."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tierline.cli import replay_view
from tierline.cli.document import hand_over, on_stdout
from tierline.cli.log import moment
from tierline.cli.log_source import LOG, named
from tierline.cli.made import made
from tierline.cli.terminal import progressing, refusing, terminal
from tierline.config.load import load
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.replay.document import Replay
from tierline.evaluation.replay.kept import specs_beside
from tierline.evaluation.replay.logged import from_export, from_log, from_requests, is_export, labels_of, stored_pages
from tierline.evaluation.replay.replay import replay, replay_screened
from tierline.evaluation.report.page import replay_report
from tierline.evaluation.simulate.workload import of_file
from tierline.postgres.connection import place_of
from tierline.routing.router import Router
from tierline.types.errors import LogFailure

_LINES = (".ndjson", ".jsonl")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay_command)


def replay_command(
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; an NDJSON export of one; or a JSONL file of requests (with --was).")] = "",
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec to decide under.")] = Path("tierline.yaml"),
    was: Annotated[Path | None, typer.Option("--was", help="The spec that wrote the log, where the log's file has not kept it.")] = None,
    since: Annotated[str, typer.Option(help="Only rows from this time on: 24h, 7d, 2026-11-22.")] = "",
    until: Annotated[str, typer.Option(help="Only rows before this time.")] = "",
    route: Annotated[str, typer.Option(help="Only rows of this route.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows, the oldest first.")] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Compare first choices only, several times as quickly; a sample is decided whole and must agree."),
    ] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="How many changed decisions to explain.")] = 3,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here: one HTML file that needs nothing else.")] = None,
) -> None:
    """Decide the requests of a log again, under another spec: which decisions change and why, what that costs, and what the log can prove.

    Nothing is called. Quality is estimated only where the log's policy could have done the same; the rest is listed.

    Example: `tierline replay --log tierline.db --spec cheaper.yaml --since 7d`
    """
    console = terminal(errors=on_stdout(json_out))
    with refusing("replay"):
        router = Router(load(spec, need_secrets=False))
        with _uncollected():
            found = _replayed(console, named(log, None), router, was, since, until, route, limit, quick)
    hand_over(found, json_out)
    if html is not None:
        html.write_text(replay_report(found, made=made()), encoding="utf-8")
    if not on_stdout(json_out):
        replay_view.show(console, found, examples)
    if found.rows.unfaithful:
        typer.echo("tierline replay: rows of this very spec came out otherwise; please report it", err=True)
        raise typer.Exit(1)


def _replayed(
    console: Console, where: str, router: Router, was: Path | None, since: str, until: str, route: str, limit: int | None, quick: bool
) -> Replay:
    more = (router,) if was is None else (router, Router(load(was, need_secrets=False)))
    log = place_of(where)
    if log.suffix in _LINES and not is_export(log):
        if was is None:
            raise LogFailure(f"{log} holds requests that nobody has decided yet: give the spec to compare with as --was")
        sent = from_requests(more[-1], ((one.features, one.scores) for one in of_file(more[-1], log)[:limit]))
        return replay([sent], router, source=str(log), spec_of=specs_beside(None, more))
    if log.suffix in _LINES:
        with progressing(console, "deciding again", limit) as progress:
            return replay(from_export(log, {}, limit), router, source=str(log), spec_of=specs_beside(None, more), progress=progress)
    now = time.time()
    which = Filter(since=moment(since, now) if since else 0.0, until=moment(until, now) if until else None, route=route)
    with closing(open_reader(where)) as reader:
        total = min(reader.count(which), limit or 1 << 62)
        with progressing(console, "deciding again", total) as progress:
            labels, spec_of = labels_of(where), specs_beside(where, more)
            if quick:
                pages = stored_pages(reader, which, limit)
                return replay_screened(pages, labels, router, source=str(log), spec_of=spec_of, progress=progress)
            rows = from_log(reader, labels, which, limit)
            return replay(rows, router, source=str(log), spec_of=spec_of, progress=progress)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector: rows have no cycles, and looking for some takes most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
