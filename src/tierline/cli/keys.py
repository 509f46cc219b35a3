"""`tierline keys`: make, show, rotate and revoke keys beside those of the spec. A running gateway follows within a second."""

from __future__ import annotations

import getpass
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Literal, cast

import msgspec
import typer
from rich.table import Table

from tierline.cli.log_source import LOG, ledger_of
from tierline.cli.terminal import local_time, refusing, terminal
from tierline.config.load import load
from tierline.config.resolve import PERIODS
from tierline.config.units import Duration
from tierline.ledger.key_check import check_given
from tierline.ledger.keys import CannotKeep, Given, Kept, Scope
from tierline.ledger.ledger import Ledger
from tierline.types.access import Rate

HELP = """Make, show, rotate and revoke keys, beside those of the spec. They are kept beside the decision log, in its file or in the
database that replicas share, hashed.

A running gateway follows within a second. Every change stands in the audit trail (`tierline audit`). From the first key on nobody gets in
without one, so begin with an admin's.

Examples: `tierline keys create ops --admin`, `tierline keys create ci --owner ada --model mini --requests 60 --expires 90d`
"""

keys_app = typer.Typer(name="keys", help=HELP, no_args_is_help=True, rich_markup_mode="markdown")

Config = Annotated[Path, typer.Option("--config", "-c", help="The spec: its names are checked, and it says where the log is.")]
Log = Annotated[str, typer.Option("--log", help=f"{LOG}, instead of the spec's.")]
Name = Annotated[str, typer.Argument(help="The key's name, as logs and audit trail show it.")]
By = Annotated[str, typer.Option(help="Who does it, for the audit trail; your user name if left out.")]
To = Annotated[Path | None, typer.Option("--to", help="Write the secret into this new file, readable by you alone, and print its path.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

SPEC = Path("tierline.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys_app)


@keys_app.command()
def create(
    name: Name,
    scope: Annotated[list[str] | None, typer.Option(help="What it may do: call, read, admin. Several are given one by one.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="All three scopes.")] = False,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    team: Annotated[str, typer.Option(help="The team it belongs to; rules and budgets read it.")] = "",
    model: Annotated[list[str] | None, typer.Option(help="A model it may reach; every one if left out.")] = None,
    route: Annotated[list[str] | None, typer.Option(help="A route it may use; every one if left out.")] = None,
    task: Annotated[str, typer.Option(help="The task of all its requests.")] = "",
    requests: Annotated[int | None, typer.Option(min=1, help="Most requests in a time.")] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens in a time, in and out.")] = None,
    per: Annotated[str, typer.Option(help=f"That time: {', '.join(PERIODS)}.")] = "minute",
    concurrency: Annotated[int | None, typer.Option(min=1, help="Most of its requests at one time.")] = None,
    expires: Annotated[str, typer.Option(help="How long it opens: 12h, 90d; for ever if left out.")] = "",
    by: By = "",
    to: To = None,
    config: Config = SPEC,
    log: Log = "",
    as_json: AsJson = False,
) -> None:
    """Make a key, and show its secret: this once, for only its hash is kept.

    Example: `tierline keys create ci --owner ada --model mini --requests 60 --tokens 20000 --expires 90d`"""
    with refusing("keys"):
        if per not in PERIODS:
            raise CannotKeep(f"--per is one of {', '.join(PERIODS)}, not {per!r}")
        rate = None if requests is None and tokens is None else Rate(requests, tokens, PERIODS[per])
        scopes = _scopes(scope or [], admin=admin)
        given = Given(scopes, owner, team, tuple(route or ()), tuple(model or ()), task, rate, concurrency)
        loaded = load(config, need_secrets=False)
        check_given(name, given, loaded)
        until = time.time() + Duration.parse(expires) if expires else None
        with _ledger(log, config) as ledger, _kept_apart(to) as file:
            first = not (ledger.keys.any() or loaded.spec.keys)
            kept, secret = ledger.keys.create(name, given, by or who(), until)
            _tell(kept, secret, file, as_json=as_json)
            if first and "admin" not in given.scopes and not as_json:
                typer.echo(
                    "From now on every call needs a key. None can administer the gateway yet: tierline keys create ops --admin", err=True
                )


@keys_app.command("list")
def listed(
    ended: Annotated[bool, typer.Option("--all", help="Those that were revoked or have expired too.")] = False,
    config: Config = SPEC,
    log: Log = "",
    as_json: AsJson = False,
) -> None:
    """Show the keys of the ledger, and name those of the spec.

    Example: `tierline keys list --all --json`"""
    with refusing("keys"):
        loaded = load(config, need_secrets=False)
        with _ledger(log, config) as ledger:
            found = ledger.keys.list(ended=ended)
    if as_json:
        typer.echo(json.dumps({"keys": [_shown(kept) for kept in found], "spec": sorted(loaded.spec.keys)}))
        return
    table = Table()
    for column in ("name", "begins with", "scopes", "owner", "team", "reaches", "limits", "state", "until"):
        table.add_column(column, no_wrap=column in ("name", "begins with"))
    for kept in found:
        table.add_row(*_row(kept))
    if found:
        terminal().print(table)
    named = ", ".join(sorted(loaded.spec.keys))
    typer.echo(f"{len(found)} in the ledger" + (f"; in the spec: {named}" if named else "; none in the spec"))


@keys_app.command()
def show(name: Name, config: Config = SPEC, log: Log = "", as_json: AsJson = False) -> None:
    """Show one key with its secrets, as far as they are kept.

    Example: `tierline keys show ci`"""
    with refusing("keys"), _ledger(log, config) as ledger:
        kept = ledger.keys.get(name)
        if kept is None:
            raise CannotKeep(f"the ledger has no key {name!r}: `tierline keys list --all` shows every one")
    if as_json:
        typer.echo(json.dumps(_shown(kept)))
        return
    typer.echo(f"{kept.name}: {kept.state(time.time())}, {', '.join(kept.given.scopes)}; made {local_time(kept.created)} by {kept.by}")
    typer.echo(f"  owner {kept.given.owner or '-'}, team {kept.given.team or '-'}, {_reach(kept)}, {_limits(kept)}")
    for secret in kept.secrets:
        until = "" if secret.until is None else f", opens until {local_time(secret.until)}"
        typer.echo(f"  {secret.prefix}… since {local_time(secret.created)}{until}")
    if kept.expires is not None:
        typer.echo(f"  expires {local_time(kept.expires)}")


@keys_app.command()
def rotate(
    name: Name,
    grace: Annotated[str, typer.Option(help="How long the secret that it has still opens.")] = "24h",
    by: By = "",
    to: To = None,
    config: Config = SPEC,
    log: Log = "",
    as_json: AsJson = False,
) -> None:
    """Give a key another secret; the one it has opens for a grace time.

    Example: `tierline keys rotate ci --grace 1h`"""
    with refusing("keys"), _ledger(log, config) as ledger, _kept_apart(to) as file:
        kept, secret = ledger.keys.rotate(name, Duration.parse(grace), by or who())
        _tell(kept, secret, file, as_json=as_json)


@keys_app.command()
def revoke(name: Name, by: By = "", config: Config = SPEC, log: Log = "", as_json: AsJson = False) -> None:
    """End a key now, for good. Its name stays taken, for the log knows it.

    Example: `tierline keys revoke ci`"""
    with refusing("keys"), _ledger(log, config) as ledger:
        kept = ledger.keys.revoke(name, by or who())
    typer.echo(json.dumps(_shown(kept)) if as_json else f"the key {name} opens nothing any more")


def who() -> str:
    """Who works at this terminal, as the audit trail says it; no key can have such a name."""
    return f"{getpass.getuser()} (cli)"


def _scopes(given: list[str], *, admin: bool) -> tuple[Scope, ...]:
    known: tuple[Literal["call", "read", "admin"], ...] = ("call", "read", "admin")
    if admin:
        return known
    for scope in given:
        if scope not in known:
            raise CannotKeep(f"--scope is one of {', '.join(known)}, not {scope!r}")
    return cast("tuple[Scope, ...]", tuple(dict.fromkeys(given)) or ("call",))


@contextmanager
def _ledger(log: str, config: Path) -> Iterator[Ledger]:
    with closing(Ledger(log or ledger_of(config))) as ledger:
        yield ledger


@contextmanager
def _kept_apart(to: Path | None) -> Iterator[int | None]:
    """A new file that its owner alone may read, there before the key is: a secret that has nowhere to go would be lost."""
    if to is None:
        yield None
        return
    file = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield file
    except BaseException:
        to.unlink()
        raise
    finally:
        os.close(file)


def _tell(kept: Kept, secret: str, file: int | None, *, as_json: bool) -> None:
    """The secret, this once: into the file, or onto the terminal."""
    if file is not None:
        os.write(file, f"{secret}\n".encode())
    if as_json:
        typer.echo(json.dumps({**_shown(kept), **({"secret": secret} if file is None else {})}))
        return
    typer.echo(f"the key {kept.name}: {', '.join(kept.given.scopes)}; {_reach(kept)}; {_limits(kept)}", err=True)
    if file is None:
        typer.echo(secret)
        typer.echo("Keep it now: it is shown this once.", err=True)


def _shown(kept: Kept) -> dict[str, object]:
    return {**msgspec.to_builtins(kept), "state": kept.state(time.time())}


def _row(kept: Kept) -> tuple[str, ...]:
    given, prefixes = kept.given, ", ".join(secret.prefix for secret in kept.secrets)
    until = "-" if kept.expires is None else local_time(kept.expires)
    shown = (kept.name, prefixes or "-", ", ".join(given.scopes), given.owner or "-", given.team or "-", _reach(kept), _limits(kept))
    return (*shown, kept.state(time.time()), until)


def _reach(kept: Kept) -> str:
    given = kept.given
    models, routes = ", ".join(given.models) or "every model", ", ".join(given.routes) or "every route"
    return f"{models} on {routes}" + (f" as {given.task}" if given.task else "")


def _limits(kept: Kept) -> str:
    rate, most = kept.given.rate, kept.given.max_concurrency
    said = [] if most is None else [f"{most} at once"]
    if rate is not None:
        per = next((name for name, seconds in PERIODS.items() if seconds == rate.per), f"{rate.per:g} s")
        said += [f"{number} {what}/{per}" for number, what in ((rate.requests, "requests"), (rate.tokens, "tokens")) if number is not None]
    return ", ".join(said) or "no limit"
