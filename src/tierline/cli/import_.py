"""`tierline import`."""

from __future__ import annotations

from pathlib import Path

import typer

from tierline.config.import_litellm import convert
from tierline.types.errors import TierlineError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Turn another gateway's configuration into a spec.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(litellm)
    app.add_typer(group, name="import")


def _group() -> None:
    pass


def litellm(
    file: Path = typer.Argument(help="The LiteLLM proxy's config.yaml."),
    output: Path | None = typer.Option(None, "--output", "-o", metavar="FILE", help="Write the spec here instead of printing it."),
    force: bool = typer.Option(False, "--force", help="Overwrite the output if it is there."),
) -> None:
    """Turn a LiteLLM proxy's configuration into a spec; what has no counterpart is listed at its top.

    Example: `tierline import litellm config.yaml -o tierline.yaml`, then `tierline check tierline.yaml`
    """
    try:
        text = convert(file)
    except TierlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if output is None:
        typer.echo(text, nl=False)
        return
    if output.exists() and not force:
        typer.echo(f"{output} is there already: give another name, or --force", err=True)
        raise typer.Exit(2)
    output.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {output}; look through the notes at its top, then: tierline check {output}")
