"""`tierline estimate`: the worksheet of a spec, and what routing by it will cost, take, give and risk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from tierline.cli import estimate_view
from tierline.cli.document import hand_over, on_stdout
from tierline.cli.log import moment
from tierline.cli.log_source import LOG, configured
from tierline.cli.made import made
from tierline.cli.terminal import refusing, terminal
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.estimate import DRAWS, PAYS, estimate
from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.from_log import from_log
from tierline.evaluation.estimate.from_requests import from_requests
from tierline.evaluation.estimate.from_table import from_table
from tierline.evaluation.estimate.markdown import to_markdown
from tierline.evaluation.estimate.mixed import mixed
from tierline.evaluation.estimate.sheet import from_csv, to_csv
from tierline.evaluation.estimate.volume import parse
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.report.estimated import estimate_report
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.simulate.workload import of_file
from tierline.postgres.connection import is_address
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("estimate")(estimate_command)


def estimate_command(
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec to estimate.")] = Path("tierline.yaml"),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; what it shows is measured.")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="Measure by the log that this spec names.")] = None,
    since: Annotated[str, typer.Option(help="Only the log's rows from this time on: 24h, 7d, 2026-11-22.")] = "",
    data: Annotated[list[Path] | None, typer.Option("--data", help="Measured answers, as for `tierline evaluate`.")] = None,
    workload: Annotated[Path | None, typer.Option("--workload", help="A JSONL file of requests: their tasks, lengths and ways.")] = None,
    worksheet: Annotated[Path | None, typer.Option("--worksheet", "-w", help="A sheet that --csv wrote and people filled in.")] = None,
    against: Annotated[list[Path] | None, typer.Option("--against", help="Another spec to hold beside it; may be given again.")] = None,
    volume: Annotated[str, typer.Option(help="1M/month, 50k/day; as the log counts, else a million a month.")] = "",
    fixed: Annotated[float, typer.Option(min=0, help="USD a month that running the router costs.")] = PAYS,
    draws: Annotated[int, typer.Option(min=50, max=20_000, help="Of the uncertain numbers, for the ranges.")] = DRAWS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ranges.")] = 0,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the worksheet here, to be filled in and read again.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write worksheet and estimate here.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here: one HTML file that needs nothing else.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
) -> None:
    """Fill in the worksheet of a spec and say what comes of it: cost, latency, quality and risk of every task, with ranges, beside
    other policies.

    Nothing is called. Each number says where it came from: measured (in a log or a table), assumed (in a sheet or the spec),
    catalogue or config. What is measured comes before a sheet, a sheet before the spec. Intervals hold nine times out of ten.

    Examples: `tierline estimate --volume 1M/month --html estimate.html`

    `tierline estimate --log tierline.db --against cheaper.yaml --csv worksheet.csv`
    """
    console = terminal(errors=on_stdout(json_out), width=estimate_view.WIDTH)
    with refusing("estimate"):
        loaded = load(spec, need_secrets=False)
        if log and config is not None:
            raise EvaluationFailure("give --log or --config, not both")
        where = log or ("" if config is None else configured(config))
        evidence = mixed(_known(loaded, where, since, data or [], workload, worksheet))
        others = {path.stem: load(path, need_secrets=False) for path in against or []}
        found = estimate(loaded, evidence, parse(volume) if volume else None, against=others, draws=draws, seed=seed, fixed=fixed)
        _write(found, csv, markdown, html)
    hand_over(found, json_out)
    if not on_stdout(json_out):
        estimate_view.show(console, found)


def _known(loaded: Loaded, log: str, since: str, data: list[Path], workload: Path | None, worksheet: Path | None) -> Iterator[Evidence]:
    """What is known, what was measured first."""
    if log:
        which = Filter(since=moment(since, time.time()) if since else 0.0)
        with closing(open_reader(log)) as reader:
            yield from_log(reader.records(which), labels_of(log), "log" if is_address(log) else Path(log).name)
    if data:
        table = read(data, Reading(sparse=True)).table
        yield from_table(table, SpecRouter(loaded).matched(table.models), ", ".join(path.name for path in data))
    if workload is not None:
        router = Router(loaded)
        yield from_requests(router, of_file(router, workload), workload.name)
    if worksheet is not None:
        yield from_csv(worksheet.read_text(encoding="utf-8-sig"), loaded.models, worksheet.name)


def _write(found: Estimate, csv: Path | None, markdown: Path | None, html: Path | None) -> None:
    if csv is not None:
        csv.write_text(to_csv(found.worksheet), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(to_markdown(found), encoding="utf-8")
    if html is not None:
        html.write_text(estimate_report(found, made=made()), encoding="utf-8")
