"""`tierline alerts`: what is watched and has moved, and what a look at a log brings to light."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tierline.cli.log_source import LOG, named
from tierline.cli.terminal import local_time, refusing, terminal
from tierline.config.check_alerts import NAMES
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.opening import open_reader
from tierline.evaluation.watching.watcher import Watcher, first_hour
from tierline.ledger.alerts import State
from tierline.ledger.reader import LedgerReader
from tierline.types.alert import Alert
from tierline.watch.past import HOUR

MOST = 1000
"""Alerts that are listed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(alerts)


def alerts(
    word: Annotated[str | None, typer.Argument(metavar="[check]", help="`check` looks at the log now, and writes nothing.")] = None,
    log: Annotated[str, typer.Option("--log", help=f"{LOG}; the alerts are in it too.")] = "",
    config: Annotated[Path | None, typer.Option(help="The spec to take the log from, and for check what is watched.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List those that are over too.")] = False,
    at: Annotated[str, typer.Option(help="check: the moment to look at, e.g. 2026-11-20T14:00 (UTC); now if left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the alerts that are open, or look at a log for what the spec watches (everything, if it watches nothing). With `check` the exit
    code is 1 where something has moved.

    Examples: `tierline alerts`, `tierline alerts --all --json`, `tierline alerts check --config tierline.yaml --at 2026-11-20T14:00`"""
    with refusing("alerts"):
        if word not in (None, "check"):
            raise ValueError(f"there is no {word!r} here: `tierline alerts` lists, `tierline alerts check` looks")
        where = named(log, config)
        if word is None:
            _show(_listed(where, "all" if every else "open"), as_json, "there never was an alert" if every else "no alert is open")
            return
        if config is None:
            raise ValueError("say what is watched: --config tierline.yaml")
        found = _checked(load(config, need_secrets=False), where, _moment(at) if at else time.time())
    _show(found, as_json, "nothing has moved")
    raise typer.Exit(1 if found else 0)


def _listed(log: str, state: State) -> Sequence[Alert]:
    with closing(LedgerReader(log)) as ledger:
        kept = ledger.alerts()
        return [] if kept is None else kept.list(state, MOST)


def _checked(loaded: Loaded, where: str, now: float) -> Sequence[Alert]:
    """What a look at `now` brings, every alert as if none was open. Prices come from the hours that a gateway has kept beside the log."""
    if not loaded.spec.alerts.watch:
        watched = msgspec.structs.replace(loaded.spec.alerts, watch=list(NAMES))
        loaded = msgspec.structs.replace(loaded, spec=msgspec.structs.replace(loaded.spec, alerts=watched))
    watcher = Watcher(loaded, _hours(where, now))
    with closing(open_reader(where)) as reader:
        watcher.catch_up(reader, now, busy=float("inf"))
        return watcher.look(reader, (), {}, (), now).raised


def _hours(log: str, now: float) -> Sequence[tuple[int, bytes]]:
    with closing(LedgerReader(log)) as ledger:
        kept = ledger.alerts()
        return [] if kept is None else [hour for hour in kept.hours(first_hour(now)) if (hour[0] + 1) * HOUR <= now]


def _moment(written: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"--at {written!r} is no moment: write 2026-11-20T14:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _show(found: Sequence[Alert], as_json: bool, none: str) -> None:
    if as_json:
        typer.echo(json.dumps({"alerts": msgspec.to_builtins(list(found))}))
        return
    console = terminal()
    for alert in found:
        over = "" if alert.recovered is None else f", over {local_time(alert.recovered)}"
        console.print(
            f"[bold]{alert.watch}[/bold] {alert.subject or 'all requests'}: raised {local_time(alert.raised)}{over}", highlight=False
        )
        console.print(f"  {alert.what} ({min(alert.sure, 0.9999):.2%} sure)", highlight=False, markup=False)
        if alert.requests:
            console.print(f"  shown by {', '.join(alert.requests)}", highlight=False, markup=False)
        console.print(f"  → {alert.todo}", highlight=False, markup=False)
    if not found:
        console.print(none)
