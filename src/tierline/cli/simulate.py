"""`tierline simulate`: a workload through a spec, without calling anybody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Shown

from tierline.cli.document import hand_over, on_stdout
from tierline.cli.intervals import interval
from tierline.cli.log_source import LOG
from tierline.cli.terminal import progressing, refusing, terminal
from tierline.config.load import load
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.estimate.as_outcomes import outcomes_of, requests_of
from tierline.evaluation.estimate.asked import asked_in
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.sheet import from_csv
from tierline.evaluation.replay.logged import from_log, labels_of
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.simulate.faults import Fault, read_faults
from tierline.evaluation.simulate.outcomes import Fitted, from_table
from tierline.evaluation.simulate.outcomes import from_log as fitted_from_log
from tierline.evaluation.simulate.pursued import Checks
from tierline.evaluation.simulate.report import Simulation, summary
from tierline.evaluation.simulate.simulate import simulate
from tierline.evaluation.simulate.workload import Sent, of_file, of_log, of_table, resampled
from tierline.evaluation.table import Table
from tierline.postgres.connection import place_of
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure

SHEET_REQUESTS = 2000
"""Sent where the worksheet is the workload and nobody says how many."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(simulate_command)


def simulate_command(
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec to simulate.")] = Path("tierline.yaml"),
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Measured answers, as for `tierline evaluate`; fits the models.")
    ] = None,
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; fits the models, and is the workload if no other is given.")] = "",
    worksheet: Annotated[
        Path | None,
        typer.Option("--worksheet", "-w", help="A sheet of `tierline estimate --csv`; fits the models, and is the workload too."),
    ] = None,
    workload: Annotated[Path | None, typer.Option("--workload", help="A JSONL file of chat bodies or prompts to send.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="How many requests; all of the workload if left out.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.0001, help="Requests a second; at their own times, or one a second.")] = None,
    faults: Annotated[Path | None, typer.Option("--faults", help="A YAML list of outages and slow times.")] = None,
    sensitivity: Annotated[float, typer.Option(min=0, max=1, help="Share of bad answers that validators reject.")] = 0.8,
    specificity: Annotated[float, typer.Option(min=0, max=1, help="Share of good answers that validators accept.")] = 0.98,
    seed: Annotated[int, typer.Option(help="The same seed gives the same simulation.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
) -> None:
    """Send a workload through a spec in reckoned time: what it would give, cost and take, with load, failures and escalations.

    Nothing is called. Deciding, pursuing, breakers, queues and load are the gateway's own; the answers are drawn from what was measured.

    Examples: `tierline simulate --spec tierline.yaml --log tierline.db --requests 5000 --rate 20`

    `tierline simulate --spec new.yaml --data answers.parquet --faults outage.yaml`

    `tierline simulate --spec tierline.yaml --worksheet worksheet.csv --requests 5000`
    """
    console = terminal(errors=on_stdout(json_out))
    with refusing("simulate"):
        router = Router(load(spec, need_secrets=False))
        checks = Checks(sensitivity, specificity)
        windows = () if faults is None else read_faults(faults, router.loaded.models, router.loaded.providers)
        if worksheet is not None:
            if data or log:
                raise EvaluationFailure("give --worksheet alone: --data and --log fit the models as well")
            fitted, checks, sent = _of_sheet(router, worksheet, workload, requests or SHEET_REQUESTS, seed)
            name = str(workload or worksheet)
        else:
            fitted, sent, name = _material(router, data or [], log, workload)
        found = _simulated(console, router, fitted, resampled(sent, requests, rate, seed), windows, checks, seed, name)
    hand_over(found, json_out)
    if not on_stdout(json_out):
        _show(console, found)


def _of_sheet(router: Router, path: Path, workload: Path | None, count: int, seed: int) -> tuple[Fitted, Checks, list[Sent]]:
    """What answers as a worksheet says, how its checks see, and so many requests by its shares, or those of a file."""
    said = from_csv(path.read_text(encoding="utf-8-sig"), router.loaded.models, path.name)
    sheet = worksheet_of(router.loaded, said, router)
    fitted, checks = outcomes_of(sheet)
    if workload is not None:
        return fitted, checks, of_file(router, workload)
    samples = {row.task: asked_in(router.loaded, said, row.task) for row in sheet.rows}
    return fitted, checks, requests_of(sheet, samples, count, seed)


def _material(router: Router, data: list[Path], log: str, workload: Path | None) -> tuple[Fitted, list[Sent], str]:
    """What answers, what is sent, and what it is called."""
    if bool(data) == bool(log):
        raise EvaluationFailure("give --data, --log or --worksheet: one of them, to fit the models of outcomes from")
    if log:
        labels = labels_of(log)
        with closing(open_reader(log)) as reader:
            fitted = fitted_from_log(router.loaded, from_log(reader, labels, Filter(), whole=True))
            sent = of_log(router, from_log(reader, labels)) if workload is None else of_file(router, workload)
        return fitted, sent, str(workload or place_of(log))
    table: Table = read(data, Reading(text=workload is None)).table
    fitted = from_table(router.loaded, table, SpecRouter(router.loaded).matched(table.models))
    sent = of_table(router, table) if workload is None else of_file(router, workload)
    return fitted, sent, str(workload or ", ".join(map(str, data)))


def _simulated(
    console: Console, router: Router, fitted: Fitted, sent: list[Sent], faults: tuple[Fault, ...], checks: Checks, seed: int, name: str
) -> Simulation:
    with progressing(console, "simulating", len(sent)) as progress:
        happened = simulate(router, fitted, sent, faults=faults, checks=checks, seed=seed, progress=progress)
    assumed = list(fitted.assumed)
    if any(step.validators for one in happened for step in one.decision.steps):
        assumed.append(f"validators reject {checks.sensitivity:.0%} of bad answers and accept {checks.specificity:.0%} of good ones")
    return summary(router, happened, workload=name, seed=seed, assumed=assumed)


def _show(console: Console, found: Simulation) -> None:
    console.print(
        f"[bold]{found.requests:,} requests of {found.workload} through {found.spec}[/bold] ({found.fingerprint}), "
        f"{found.span / 60:.1f} simulated minutes, seed {found.seed}",
        highlight=False,
        soft_wrap=True,
    )
    took = found.latency
    console.print(f"quality  {interval(found.quality, '.3f')}", highlight=False)
    console.print(f"cost     ${interval(found.cost, '.6f')} a request, ${found.total_cost:.4f} in all", highlight=False)
    console.print(f"seconds  p50 {took.p50:.2f}, p95 {took.p95:.2f}, p99 {took.p99:.2f}, mean {took.mean:.2f}", highlight=False)
    shares = {
        "escalated": found.escalated, "fell back": found.fell_back, "retried": found.retried, "hedged": found.hedged,
        "combined": found.combined, "flagged": found.flagged, "unanswered": found.failed,
    }  # fmt: skip
    console.print("requests " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()), highlight=False)
    wasted = "" if found.wasted is None else f"; {found.wasted:.1%} of the money went to answers that were not given"
    console.print(f"calls    {found.calls:.2f} a request{wasted}", highlight=False)
    for title, counts in (("errors", found.errors), ("stopped", found.stopped)):
        if counts:
            console.print(f"{title:8} " + ", ".join(f"{name} {count:,}" for name, count in counts.items()), highlight=False)
    console.print(_models(found))
    for said in found.assumed:
        console.print(f"assumed: {said}", highlight=False)


def _models(found: Simulation) -> Shown:
    table = Shown("model", "tier", "asked first", "answered", "calls", "failed", "USD", "seconds a call")
    for name, use in found.models.items():
        seconds = "–" if use.seconds is None else f"{use.seconds:.2f}"
        table.add_row(
            name, use.tier, f"{use.first:.1%}", f"{use.answered:.1%}", f"{use.calls:,}", f"{use.failed:,}", f"{use.cost:.4f}", seconds
        )
    return table
