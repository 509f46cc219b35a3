"""`tierline estimate`: the worksheet of a spec, and what routing by it will cost, take and be worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierline.cli import estimate_view
from tierline.cli.document import hand_over, on_stdout
from tierline.cli.terminal import refusing, terminal
from tierline.config.load import load
from tierline.evaluation.estimate.fill import worksheet_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("estimate")(estimate_command)


def estimate_command(
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec to estimate.")] = Path("tierline.yaml"),
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the whole document here; `-` is standard output.")] = None,
) -> None:
    """Fill in the worksheet of a spec: for each task its traffic, tokens, pass rate, latency and cost, and where each number came from.

    Nothing is called.

    Example: `tierline estimate --spec tierline.yaml`
    """
    console = terminal(errors=on_stdout(json_out))
    with refusing("estimate"):
        worksheet = worksheet_of(load(spec, need_secrets=False))
    hand_over(worksheet, json_out)
    if not on_stdout(json_out):
        estimate_view.show_worksheet(console, worksheet)
