"""`tierline pin`: in an incident, set a route to one model for a time."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Annotated, Any

import typer
from rich.table import Table

from tierline.cli.terminal import Screen, local_time, refusing
from tierline.config.units import Duration
from tierline.types.errors import TierlineError

WAIT = 10.0
"""Seconds to wait for the gateway."""

_PATH = "/admin/pins"


class AdminFailure(TierlineError):
    """The gateway did not do what was asked; the message says why."""


class Admin:
    """The pins of a running gateway, through its admin API."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        if urllib.parse.urlsplit(self._url).scheme not in ("http", "https"):
            raise AdminFailure(f"{url!r} is no address of a gateway: write http://host:port")
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})

    def pin(self, route: str, model: str, seconds: float, why: str) -> dict[str, Any]:
        """Pin a route; returns the pin."""
        return self._ask("POST", _PATH, {"route": route, "model": model, "for": seconds, "why": why})

    def pins(self) -> list[dict[str, Any]]:
        """The pins that hold now."""
        return list(self._ask("GET", _PATH).get("pins", ()))

    def end(self, route: str) -> None:
        """End a route's pin."""
        self._ask("DELETE", f"{_PATH}/{urllib.parse.quote(route, safe='')}")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)  # noqa: S310  # the scheme is checked above
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as reply:  # noqa: S310  # the same
                found = json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                raise AdminFailure(_refusal(error.code, error.read())) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise AdminFailure(
                f"no gateway answers at {self._url} ({getattr(error, 'reason', error)}): is it running? give its --url"
            ) from None
        except ValueError:
            raise AdminFailure(f"what answers at {self._url} is no Tierline gateway: give the gateway's --url") from None
        return found if isinstance(found, dict) else {}


def _refusal(status: int, body: bytes) -> str:
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = ""
    hints = {401: "give an admin key with --key or TIERLINE_ADMIN_KEY", 403: "the key needs the scope `admin`"}
    return ": ".join(part for part in (f"the gateway refused ({status})", said, hints.get(status, "")) if part)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pin)


def pin(
    route: Annotated[str, typer.Argument(help="The route to pin, e.g. auto.")] = "",
    model: Annotated[str, typer.Argument(help="The model, by its name in the spec.")] = "",
    lasting: Annotated[str, typer.Option("--for", help="How long: 30m, 1h. It ends by itself.")] = "1h",
    why: Annotated[str, typer.Option(help="The reason, for those who read the audit trail.")] = "",
    show: Annotated[bool, typer.Option("--list", help="Show the pins that hold now.")] = False,
    end: Annotated[str, typer.Option(metavar="ROUTE", help="End this route's pin now.")] = "",
    url: Annotated[str, typer.Option(envvar="TIERLINE_URL", help="The running gateway.")] = "http://127.0.0.1:8080",
    key: Annotated[str, typer.Option(envvar="TIERLINE_ADMIN_KEY", help="An admin key; better in the environment than on the line.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send a route's requests to one model for a time, whatever its rules say. Governance, capability and budget checks still apply.

    Examples: `tierline pin auto sonnet --for 1h --why "mini is failing"`, `tierline pin --list`, `tierline pin --end auto`"""
    with refusing("pin"):
        admin = Admin(url, key)
        if show:
            _show(admin.pins(), as_json)
        elif end:
            admin.end(end)
            typer.echo(json.dumps({"ended": end}) if as_json else f"the pin of route {end} has ended")
        else:
            seconds = _lasting(route, model, lasting, why)
            made = admin.pin(route, model, seconds, why)
            until = local_time(made.get("until", time.time() + seconds))
            typer.echo(json.dumps(made) if as_json else f"route {route} is pinned to {model} until {until}")


def _lasting(route: str, model: str, lasting: str, why: str) -> float:
    if not route or not model:
        raise ValueError('name a route and a model: tierline pin auto sonnet --for 1h --why "mini is failing"')
    if not why:
        raise ValueError("say why with --why: it stands in the audit trail")
    seconds = Duration.parse(lasting)
    if seconds <= 0:
        raise ValueError("--for must be longer than nothing")
    return float(seconds)


def _show(pins: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"pins": pins}))
        return
    if not pins:
        typer.echo("no route is pinned")
        return
    table = Table()
    for name in ("route", "model", "until", "by", "why"):
        table.add_column(name)
    for found in pins:
        table.add_row(
            *(str(found.get(name, "")) for name in ("route", "model")),
            local_time(found.get("until", 0.0)),
            *(str(found.get(name, "")) for name in ("by", "why")),
        )
    Screen().print(table)
