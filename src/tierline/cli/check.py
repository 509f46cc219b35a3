"""`tierline check`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer
from rich.table import Table

from tierline.cli.terminal import Screen
from tierline.config.load import examine_file
from tierline.config.loaded import Loaded
from tierline.types.catalog import Model
from tierline.types.errors import Problem


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    file: Path = typer.Argument(Path("tierline.yaml"), help="The spec."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON: problems, and a summary of a spec that holds."),
    need_secrets: bool = typer.Option(False, "--need-secrets", help="Also report environment variables that are not set."),
) -> None:
    """Check a spec and print every problem at once; no secrets are needed.

    Each line says `file:line: path: reason → suggestion`. Exits 1 when the spec would be refused.

    Example: `tierline check tierline.yaml`
    """
    problems, loaded = examine_file(file, need_secrets=need_secrets)
    if as_json:
        found = [msgspec.to_builtins(problem) for problem in problems]
        typer.echo(json.dumps({"ok": loaded is not None, "problems": found, "spec": None if loaded is None else _facts(loaded)}, indent=2))
    else:
        _print_problems(problems)
        if loaded is not None:
            _print_summary(loaded)
    raise typer.Exit(0 if loaded is not None else 1)


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        typer.echo(f"{problem.severity}: {problem}" if problem.severity == "warning" else str(problem), err=False)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    if problems:
        typer.echo(f"\n{_count(errors, 'problem')}, {_count(warnings, 'warning')}\n")


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _facts(loaded: Loaded) -> dict[str, object]:
    models = {
        name: {**msgspec.to_builtins(model), "price": msgspec.to_builtins(model.price) if model.price.known else None}
        for name, model in loaded.models.items()
    }
    return {
        "fingerprint": loaded.fingerprint,
        "parts": loaded.parts,
        "models": models,
        "tasks": sorted(loaded.spec.tasks),
        "routes": sorted({"auto", *loaded.spec.routes}),
        "keys": sorted(loaded.spec.keys),
    }


def _print_summary(loaded: Loaded) -> None:
    table = Table(title=f"{loaded.path}: fine", title_justify="left", caption="USD per million tokens", caption_justify="left")
    for column in ("model", "tier", "upstream", "in", "out", "window", "can"):
        table.add_column(column, justify="right" if column in ("in", "out", "window") else "left", overflow="fold")
    rung = {tier: index for index, tier in enumerate(loaded.spec.tiers)}
    for model in sorted(loaded.models.values(), key=lambda m: (rung[m.tier], m.name)):
        can = ", ".join(word for word in model.capabilities if word != "chat")
        table.add_row(
            model.name,
            model.tier,
            f"{model.provider}/{model.upstream}",
            *_price(model),
            f"{model.context:,}" if model.context else "?",
            can,
        )
    console = Screen()
    console.print(table)
    console.print("tasks: " + (", ".join(sorted(loaded.spec.tasks)) or "none"), highlight=False)
    console.print("routes: " + ", ".join(sorted({"auto", *loaded.spec.routes})), highlight=False)
    console.print(f"fingerprint: {loaded.fingerprint}", highlight=False)


def _price(model: Model) -> tuple[str, str]:
    return (f"{model.price.input:g}", f"{model.price.output:g}") if model.price.known else ("?", "?")
