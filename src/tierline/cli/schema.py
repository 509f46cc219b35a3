"""`tierline schema`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from tierline.config import presets
from tierline.config.schema import json_schema, reference
from tierline.server import metric_kit
from tierline.server.metrics import metrics_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)


def schema(
    reference_folder: Path | None = typer.Option(
        None, "--reference", metavar="DIR", help="Write the reference pages (spec, providers, metrics) into DIR instead."
    ),
) -> None:
    """Print the JSON Schema of `tierline.yaml`, for editors.

    Example: `tierline schema > tierline.schema.json`, then begin your spec with

    `# yaml-language-server: $schema=tierline.schema.json`
    """
    if reference_folder is None:
        typer.echo(json.dumps(json_schema(), indent=2))
        return
    reference_folder.mkdir(parents=True, exist_ok=True)
    pages = {"spec.md": reference(), "providers.md": presets.page(), "metrics.md": metric_kit.page(metrics_table())}
    for name, text in pages.items():
        page = reference_folder / name
        page.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {page}")
