"""`tierline evaluate`: is a router better than a coin of the same cost?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tierline.cli import evaluate_view, trials_view
from tierline.cli.made import made
from tierline.cli.terminal import Screen
from tierline.config.load import load
from tierline.evaluation.cross_validate import FOLDS
from tierline.evaluation.datasets import Dataset, Reading, read
from tierline.evaluation.document import Document, encode
from tierline.evaluation.drill import drill_of
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.gate.bars import Gate, judge, read_gate
from tierline.evaluation.gate.forms import FORMS, Form
from tierline.evaluation.metrics.bootstrap import RESAMPLES
from tierline.evaluation.perturb.of_router import with_robustness
from tierline.evaluation.perturb.pairs import read_pairs
from tierline.evaluation.report.page import report
from tierline.evaluation.routers import REGISTRY, routers
from tierline.evaluation.routers.given import GivenRouter
from tierline.evaluation.routers.learned import TrainedRouter
from tierline.evaluation.routers.routing import Evaluated
from tierline.evaluation.routers.routing import Progress as Watch
from tierline.evaluation.routers.spec import SpecRouter
from tierline.types.errors import EvaluationFailure, TierlineError

BASELINES = ("random", "prompt_length", "task_mean")
"""Shown beside whatever is asked for."""


class Trials(msgspec.Struct, frozen=True):
    """What is tried beside measuring: other words for the prompts (a team's own `pairs`, else the built-in ones), and primaries down."""

    robust: bool = False
    pairs: Path | None = None
    drill: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    data: Annotated[list[Path], typer.Option("--data", "-d", help="A file of measured answers; give several one after another.")],
    more: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Further files, as after --data.")] = None,
    spec: Annotated[Path | None, typer.Option("--spec", "-s", help="Evaluate what this spec decides.")] = None,
    scorer: Annotated[Path | None, typer.Option(help="Evaluate a trained scorer's file on queries that it was not trained on.")] = None,
    cross_validate: Annotated[
        int | None, typer.Option("--cross-validate", min=2, help=f"Folds of routers that learn ({FOLDS}); alone, evaluates task_mean.")
    ] = None,
    choices: Annotated[Path | None, typer.Option(help="Evaluate a router of your own: a file of its choices or scores by query.")] = None,
    router: Annotated[list[str] | None, typer.Option(help=f"Evaluate a built-in router: {', '.join(REGISTRY)}.")] = None,
    models: Annotated[str, typer.Option(help="Compare these models only: a,b,c, or `complete`: those measured on every query.")] = "",
    split: Annotated[str, typer.Option(help="Only the rows whose column `split` says so.")] = "",
    cost: Annotated[list[str] | None, typer.Option(help="MODEL=USD: what a query costs on a model that the data have no costs of.")] = None,
    score_scale: Annotated[float, typer.Option(min=1e-9, help="Divide scores by this; 100 for percent.")] = 1.0,
    route: Annotated[str, typer.Option(help="The spec's route to decide on.")] = "auto",
    tell_task: Annotated[bool, typer.Option("--tell-task", help="Tell the spec the task of the data, as a client's header would.")] = False,
    seed: Annotated[int, typer.Option(help="Of folds, resamples and coins: the same seed gives the same figures.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples of every interval.")] = RESAMPLES,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
    gate: Annotated[Path | None, typer.Option(help="Judge by the bars of this file; exits 1 when one is missed.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How the gate's verdict is printed.")] = "text",
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here: one HTML file that needs nothing else.")] = None,
    robust: Annotated[bool, typer.Option("--robust", help="Ask again with typos, other case and boilerplate: who flips?")] = False,
    pairs: Annotated[Path | None, typer.Option(help="Your own rewordings for --robust: query_id, perturbed, kind.")] = None,
    drill: Annotated[bool, typer.Option("--drill", help="With --spec: take each task's primary down. Who answers instead?")] = False,
) -> None:
    """Measure routers on a table of query × model → score and cost, beside the rows without which no figure means anything.

    The data are Parquet, CSV, JSONL or JSON: a row an answer (query, model, score, cost_usd), RouteLLM's or RouterBench's tables, results
    of promptfoo or OpenAI Evals, tier labels (prompt, tier), or a decision log. The headline is the advantage over a random mix of models
    that costs the same.

    Example: `tierline evaluate --data answers.parquet --spec tierline.yaml --gate gates.yaml`
    """
    told = Screen(stderr=True)
    try:
        bars = None if gate is None else read_gate(gate)
        asked = _asked(spec, route, tell_task, choices, router or [], cross_validate, scorer)
        how = Reading(
            models=tuple(name.strip() for name in models.split(",") if name.strip()),
            split=split,
            score_scale=score_scale,
            costs=_costs(cost or []),
            text=robust or pairs is not None or any(one.needs_text for one in asked),
            choose=next((_known_to(one) for one in asked if isinstance(one, SpecRouter | TrainedRouter)), None),
        )
        settings = Settings(seed, cross_validate or FOLDS, resamples, tuple(one.name for one in asked))
        trials = Trials(robust or pairs is not None, pairs, drill)
        document = _measured(told, [*data, *(more or [])], how, asked, settings, trials)
        if html is not None:
            html.write_text(report(document, made=made()), encoding="utf-8")
    except (TierlineError, OSError) as error:
        typer.echo(f"tierline evaluate: {error}", err=True)
        raise typer.Exit(2) from None
    _show(document, json_out, quiet=form != "text")
    if bars is not None:
        _judge(document, bars, form, aside=str(json_out) == "-")


def _asked(
    spec: Path | None,
    route: str,
    tell_task: bool,
    choices: Path | None,
    names: Sequence[str],
    cross_validate: int | None,
    scorer: Path | None,
) -> list[Evaluated]:
    """The routers that the evaluation is about."""
    asked: list[Evaluated] = [] if spec is None else [SpecRouter(load(spec, need_secrets=False), route, tell_task)]
    if scorer is not None:
        asked.append(TrainedRouter(scorer))
    if choices is not None:
        asked.append(GivenRouter(choices))
    asked.extend(routers(list(dict.fromkeys(names))))
    if not asked and cross_validate is not None:
        asked.extend(routers(["task_mean"]))
    return asked


def _known_to(router: SpecRouter | TrainedRouter) -> Callable[[Sequence[str]], Sequence[str]]:
    """Narrows the models of the data to those of the spec, or of the trained scorer."""
    if isinstance(router, TrainedRouter):
        return router.known
    return lambda models: list(dict.fromkeys(router.matched(models).values()))


def _costs(given: Sequence[str]) -> dict[str, float]:
    costs = {}
    for one in given:
        model, _, usd = one.rpartition("=")
        try:
            costs[model] = float(usd)
        except ValueError:
            costs[model] = -1.0
        if not model or not 0.0 <= costs[model] < float("inf"):
            raise EvaluationFailure(f"--cost {one}: write MODEL=USD, e.g. --cost gpt-4=0.03")
    return costs


def _measured(
    told: Console, files: Sequence[Path], how: Reading, asked: Sequence[Evaluated], settings: Settings, trials: Trials
) -> Document:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=told, transient=True) as bars:
        reading = bars.add_task("reading the data", total=None)
        dataset = read(files, how)
        for trained in asked:
            dataset = trained.held_out(dataset) if isinstance(trained, TrainedRouter) else dataset
        bars.remove_task(reading)
        steps: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in steps:
                steps[what] = bars.add_task(what, total=total)
            bars.update(steps[what], completed=done, total=total)

        document = evaluate(dataset, [*_baselines(dataset, asked), *asked], settings, progress)
        return _tried(document, dataset, asked, trials, progress)


def _tried(document: Document, dataset: Dataset, asked: Sequence[Evaluated], trials: Trials, progress: Watch) -> Document:
    """The document with what the trials found."""
    if not trials.robust and not trials.drill:
        return document
    if not dataset.comparable:
        raise EvaluationFailure("--robust and --drill need the scores of several models on the same queries")
    table = dataset.table.take(dataset.table.complete)
    if trials.robust:
        if not asked:
            raise EvaluationFailure("--robust needs a router: --spec, --router or --cross-validate")
        pairs = None if trials.pairs is None else read_pairs(trials.pairs, table)
        document = with_robustness(document, table, asked, pairs, progress)
    if trials.drill:
        spec = next((one for one in asked if isinstance(one, SpecRouter)), None)
        if spec is None:
            raise EvaluationFailure("--drill takes down what a spec chooses: give --spec")
        document = msgspec.structs.replace(document, drill=msgspec.to_builtins(drill_of(spec, table, progress)))
    return document


def _baselines(dataset: Dataset, asked: Sequence[Evaluated]) -> list[Evaluated]:
    """The simple routers to show beside those that were asked for; the length of prompts only where there are prompts."""
    names = {router.name for router in asked}
    words = dataset.table.words
    there = [name for name in BASELINES if name not in names and (name != "prompt_length" or (words is not None and bool(words.any())))]
    return routers(there) if dataset.comparable else []


def _show(document: Document, json_out: Path | None, quiet: bool) -> None:
    if json_out is not None and str(json_out) != "-":
        json_out.write_bytes(encode(document))
    if str(json_out) == "-":
        sys.stdout.buffer.write(encode(document) + b"\n")
        sys.stdout.flush()
    elif not quiet:
        evaluate_view.show(Screen(), document)
        trials_view.show(Screen(), document)


def _judge(document: Document, gate: Gate, form: Form, aside: bool) -> None:
    """Print the verdict, on standard error where the document has standard output; exits 1 when a bar is missed."""
    try:
        verdict = judge(gate, document)
    except EvaluationFailure as error:
        typer.echo(f"tierline evaluate: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(FORMS[form](verdict), err=aside)
    if not verdict.passed:
        raise typer.Exit(1)
