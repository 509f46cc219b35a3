"""A command's document as JSON, for programs: in a file, or alone on standard output."""

from __future__ import annotations

from pathlib import Path

import msgspec
import typer


def on_stdout(where: Path | None) -> bool:
    """Whether the document is to have standard output for itself (`-`); what is for people then goes to the error stream or nowhere."""
    return str(where) == "-"


def hand_over(document: msgspec.Struct, where: Path | None) -> None:
    """Writes the document, indented; None writes nothing."""
    if where is None:
        return
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    if on_stdout(where):
        typer.echo(text.decode())
    else:
        where.write_bytes(text + b"\n")
