"""`tierline discover`: what is asked, in at most twenty types, and what routing each would save."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tierline.cli import discover_view
from tierline.cli.document import hand_over, on_stdout
from tierline.cli.log import moment
from tierline.cli.log_source import LOG, named
from tierline.cli.made import made
from tierline.cli.terminal import progressing, refusing, terminal
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.discover.asked import Gathered
from tierline.evaluation.discover.discover import STEPS, discover
from tierline.evaluation.discover.document import Discovery
from tierline.evaluation.discover.from_log import MOST, from_log
from tierline.evaluation.discover.from_requests import from_requests
from tierline.evaluation.discover.judgements import NO_ANSWERS, Answers, answers_of
from tierline.evaluation.discover.markdown import to_markdown
from tierline.evaluation.discover.suggest import tasks_yaml
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.report.discovered import discover_report
from tierline.evaluation.routers.spec import SpecRouter
from tierline.postgres.connection import is_address
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("discover")(discover_command)


def discover_command(
    config: Annotated[Path, typer.Option("--config", "-c", help="The spec: prices, bars, and the tasks that there are.")] = Path(
        "tierline.yaml"
    ),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; as the spec says if left out.")] = "",
    requests: Annotated[Path | None, typer.Option("--requests", help="A JSONL file of chat bodies or prompts, in a log's place.")] = None,
    since: Annotated[str, typer.Option(help="Only the log's rows from this time on: 24h, 7d, 2026-11-22.")] = "",
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Measured answers, as for `tierline evaluate`: pass rates by request or task.")
    ] = None,
    most: Annotated[int, typer.Option("--sample", min=100, help="Requests that are drawn where there are more.")] = MOST,
    seed: Annotated[int, typer.Option(help="The same seed gives the same types.")] = 0,
    texts: Annotated[bool, typer.Option("--words/--no-words", help="Group by words where they are kept; never look at them.")] = True,
    suggest: Annotated[Path | None, typer.Option("--suggest", help="Write entries of tasks: for the types that have none here.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the types here.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report here: one HTML file that needs nothing else.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
) -> None:
    """Group logged requests into at most twenty types: share, cost, who answers, how well, and what routing each to the cheapest model
    that clears its bar would save.

    Groups come from features (task, system prompt by its fingerprint, operation, needs, language, length, signals), and from words where
    the log keeps them (`log_text`). Of words only the terms that set a type apart are shown, never one of fewer than five requests. A
    pass rate is measured (labels, checks, `--data`) or assumed (the spec, a prior of the tier), and the table says which.

    Examples: `tierline discover --log tierline.db --suggest tasks.yaml`

    `tierline discover --requests prompts.jsonl --data answers.parquet --html types.html`
    """
    console = terminal(errors=on_stdout(json_out), width=discover_view.WIDTH)
    with refusing("discover"):
        if log and requests is not None:
            raise EvaluationFailure("give --log or --requests, not both")
        loaded = load(config, need_secrets=False)
        if requests is not None:
            gathered = from_requests(Router(loaded), requests, most=most, seed=seed, texts=texts)
        else:
            gathered = _logged(console, named(log, config), since, most, seed, texts)
        answers = _measured(loaded, data or [])
        with progressing(console, "grouping", STEPS) as advance:
            found = discover(loaded, gathered, answers, seed=seed, advance=advance)
        _write(found, suggest, markdown, html)
    hand_over(found, json_out)
    if not on_stdout(json_out):
        discover_view.show(console, found)


def _logged(console: Console, where: str, since: str, most: int, seed: int, texts: bool) -> Gathered:
    which = Filter(since=moment(since, time.time()) if since else 0.0)
    with closing(open_reader(where)) as reader, progressing(console, "reading", reader.count(which)) as advance:
        name = "the log" if is_address(where) else Path(where).name
        return from_log(reader, labels_of(where), which, where=name, most=most, seed=seed, texts=texts, advance=advance)


def _measured(loaded: Loaded, data: list[Path]) -> Answers:
    if not data:
        return NO_ANSWERS
    table = read(data, Reading(sparse=True)).table
    return answers_of(table, SpecRouter(loaded).matched(table.models))


def _write(found: Discovery, suggest: Path | None, markdown: Path | None, html: Path | None) -> None:
    if suggest is not None:
        suggest.write_text(tasks_yaml(found), encoding="utf-8")
    if markdown is not None:
        markdown.write_text(to_markdown(found), encoding="utf-8")
    if html is not None:
        html.write_text(discover_report(found, made()), encoding="utf-8")
