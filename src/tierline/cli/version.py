"""`tierline version`."""

from __future__ import annotations

import json
import platform

import typer

from tierline import __version__


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)


def version(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Print the version of Tierline and of the Python it runs on."""
    if as_json:
        typer.echo(json.dumps({"tierline": __version__, "python": platform.python_version()}))
    else:
        typer.echo(f"tierline {__version__} (Python {platform.python_version()})")
