"""Which log a command reads: a file, a database, or whichever of them a spec names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import typer

from tierline.cli.terminal import refusing
from tierline.config import document, environment
from tierline.config.spec import DecisionLogSpec
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.postgres.connection import is_address
from tierline.types.errors import LogFailure

LOG = "The decision log: its file, or the postgresql:// address of its database"
"""How the option `--log` is told of in every command."""

SPEC = Path("tierline.yaml")
"""The spec that says where the log is, where none is named."""


def named(log: str, config: Path | None) -> str:
    """Where to read: what `--log` says, else what the spec says (its database, or that one's replica). Where no spec is named it is the
    one in this folder; without one, the default path."""
    spec = _spec(config)
    return log or (DecisionLogSpec().path if spec is None else configured(spec))


def written(log: str, config: Path | None) -> str:
    """Where to write to the ledger: as above, but never a replica; a file must be there. Raises LogFailure."""
    spec = _spec(config)
    where = log or (DecisionLogSpec().path if spec is None else ledger_of(spec))
    if not is_address(where) and not Path(where).is_file():
        raise LogFailure(f"there is no decision log at {where}: give its path or address with --log, or the spec with --config")
    return where


def _spec(config: Path | None) -> Path | None:
    return SPEC if config is None and SPEC.exists() else config


@contextmanager
def opened(log: str, config: Path | None) -> Iterator[LogReader]:
    """The log to read; what goes wrong is said on one line, with exit code 2. `log` is a path or an address, empty: as
    `named` says."""
    try:
        with refusing("log"):
            if log and config is not None:
                raise LogFailure("give --log or --config, not both")
            with closing(open_reader(named(log, config))) as reader:
                yield reader
    except BrokenPipeError:
        raise typer.Exit(0) from None


def ledger_of(config: Path) -> str:
    """Where a spec's ledger is, for those who write to it: its database, else its file. Raises LogFailure."""
    return configured(config, ("url",))


def configured(config: Path, names: tuple[str, ...] = ("read_url", "url")) -> str:
    """Where a spec's log is read, without the need for its other secrets: its database (or that one's replica), else its file."""
    source = document.read(config)
    if source.problems and not source.data:
        raise LogFailure(str(source.problems[0]))
    section = source.data.get("decision_log")
    said = section if isinstance(section, dict) else {}
    for name in names:
        if said.get(name):
            url = environment.filled(str(said[name]), os.environ)
            if environment.has_placeholder(url):
                raise LogFailure(f"decision_log.{name} is {said[name]}, which is not set: set it, or give --log with the local file")
            return url
    return str(config.parent / environment.filled(str(said.get("path") or DecisionLogSpec().path), os.environ))
