"""`tierline release`: shadow → canary → publish → rollback, and what holds now."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from tierline.cli.log_source import LOG, ledger_of
from tierline.cli.terminal import local_time, refusing, terminal
from tierline.gateway.canary import CannotRelease
from tierline.gateway.release import Desk, Wish, plain, status_of
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release
from tierline.types.certificate import Certificate

VERBS = ("status", "shadow", "canary", "publish", "rollback")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(release)


def release(
    verb: Annotated[str, typer.Argument(help=f"What to do: {', '.join(VERBS)}.")] = "status",
    candidate: Annotated[Path | None, typer.Argument(help="The candidate's file; if left out, the one that is tried now.")] = None,
    spec: Annotated[Path, typer.Option("--spec", "-s", help="The spec at work: the file that the gateway reads.")] = Path("tierline.yaml"),
    log: Annotated[str, typer.Option("--log", help=f"{LOG}, with the ledger in it; if left out, as the spec says.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate that `tierline propose` wrote; if left out, the one beside the candidate.")
    ] = None,
    share: Annotated[float, typer.Option(help="canary: the share of requests that the candidate answers.")] = 0.05,
    force: Annotated[bool, typer.Option("--force", help="canary, publish: without a certificate; say why.")] = False,
    why: Annotated[str, typer.Option(help="The reason, for those who read the audit trail.")] = "",
    by: Annotated[str, typer.Option(help="Who does it; your user name if left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring a candidate spec to work in stages, each recorded with who and why, and take it back. Running gateways follow within a second.

    Examples: `tierline release shadow candidate.yaml`, `tierline release canary --share 0.05`, `tierline release publish`,
    `tierline release rollback --why "complaints"`, `tierline release status`"""
    with refusing("release"):
        if verb not in VERBS:
            raise ValueError(f"no {verb!r}; it is one of {', '.join(VERBS)}")
        if verb in ("status", "rollback") and candidate is not None:
            raise ValueError(f"{verb} takes no candidate")
        with closing(Ledger(log or ledger_of(spec))) as ledger:
            if verb == "status":
                _show(status_of(ledger), as_json)
                return
            wish = Wish(by or getpass.getuser(), why, _written(candidate), _certificate(candidate, certificate), force)
            made = _done(Desk(ledger, spec, os.environ), verb, wish, share)
    typer.echo(json.dumps(plain(made)) if as_json else _sentence(made))


def _done(desk: Desk, verb: str, wish: Wish, share: float) -> Release:
    if verb == "shadow":
        return desk.shadow(wish)
    if verb == "canary":
        return desk.canary(wish, share)
    return desk.publish(wish) if verb == "publish" else desk.rollback(wish)


def _written(candidate: Path | None) -> str | None:
    return None if candidate is None else candidate.read_text(encoding="utf-8")


def _certificate(candidate: Path | None, given: Path | None) -> Certificate | None:
    """The certificate that is named, else the one beside the candidate, where there is one."""
    beside = None if candidate is None else candidate.with_suffix(".certificate.json")
    path = given or (beside if beside is not None and beside.exists() else None)
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Certificate)
    except msgspec.MsgspecError as error:
        raise CannotRelease(f"{path} is no certificate ({error}): make one with `tierline propose`") from None


def _sentence(made: Release) -> str:
    match made.stage:
        case "shadow":
            return f"{made.candidate} decides beside {made.before} from now on, and answers nobody: see `tierline release status`"
        case "canary":
            return f"{made.candidate} answers {made.share:.1%} of the traffic from now on; its guards stop it where it is worse"
        case "stopped":
            return f"the trial of {made.candidate} is over; {made.before} answers everything"
        case "published":
            return f"{made.candidate} is at work in the place of {made.before}, and is watched"
    return f"{made.candidate} is at work again in the place of {made.before}"


def _show(status: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(status))
        return
    console = terminal()
    at_work, trial = status["at_work"], status["trial"]
    if at_work is None:
        console.print("no gateway has run with this ledger yet")
        return
    console.print(f"at work: [bold]{at_work['candidate']}[/bold], {at_work['stage']} {local_time(at_work['at'])} by {at_work['by']}")
    if trial is not None:
        more = f" with {trial['share']:.1%}" if trial["stage"] == "canary" else ""
        console.print(
            f"tried:   [bold]{trial['candidate']}[/bold] in {trial['stage']}{more} since {local_time(trial['at'])} by {trial['by']}"
        )
    if status["rehearsed"]:
        _show_rehearsed(console, status["rehearsed"])
    table = Table(title="history, the newest first")
    for column in ("when", "stage", "candidate", "before", "share", "by", "why"):
        table.add_column(column)
    for one in status["history"]:
        share = f"{one['share']:.1%}" if one["share"] else ""
        cells = (one["stage"], one["candidate"], one["before"], share, one["by"], one["why"])
        table.add_row(local_time(one["at"]), *cells)
    console.print(table)


def _show_rehearsed(console: Any, rehearsed: list[Mapping[str, Any]]) -> None:
    total = sum(one["requests"] for one in rehearsed)
    changed = sum(one["requests"] for one in rehearsed if one["model"] != one["candidate"])
    table = Table(title=f"decided beside: {total} requests, {changed} of them otherwise")
    for column in ("task", "at work", "candidate", "requests", "USD expected", "by the candidate"):
        table.add_column(column)
    for one in rehearsed:
        said = (one["task"] or "-", one["model"] or "(nobody)", one["candidate"] or "(refuses)", str(one["requests"]))
        table.add_row(*said, f"{one['cost']:.6f}", f"{one['candidate_cost']:.6f}")
    console.print(table)
