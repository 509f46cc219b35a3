"""`tierline catalogue`."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import typer
from rich.table import Table

from tierline.cli.terminal import Screen
from tierline.config.catalogue import Catalogue, Facts, shipped
from tierline.config.catalogue_build import build, write
from tierline.config.problems import did_you_mean
from tierline.types.errors import TierlineError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Prices, windows and capabilities of well-known models.", no_args_is_help=True)
    group.command()(show)
    group.command()(refresh)
    app.add_typer(group, name="catalogue")


def show(
    model: str = typer.Argument(help="The upstream's name of a model, e.g. gpt-5-mini; or provider/name."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show what the catalogue knows of a model, at every provider that serves it under this name.

    Example: `tierline catalogue show gpt-5-mini`
    """
    catalogue = shipped()
    found = _find(catalogue, model)
    if as_json:
        typer.echo(json.dumps([_row(provider, name, facts) for provider, name, facts in found], indent=2))
    elif found:
        _print(catalogue, found)
    if not found:
        known = [name for provider in catalogue.providers for name in catalogue.table(provider)]
        near = did_you_mean(model, known)
        typer.echo(f"the catalogue does not know {model!r}{'; ' + near if near.startswith('did you mean') else ''}", err=True)
        raise typer.Exit(1)


def _find(catalogue: Catalogue, model: str) -> list[tuple[str, str, Facts]]:
    provider, _, name = model.partition("/")
    places = [(provider, name)] if provider in catalogue.providers and name else []
    places += [(provider, model) for provider in catalogue.providers if (provider, model) not in places]
    return [(provider, name, facts) for provider, name in places if (facts := catalogue.find(provider, name)) is not None]


def _row(provider: str, name: str, facts: Facts) -> dict[str, object]:
    return {
        "provider": provider,
        "model": name,
        "price": None if facts.price is None else msgspec.to_builtins(facts.price),
        "price_source": facts.priced_by,
        "context": facts.context,
        "max_output": facts.max_output,
        "capabilities": facts.capabilities,
        "retired": facts.retired,
    }


def _print(catalogue: Catalogue, found: list[tuple[str, str, Facts]]) -> None:
    sources = ", ".join(f"{what} from {where}" for what, where in catalogue.about.sources.items())
    table = Table(caption=f"USD per million tokens; {sources}; made {catalogue.about.made}", caption_justify="left")
    for column in ("provider", "model", "in", "out", "cache read", "window", "answer", "can", "served until"):
        table.add_column(column, overflow="fold")
    for provider, name, facts in found:
        price = facts.price
        prices = (
            ("?", "?", "?")
            if price is None
            else (f"{price.input:g}", f"{price.output:g}", "" if price.cache_read is None else f"{price.cache_read:g}")
        )
        can = "?" if facts.capabilities is None else ", ".join(facts.capabilities)
        table.add_row(provider, name, *prices, f"{facts.context:,}", f"{facts.max_output:,}", can, facts.retired)
    Screen().print(table)


def refresh(
    litellm_json: Path | None = typer.Option(
        None, "--litellm-json", metavar="FILE", help="litellm's model list as JSON, or a wheel of litellm."
    ),
    out: Path | None = typer.Option(None, "--out", metavar="FILE", help="Write here instead of into the installed package."),
) -> None:
    """Make the catalogue anew from `genai-prices` (prices) and litellm's model list (everything else). Reaches no network.

    Example: `pip download litellm --no-deps`, then `tierline catalogue refresh --litellm-json litellm-*.whl`
    """
    try:
        packed = build(litellm_json)
        path = write(packed, out)
    except (TierlineError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    fresh = Catalogue(packed)
    models = sum(len(fresh.table(provider)) for provider in fresh.providers)
    typer.echo(f"wrote {path}: {models} models of {len(fresh.providers)} providers, {len(packed) / 1024:.0f} KB, digest {fresh.digest}")
