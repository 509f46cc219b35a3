"""`tierline collect`: run your own prompts over candidate models, and keep the table that everything else measures with."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from tierline.cli.collect_calls import Calls
from tierline.cli.terminal import Screen
from tierline.client import Client
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.evaluation.collect import rows
from tierline.evaluation.collect.alone import alone, candidates
from tierline.evaluation.collect.call import Asks, Candidate
from tierline.evaluation.collect.collector import Collector, Settings, Summary
from tierline.evaluation.collect.collector import Progress as Seen
from tierline.evaluation.collect.estimate import estimate
from tierline.evaluation.collect.journal import Journal, JournalUnreadable
from tierline.evaluation.collect.prompts import Prompts, PromptsInvalid, read_prompts
from tierline.evaluation.grade.grader import Grader
from tierline.evaluation.grade.judge import RUBRIC, JudgeGrader
from tierline.evaluation.grade.reference import WAYS, ReferenceGrader
from tierline.evaluation.grade.validators import ValidatorsGrader
from tierline.types.ask import Ask, Told
from tierline.types.errors import TierlineError

DEADLINE = 600.0
"""Seconds that one answer may take in all; a provider's own time-out is usually shorter."""

GradeBy = Literal["reference", "validators", "judge"]


class Wish(msgspec.Struct, frozen=True):
    """What was asked for on the command line, read and checked."""

    loaded: Loaded
    prompts: Prompts
    models: tuple[Candidate, ...]
    settings: Settings
    grade: GradeBy
    normalise: str
    judge: Candidate | None
    rubric: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("collect")(collect)


def collect(
    prompts: Annotated[
        Path, typer.Option(help="JSONL, CSV or Parquet with `prompt` or `messages`, and task, reference, id if you have them.")
    ],
    models: Annotated[str, typer.Option(help="Models of the spec, with commas between.")],
    grade: Annotated[GradeBy, typer.Option(help="By the `reference` column, the `validators` of the prompt's task, or a `judge`.")],
    budget: Annotated[float, typer.Option(min=0.0, help="Most USD for this table, earlier runs into it included.")],
    out: Annotated[Path, typer.Option(help="The table: .parquet, .csv or .jsonl. Its journal lies beside it.")],
    spec: Annotated[Path, typer.Option("--spec", "-s", "-c", help="The spec that holds the models.")] = Path("tierline.yaml"),
    concurrency: Annotated[int, typer.Option(min=1, max=512, help="Most calls at one time.")] = 8,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a journal that is there: run what is missing or changed.")] = False,
    judge: Annotated[str, typer.Option(help="--grade judge: the model of the spec that judges.")] = "",
    rubric: Annotated[Path | None, typer.Option(help="--grade judge: a text file that says what each score from 0 to 10 means.")] = None,
    normalise: Annotated[
        str, typer.Option(help="--grade reference: what has to be the same: auto, number, choice, label, json or text.")
    ] = "auto",
    max_tokens: Annotated[int, typer.Option(min=0, help="Most tokens of an answer; 0 sets no limit.")] = 0,
    param: Annotated[list[str] | None, typer.Option(help="A further field of the request, NAME=JSON, e.g. temperature=0.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would call and cost, and call nobody.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run your own prompts over candidate models: the query × model table that `evaluate`, `train` and `simulate` read.

    Example: `tierline collect --prompts prompts.jsonl --models mini,opus --grade reference --budget 5 --out table.parquet`

    Every answer is on disk before the next call begins. Ctrl-C lets the calls in flight finish, and the same command with --resume goes on.
    """
    console = Screen(stderr=True)
    if normalise not in WAYS:
        raise typer.BadParameter(f"--normalise {normalise!r} is none of {', '.join(WAYS)}")
    try:
        params = {**_params(param or []), **({"max_tokens": max_tokens} if max_tokens else {})}
        loaded = load(spec, need_secrets=not dry_run)
        names = [name.strip() for name in models.split(",") if name.strip()]
        wish = Wish(
            loaded,
            read_prompts(prompts),
            candidates(loaded, names, params),
            Settings(budget, concurrency, max_tokens=max_tokens),
            grade,
            normalise,
            _judge(loaded, grade, judge),
            RUBRIC if rubric is None else rubric.read_text(encoding="utf-8"),
        )
        _check_references(wish, console)
        if dry_run:
            _show_estimate(wish, as_json)
            return
        rows.check_suffix(out)
        with Journal(_journal_path(out, resume)) as journal:
            summary = asyncio.run(_run(wish, journal, console))
            written = rows.write(out, rows.rows(wish.prompts.rows, wish.models, journal, grade))
    except (TierlineError, OSError) as error:
        typer.echo(error.message if isinstance(error, TierlineError) else str(error), err=True)
        raise typer.Exit(2) from None
    _show(summary, wish, out, written, as_json)
    raise typer.Exit(0 if summary.ended == "complete" and not summary.failed else 1)


async def _run(wish: Wish, journal: Journal, console: Console) -> Summary:
    """The collection, with its bar; the first Ctrl-C lets the calls in flight finish, the second ends at once."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopping.set()
        loop.remove_signal_handler(signal.SIGINT)
        console.print("stopping: the calls in flight finish first; Ctrl-C again gives them up")

    loop.add_signal_handler(signal.SIGINT, stop)
    with tempfile.TemporaryDirectory(prefix="tierline-collect-") as home:
        async with Client(alone(wish.loaded, DEADLINE), log=Path(home, "calls.db")) as client:
            calls = Calls(client, wish.loaded)
            with _bar(console) as (bar, task):
                collector = Collector(
                    wish.settings,
                    journal,
                    calls.call,
                    _grader(wish, calls.ask),
                    clock=time.time,
                    told=lambda seen: _advance(bar, task, seen, wish.settings.budget),
                    stopping=stopping.is_set,
                )
                return await collector.run(wish.prompts.rows, wish.models)


def _check_references(wish: Wish, console: Console) -> None:
    """Says before anything is paid how many answers there is nothing to compare with; raises PromptsInvalid where that is all of them."""
    many = len(wish.prompts.rows)
    bare = sum(prompt.reference is None for prompt in wish.prompts.rows)
    if wish.grade != "reference" or not bare:
        return
    if bare == many:
        raise PromptsInvalid("no prompt has a `reference`: add that column, or take --grade judge or --grade validators")
    console.print(
        f"{bare} of {many} prompts have no `reference`: their answers are paid for and get no score", highlight=False, markup=False
    )


def _grader(wish: Wish, asks: Asks) -> Grader:
    if wish.judge is not None:
        return JudgeGrader(wish.judge, asks, wish.rubric)
    return ValidatorsGrader(wish.loaded, asks) if wish.grade == "validators" else ReferenceGrader(wish.normalise)


def _judge(loaded: Loaded, grade: GradeBy, judge: str) -> Candidate | None:
    if grade != "judge":
        return None
    if not judge:
        raise typer.BadParameter("--grade judge needs --judge MODEL")
    return candidates(loaded, [judge], {})[0]


def _params(given: Sequence[str]) -> dict[str, Any]:
    """NAME=JSON → the fields of the request; a value that is no JSON is taken as text."""
    params: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"--param {pair!r} is not NAME=JSON")
        try:
            params[name] = json.loads(value)
        except ValueError:
            params[name] = value
    return params


def _journal_path(out: Path, resume: bool) -> Path:
    """Beside the table; raises where one is there and nobody said what to do with it."""
    path = out.with_name(f"{out.name}.journal")
    if path.exists() and path.stat().st_size and not resume:
        raise JournalUnreadable(f"{path} holds an earlier run → go on with --resume, or move it away to begin anew")
    return path


@contextmanager
def _bar(console: Console) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("collecting"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar, bar.add_task("", total=None)


def _advance(bar: Progress, task: TaskID, seen: Seen, budget: float) -> None:
    failed = f", {seen.failed} failed" if seen.failed else ""
    said = f", {seen.said}" if seen.said else ""
    bar.update(task, completed=seen.done, total=seen.total, description=escape(f"{seen.spent:.4f} of {budget:g} USD{failed}{said}"))


def _show_estimate(wish: Wish, as_json: bool) -> None:
    async def nobody(_: Ask) -> Told:
        raise AssertionError("an estimate calls nobody")

    told = estimate(wish.prompts.rows, wish.models, _grader(wish, nobody), wish.settings.max_tokens)
    if as_json:
        typer.echo(msgspec.json.encode({**msgspec.structs.asdict(told), "total": told.total}))
        return
    table = Table("model", "calls", "USD, about", title=f"{len(wish.prompts.rows)} prompts, {told.output_tokens} tokens an answer")
    for name, cost in told.models.items():
        table.add_row(name, str(len(wish.prompts.rows)), f"{cost:.4f}")
    if told.grades:
        table.add_row("grades", str(told.calls), f"{told.grades:.4f}")
    table.add_row("in all", str(told.calls), f"{told.total:.4f}", style="bold")
    Screen().print(table)


def _show(summary: Summary, wish: Wish, out: Path, written: int, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({**msgspec.structs.asdict(summary), "rows": written, "out": str(out)}))
        return
    console = Screen(soft_wrap=True)
    calls = f"{summary.called} calls, {summary.graded} graded, {summary.kept} kept from before, {summary.failed} without an answer"
    said = f"{out}: {written} rows; {calls}, "
    console.print(f"{said}{summary.spent:.4f} USD of {wish.settings.budget:g}", highlight=False, markup=False)
    for name, why in summary.given_up.items():
        console.print(f"{name} was given up: {why}", highlight=False, markup=False)
    if wish.prompts.ignored:
        console.print(f"columns that nobody read: {', '.join(wish.prompts.ignored)}", highlight=False, markup=False)
    if summary.ended == "budget":
        console.print(f"The budget is spent with {summary.left} cells to go: --resume with a larger --budget goes on.", highlight=False)
    if summary.ended == "stopped":
        console.print(f"Stopped with {summary.left} cells to go: --resume goes on.", highlight=False)
