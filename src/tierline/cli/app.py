"""The command line: one module a command, and only the one that is asked for is imported, so that every command starts quickly."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer
from typer.models import CommandInfo, TyperInfo

COMMANDS: dict[str, str] = {
    "demo": "tierline.cli.demo",
    "serve": "tierline.cli.serve",
    "check": "tierline.cli.check",
    "explain": "tierline.cli.explain",
    "log": "tierline.cli.log",
    "collect": "tierline.cli.collect",
    "evaluate": "tierline.cli.evaluate",
    "train": "tierline.cli.train",
    "replay": "tierline.cli.replay",
    "estimate": "tierline.cli.estimate",
    "discover": "tierline.cli.discover",
    "simulate": "tierline.cli.simulate",
    "sweep": "tierline.cli.sweep",
    "experiments": "tierline.cli.experiments",
    "propose": "tierline.cli.propose",
    "release": "tierline.cli.release",
    "pin": "tierline.cli.pin",
    "keys": "tierline.cli.keys",
    "audit": "tierline.cli.audit",
    "alerts": "tierline.cli.alerts",
    "review": "tierline.cli.review",
    "labels": "tierline.cli.labels",
    "schema": "tierline.cli.schema",
    "import": "tierline.cli.import_",
    "catalogue": "tierline.cli.catalogue",
    "version": "tierline.cli.version",
}
"""Command → the module whose `register(app)` adds it."""

PANELS: dict[str, tuple[str, ...]] = {
    "Begin": ("demo", "check", "explain", "schema", "import", "catalogue", "version"),
    "Run": ("serve", "release", "log", "alerts", "review", "pin", "keys", "audit"),
    "Measure": ("collect", "labels", "evaluate", "train", "replay", "estimate", "discover", "simulate", "sweep", "experiments", "propose"),
}
"""How the help lists the commands."""

ANALYSIS = frozenset({"duckdb", "numpy", "scipy"})
"""Packages of the extra `analysis`, which a command may need."""

HELP = """Route each LLM request to the cheapest model that clears its task's quality bar, and measure whether it did.

Start with `tierline demo`. Then write a tierline.yaml, `tierline check` it, and `tierline serve` it.
"""


def build(names: Sequence[str]) -> typer.Typer:
    """The application with the named commands."""
    app = typer.Typer(name="tierline", help=HELP, no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)
    app.callback()(_root)
    for name in names:
        try:
            importlib.import_module(COMMANDS[name]).register(app)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in ANALYSIS:
                raise
            _without_analysis(app, name)
        entries: list[CommandInfo | TyperInfo] = [*app.registered_commands, *app.registered_groups]
        for entry in entries:
            entry.rich_help_panel = entry.rich_help_panel or _panel(name)
    return app


def _panel(name: str) -> str:
    return next((panel for panel, listed in PANELS.items() if name in listed), "Commands")


def _without_analysis(app: typer.Typer, name: str) -> None:
    """Stands in for a command whose extra is not installed: it says how to install it."""

    @app.command(name, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def needs_analysis() -> None:
        """(needs `pip install 'tierline[analysis]'`)"""
        typer.echo(f"tierline {name} needs DuckDB, NumPy and SciPy: pip install 'tierline[analysis]'", err=True)
        raise typer.Exit(2)


def _root() -> None:
    pass


def main() -> None:
    """The entry point of the `tierline` command."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    build([asked] if asked in COMMANDS else list(COMMANDS))()
