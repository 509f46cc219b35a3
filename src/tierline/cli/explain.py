"""`tierline explain`: which model would answer this, and why; or why a logged request went where it went."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from tierline.cli.log_source import LOG, named
from tierline.cli.terminal import Screen
from tierline.config.load import load
from tierline.decision_log.opening import open_reader
from tierline.library import Router
from tierline.postgres.connection import place_of
from tierline.routing.explain import Explanation
from tierline.routing.explain_tools import explain_row
from tierline.routing.router import Router as Decider
from tierline.types.decision import Decision
from tierline.types.errors import LogFailure, RequestError, SpecInvalid
from tierline.types.hints import Hints


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain_command)


def explain_command(
    prompt: Annotated[str, typer.Argument(help="What the user would write; `-` reads it from standard input.")] = "",
    config: Annotated[Path, typer.Option("--config", "-c", help="The spec.")] = Path("tierline.yaml"),
    system: Annotated[str, typer.Option(help="The system prompt.")] = "",
    model: Annotated[str, typer.Option(help="The model name the client would use.")] = "auto",
    task: Annotated[str, typer.Option(help="The task, where the client would name it.")] = "",
    user_tier: Annotated[str, typer.Option(help="The user's tier.")] = "",
    sensitivity: Annotated[str, typer.Option(help="What the client declares, e.g. `pii`.")] = "",
    max_cost: Annotated[float | None, typer.Option(help="Most USD for the request.")] = None,
    logged: Annotated[str, typer.Option("--logged", help="Explain this logged request (its id) instead of a prompt.")] = "",
    log: Annotated[str, typer.Option(help=f"{LOG}, for --logged; if left out, as the spec says.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain a decision in sentences, without calling any model.

    A prompt: `tierline explain -c tierline.yaml "Where is my order 4711?"`

    A logged request: `tierline explain -c tierline.yaml --logged 5f2c9a41d0b37e68 --log tierline.db`
    """
    try:
        if logged:
            decision, told = _of_log(config, named(log, config), logged)
        else:
            text = sys.stdin.read() if prompt == "-" else prompt
            if not text:
                raise typer.BadParameter("give a prompt, `-` for standard input, or --logged ID")
            hints = Hints(task=task, user_tier=user_tier, sensitivity=sensitivity, max_cost=max_cost)
            messages = [{"role": "system", "content": system}] if system else []
            choice = Router.from_file(config).decide([*messages, {"role": "user", "content": text}], model=model, hints=hints)
            decision, told = choice.decision, choice.explanation
    except (SpecInvalid, RequestError, LogFailure) as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps({"decision": msgspec.to_builtins(decision), "explanation": msgspec.to_builtins(told)}, indent=2))
    else:
        _show(decision, told)


def _of_log(config: Path, log: str, request_id: str) -> tuple[Decision, Explanation]:
    with closing(open_reader(log)) as reader:
        record = reader.get(request_id)
    if record is None:
        raise LogFailure(f"{place_of(log)} holds no request {request_id!r}; `tierline log tail` lists the latest")
    router = Decider(load(config, need_secrets=False))
    if record.decision.policy != router.policy.fingerprint:
        typer.echo(
            f"decided under {record.decision.policy}; {config} is now {router.policy.fingerprint}: "
            "reasons are as logged, beliefs and flips as of now",
            err=True,
        )
    return record.decision, explain_row(router, record)


def _show(decision: Decision, told: Explanation) -> None:
    console = Screen()
    console.print(f"[bold]{decision.target or 'no model'}[/bold]  ({told.short})\n")
    for sentence in told.sentences:
        console.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True)
    if told.flips:
        console.print("\n[bold]What would have flipped it[/bold]")
        for flip in told.flips:
            console.print(f"  {flip}", highlight=False, markup=False, soft_wrap=True)
    if told.standing:
        console.print(_table(told))


def _table(told: Explanation) -> Table:
    table = Table("model", "pass rate", "from", "USD a call", title="Who stood", title_justify="left")
    rows: list[tuple[Any, ...]] = sorted(told.standing, key=lambda row: row[3])
    for name, quality, source, cost in rows:
        table.add_row(name, f"{quality:.1%}", source, f"{cost:.6f}")
    return table
