"""`tierline review month`: what a month of traffic came to, by route, and the one route to optimise next."""

from __future__ import annotations

import datetime
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markdown import Markdown

from tierline.cli.log_source import LOG, named
from tierline.cli.made import made
from tierline.cli.terminal import refusing, terminal
from tierline.config.load import load
from tierline.decision_log.opening import open_reader
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.review.month import month_of
from tierline.evaluation.review.monthly import month_markdown, month_report


def month(
    name: Annotated[str, typer.Argument(metavar="[MONTH]", help="The month, as 2026-10; the last whole one if left out.")] = "",
    config: Annotated[Path, typer.Option("--config", "-c", help="The spec.")] = Path("tierline.yaml"),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; as the spec says if left out.")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write a page here.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write Markdown here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Cost, latency, escalations and pass rate by route, against the month before, and the one route to optimise next.

    Example: `tierline review month 2026-10 --html october.html --markdown october.md`"""
    with refusing("review month"):
        loaded, where = load(config, need_secrets=False), named(log, config)
        with closing(open_reader(where)) as reader:
            found = month_of(loaded, reader, labels_of(where), name or _last())
        if html is not None:
            html.write_text(month_report(found, made()), encoding="utf-8")
        if markdown is not None:
            markdown.write_text(month_markdown(found), encoding="utf-8")
        if as_json:
            typer.echo(msgspec.json.encode(found).decode())
        else:
            terminal().print(Markdown(month_markdown(found)))


def _last() -> str:
    return (datetime.date.today().replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")
