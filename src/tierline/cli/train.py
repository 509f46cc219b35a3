"""`tierline train`: measured answers → the file of a trained scorer, with the figures that say whether it is worth using."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tierline.cli import evaluate_view, train_view
from tierline.cli.log_copy import as_file
from tierline.cli.log_source import LOG
from tierline.cli.made import made
from tierline.cli.terminal import Screen
from tierline.config.load import load
from tierline.config.scorer_file import read_scorer
from tierline.evaluation.cross_validate import FOLDS
from tierline.evaluation.datasets import Dataset, Reading, read
from tierline.evaluation.datasets.source import OfLogs
from tierline.evaluation.document import Document, encode
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.labels.trust import parse
from tierline.evaluation.metrics.bootstrap import RESAMPLES
from tierline.evaluation.report.page import report
from tierline.evaluation.routers.learned import CrossFit, LearnedRouter
from tierline.evaluation.routers.routing import Evaluated
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.routers.task_mean import TaskMeanRouter
from tierline.evaluation.training.card import card_of
from tierline.evaluation.training.guard import LEAST_LABELS
from tierline.evaluation.training.learn import Learned, Learning, established, learn
from tierline.evaluation.training.log_texts import is_log, with_log_texts
from tierline.scoring.learned.artifact import encode as encode_artifact
from tierline.scoring.learned.design import design
from tierline.scoring.learned.embed import Embedder
from tierline.types.errors import EvaluationFailure, TierlineError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train_command)


def train_command(
    data: Annotated[list[Path] | None, typer.Option("--data", "-d", help="A file of measured answers; several one after another.")] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Further files, as after --data.")] = None,
    log: Annotated[str, typer.Option(help=f"{LOG}; routes that keep texts, judged answers: its labels.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the scorer is written.")] = None,
    spec: Annotated[Path | None, typer.Option("--spec", "-s", help="Only the models of this spec.")] = None,
    models: Annotated[str, typer.Option(help="Only these models: a,b,c, or `complete`: those measured on every query.")] = "",
    split: Annotated[str, typer.Option(help="Only the rows whose column `split` says so.")] = "",
    folds: Annotated[int, typer.Option(min=2, help="Folds on which the figures are measured.")] = FOLDS,
    keep: Annotated[float, typer.Option(min=0.5, max=1.0, help="Share of the best single model's quality kept where it stands.")] = 0.99,
    sure: Annotated[float, typer.Option(min=0.0, help="Standard errors by which --keep is to be kept on other queries.")] = 0.0,
    least_labels: Annotated[int, typer.Option(min=1, help="A task with fewer judged answers is not routed.")] = LEAST_LABELS,
    embed: Annotated[
        bool, typer.Option("--embed", help="Read texts with embeddings too (the extra `embed`): slower, better on intents.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of folds and resamples: the same seed gives the same file.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples of every interval.")] = RESAMPLES,
    licence: Annotated[str, typer.Option(help="The licence of the data, for the card.")] = "",
    trust: Annotated[
        list[str] | None, typer.Option(help="--log: SOURCE=0…1, how far its labels are trusted; `tierline labels` lists them.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole evaluation here.")] = None,
    html: Annotated[Path | None, typer.Option("--report", help="Write the figures as one HTML page.")] = None,
    card: Annotated[Path | None, typer.Option(help="Train nothing: print the card of this scorer.")] = None,
) -> None:
    """Train a scorer on a table of query × model → score and cost, and measure it on queries that it has not seen.

    Each figure comes from folds: trained on the others, measured on the one. Tasks on which it is not shown to beat a coin of the same cost
    are marked `route: false`; there the scorer abstains. A model with only 20 to 50 answers of its own is learned beside the others.

    Example: `tierline train --data answers.parquet --spec tierline.yaml --out scorer.tl`
    """
    try:
        if card is not None:
            train_view.show_card(Screen(), read_scorer(card))
            return
        if out is None:
            raise EvaluationFailure("say where the scorer goes: --out scorer.tl")
        if not (data or more or log):
            raise EvaluationFailure("nothing to train on: give --data FILE or --log DB")
        narrowed = None if spec is None else SpecRouter(load(spec, need_secrets=False))
        how = Reading(
            models=tuple(name.strip() for name in models.split(",") if name.strip()),
            split=split,
            text=True,
            choose=None if narrowed is None else lambda there: list(dict.fromkeys(narrowed.matched(there).values())),
            sparse=True,
            logs=OfLogs(learning=True, trust=parse(trust or [])),
        )
        learning, settings = Learning(seed, keep, least_labels, embed, sure), Settings(seed, folds, resamples, ("learned",))
        with as_file(log) if log else nullcontext() as logged:
            files = [*(data or []), *(more or []), *([] if logged is None else [logged])]
            document, learned = _train(files, how, learning, settings, licence)
        _write(out, encode_artifact(learned.artifact))
        if json_out is not None:
            json_out.write_bytes(encode(document))
        if html is not None:
            html.write_text(report(document, title="A trained scorer", made=made()), encoding="utf-8")
        _show(document, learned, out)
    except (TierlineError, OSError) as error:
        typer.echo(f"tierline train: {error}", err=True)
        raise typer.Exit(2) from None


def _train(files: Sequence[Path], how: Reading, learning: Learning, settings: Settings, licence: str) -> tuple[Document, Learned]:
    """The figures by folds, and the scorer trained on everything, with its card."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Screen(stderr=True), transient=True) as bars:
        steps: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in steps:
                steps[what] = bars.add_task(what, total=total)
            bars.update(steps[what], completed=done, total=total)

        progress("reading the data", 0, 1)
        dataset = with_log_texts(read(files, how), [path for path in files if is_log(path)])
        progress("reading the data", 1, 1)
        table = dataset.table
        if table.text is None or not any(table.text):
            raise EvaluationFailure("training needs prompts, and the data have none")
        fits = CrossFit(learning)
        routers: list[Evaluated] = [TaskMeanRouter(), LearnedRouter(fits, guard=False, name="unguarded"), LearnedRouter(fits)]
        document = evaluate(_measurable(dataset), routers, settings, progress)
        learned = learn(table, design(table.text, progress, Embedder() if learning.embed else None), learning, progress)
    heard = None if dataset.logged is None else dataset.logged.heard
    card = card_of(learned, table, document, learning, _today(), [path.name for path in files], licence, heard)
    artifact = msgspec.structs.replace(learned.artifact, card=msgspec.to_builtins(card))
    return document, msgspec.structs.replace(learned, artifact=artifact)


def _measurable(dataset: Dataset) -> Dataset:
    """The data without models that too few queries measured: they are learned, but nothing can be said of them yet."""
    table = dataset.table
    if not dataset.comparable:
        return dataset
    kept = table.only(established(table))
    if not kept.complete.any():
        raise EvaluationFailure("no query was measured on all models that most queries measured: name fewer with --models")
    return msgspec.structs.replace(dataset, table=kept)


def _show(document: Document, learned: Learned, out: Path) -> None:
    console = Screen()
    evaluate_view.show(console, document)
    train_view.verdicts(console, {name: msgspec.to_builtins(one) for name, one in learned.verdicts.items()})
    size = out.stat().st_size / 1024**2
    console.print(f"\nwrote {out} ({size:.1f} MB); `tierline train --card {out}` prints its card", markup=False, highlight=False)


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a gateway may be reading the file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as made:
        made.write(content)
    Path(made.name).chmod(0o644)
    Path(made.name).replace(path)


def _today() -> str:
    """The date in UTC; SOURCE_DATE_EPOCH, where it is set, makes a build repeatable."""
    at = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.datetime.fromtimestamp(int(at), datetime.UTC) if at else datetime.datetime.now(datetime.UTC)
    return moment.date().isoformat()
