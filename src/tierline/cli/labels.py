"""`tierline labels`: what was said of logged answers, by whom, how far each is trusted; golden sets, export, and judges held to account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from tierline.cli import labels_view
from tierline.cli.labels_judge import Wish, judged, keep
from tierline.cli.log_copy import as_file
from tierline.cli.log_source import LOG, named, written
from tierline.cli.terminal import terminal
from tierline.evaluation.collect import rows as tables
from tierline.evaluation.grade.judge import RUBRIC
from tierline.evaluation.judging.bars import Bars
from tierline.evaluation.labels.export import COLUMNS, rows
from tierline.evaluation.labels.golden import import_golden, read_golden
from tierline.evaluation.labels.trust import parse
from tierline.evaluation.labels.view import Labels, standing
from tierline.postgres.connection import is_address, place_of
from tierline.types.errors import TierlineError

Log = Annotated[str, typer.Option("--log", help=f"{LOG}; its ledger is in it too.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="Take the log from this spec.")]
Trust = Annotated[list[str] | None, typer.Option(help="SOURCE=0…1 or SOURCE:WHO=0…1: what is assumed before anything is measured.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

labels = typer.Typer(
    invoke_without_command=True,
    help="Show what was said of logged answers: by which source, how far it is trusted, and who disagrees.\n\n"
    "Examples: `tierline labels --log tierline.db`, `tierline labels --conflicts`, `tierline labels import golden.jsonl`, "
    "`tierline labels export --out labels.parquet`, `tierline labels judge --judge opus --budget 1`",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(labels, name="labels")


@labels.callback()
def shown(
    context: typer.Context,
    log: Log = "",
    config: Config = None,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="List the answers on which trusted sources disagree.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most conflicts.")] = 50,
    trust: Trust = None,
    as_json: AsJson = False,
) -> None:
    """Every source by task, how far it is trusted, and how far any two of them agree."""
    if context.invoked_subcommand is not None:
        return
    with refusing():
        where = named(log, config)
        found = Labels(where, parse(trust or []))
        console = terminal()
        if conflicts:
            listed = list(islice(((answer, combined) for answer, combined in found.combined() if combined.conflict), limit))
            labels_view.conflicts(console, listed, as_json=as_json)
            return
        labels_view.overview(console, found.overview(), standing(where), as_json=as_json)


@labels.command("import")
def imported(
    golden: Annotated[Path, typer.Argument(help="JSONL: request_id or prompt, with score or reference; answer, model.")],
    log: Log = "",
    config: Config = None,
    by: Annotated[str, typer.Option(help="The set's name; the file's, if left out.")] = "",
    trust: Annotated[float, typer.Option(min=0.0, max=1.0, help="The share of its labels that is right.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Bring a golden set to the answers in the log; a label that stands there already is not written twice.

    Example: `tierline labels import golden.jsonl --log tierline.db`"""
    with refusing():
        done = import_golden(written(log, config), read_golden(golden), by or golden.stem, time.time(), trust)
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
        return
    typer.echo(f"{golden}: {done.rows} rows, {done.written} labels written, {done.known} known already")
    if done.unmatched:
        lines = ", ".join(map(str, done.unmatched[:10]))
        typer.echo(f"{len(done.unmatched)} rows found no answer in the log whose words are kept (rows {lines})")


@labels.command()
def export(
    out: Annotated[Path, typer.Option(help="The table: .parquet, .csv or .jsonl.")],
    log: Log = "",
    config: Config = None,
    everything: Annotated[bool, typer.Option("--all", help="Also answers asked for because another was not good enough.")] = False,
    trust: Trust = None,
) -> None:
    """Write the tidy table query × model with scores, their certainty and their source, for `evaluate` and `train`.

    Example: `tierline labels export --log tierline.db --out labels.parquet`"""
    with refusing():
        tables.check_suffix(out)
        count = tables.write(out, rows(Labels(named(log, config), parse(trust or [])), everything=everything), COLUMNS)
    typer.echo(f"wrote {count} answers to {out}", err=True)


@labels.command()
def judge(
    judge: Annotated[str, typer.Option(help="The model of the spec that judges.")],
    budget: Annotated[float, typer.Option(min=0.0, help="Most USD, earlier runs of this judge into the same journal included.")],
    spec: Annotated[Path, typer.Option("--spec", "-s", "-c", help="The spec that holds the judge.")] = Path("tierline.yaml"),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; it holds the answers, and its ledger keeps the verdict.")] = "",
    data: Annotated[Path | None, typer.Option(help="Labelled answers in a file instead: query, response, score; task, model.")] = None,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    way: Annotated[
        Literal["auto", "alone", "pairs"], typer.Option(help="Each answer alone, or two of a question in both orders.")
    ] = "auto",
    most: Annotated[int, typer.Option(min=1, help="Most answers that are looked at.")] = 400,
    repeats: Annotated[int, typer.Option(min=1, max=10, help="How often an answer is judged alone.")] = 2,
    rubric: Annotated[Path | None, typer.Option(help="For answers judged alone: what each score from 0 to 10 means.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=512, help="Most calls at one time.")] = 8,
    kappa: Annotated[float, typer.Option(help="Least kappa.")] = Bars().kappa,
    kappa_low: Annotated[float, typer.Option(help="Least lower end of kappa's interval.")] = Bars().kappa_low,
    position: Annotated[float, typer.Option(help="Most position bias, either way.")] = Bars().position,
    least: Annotated[int, typer.Option(min=2, help="Least labels of a task.")] = Bars().labels,
    seed: Annotated[int, typer.Option(help="Which answers are looked at, and which of two is shown first.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Hold a judge against answers whose worth is known, and keep the verdict: without a valid one its labels neither gate nor train.

    Exits 1 where it is not valid. The same command goes on where it was stopped: what was paid for is kept beside the log.

    Example: `tierline labels judge --log tierline.db --judge opus --spec tierline.yaml --budget 2`"""
    with refusing():
        words = RUBRIC if rubric is None else rubric.read_text(encoding="utf-8")
        bars = Bars(kappa=kappa, kappa_low=kappa_low, position=position, labels=least)
        if log:
            written(log, None)
        with as_file(log) if log else nullcontext() as copy:
            beside = copy if copy is None or not is_address(log) else spec.parent / place_of(log)
            wish = Wish(judge, spec, copy, beside or data, data, task, way, most, repeats, words, concurrency, budget, bars, seed)
            told = asyncio.run(judged(wish, terminal(errors=True)))
        if log and told.verdicts:
            keep(log, told.judge, told.verdicts)
    labels_view.judge(terminal(), told, as_json=as_json)
    raise typer.Exit(0 if told.valid else 1)


@contextmanager
def refusing() -> Iterator[None]:
    """One line and exit code 2 for what cannot be done."""
    try:
        yield
    except (TierlineError, OSError) as error:
        typer.echo(f"tierline labels: {error.message if isinstance(error, TierlineError) else error}", err=True)
        raise typer.Exit(2) from None
