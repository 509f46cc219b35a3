"""The command line: one module a command, and only the one that is asked for is imported, so that every command starts quickly."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import typer

COMMANDS: dict[str, str] = {
    "demo": "tierline.cli.demo",
    "serve": "tierline.cli.serve",
    "check": "tierline.cli.check",
    "explain": "tierline.cli.explain",
    "log": "tierline.cli.log",
    "replay": "tierline.cli.replay",
    "simulate": "tierline.cli.simulate",
    "sweep": "tierline.cli.sweep",
    "pin": "tierline.cli.pin",
    "schema": "tierline.cli.schema",
    "import": "tierline.cli.import_",
    "catalogue": "tierline.cli.catalogue",
    "version": "tierline.cli.version",
}
"""Command → the module whose `register(app)` adds it."""

HELP = """Route each LLM request to the cheapest model that clears its task's quality bar, and measure whether it did.

Start with `tierline demo`. Then write a tierline.yaml, `tierline check` it, and `tierline serve` it.
"""


def build(names: Sequence[str]) -> typer.Typer:
    """The application with the named commands."""
    app = typer.Typer(name="tierline", help=HELP, no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)
    app.callback()(_root)
    for name in names:
        importlib.import_module(COMMANDS[name]).register(app)
    return app


def _root() -> None:
    pass


def main() -> None:
    """The entry point of the `tierline` command."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    build([asked] if asked in COMMANDS else list(COMMANDS))()
