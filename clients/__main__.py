"""`python -m clients [name...] [--upstream NAME]`: run the clients against every upstream and write docs/compatibility.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from clients import page, roster, upstreams
from clients.ask import ask
from clients.environments import Environment, NotInstalled
from clients.roster import Client
from clients.upstreams import Upstream
from tierline.testing.serving import serving


def main() -> int:
    """Run, write the page, and return 1 where anything failed or could not be installed."""
    arguments = argparse.ArgumentParser(prog="python -m clients", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(client.name for client in roster.CLIENTS)}")
    arguments.add_argument("--upstream", action="append", default=[], help="llmock, aimock or llama.cpp; all that are here if left out")
    told = arguments.parse_args()
    clients = roster.named(told.names)
    with upstreams.running() as every, tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "tierline.yaml"
        spec.write_text(upstreams.spec(every))
        with serving(spec) as gateway:
            wanted = [one for one in every if not told.upstream or one.name in told.upstream]
            rows = [row for client in clients for row in _rows(client, wanted, gateway.url)]
        page.PAGE.write_text(page.render(page.merged(rows)))
    said = [word for row in rows for cell in row.cells.values() for word in cell.values() if not word.startswith("- ")]
    passed, theirs = said.count("ok"), sum(word.startswith(page.UPSTREAMS_OWN) for word in said)
    failed = len(said) - passed - theirs
    print(f"{passed} passed, {failed} failed, {theirs} failed without the gateway too; the table is in docs/{page.PAGE.name}")
    return 1 if failed or {client.name for client in clients} - {row.client for row in rows} else 0


def _rows(client: Client, wanted: list[Upstream], gateway: str) -> list[page.Row]:
    environment = Environment(client.home, client.kind, client.packages)
    try:
        environment.ready()
        version = environment.version
    except NotInstalled as error:
        print(f"{client.name}: not installed: {error}", flush=True)
        return []
    rows = []
    for upstream in wanted:
        cells = {dialect: _cell(client, environment, upstream, dialect, gateway) for dialect in upstream.bases}
        rows.append(page.Row(client.name, version, upstream.name, upstream.version, page.today(), cells))
    return rows


def _cell(client: Client, environment: Environment, upstream: Upstream, dialect: str, gateway: str) -> dict[str, str]:
    refused = {feature: why for feature in client.features if (why := upstream.refuses(client, dialect, feature))}
    features = [feature for feature in client.features if feature not in refused]
    began = time.monotonic()
    found = _asked(client, environment, upstream, features, gateway, upstream.model(dialect))
    found |= _without_gateway(client, environment, upstream, dialect, {one: word for one, word in found.items() if word != "ok"})
    said = " ".join(f"{feature}={'ok' if word == 'ok' else word}" for feature, word in found.items()) or "not offered"
    print(f"{client.name} {environment.version} -> {upstream.name} {dialect} ({time.monotonic() - began:.1f} s): {said}", flush=True)
    return {feature: f"- {refused[feature]}" if feature in refused else found[feature] for feature in client.features}


def _asked(client: Client, environment: Environment, upstream: Upstream, features: list[str], gateway: str, model: str) -> dict[str, str]:
    """What came of the features; tools are a check of their own where the upstream must be told what to call."""
    apart = [feature for feature in features if feature == "tools" and client.calls]
    together = [feature for feature in features if feature not in apart]
    found = ask(client, environment, gateway, model, together, sys.executable) if together else {}
    if apart:
        with upstream.calling(client.calls):
            found |= ask(client, environment, gateway, model, apart, sys.executable)
    return found


def _without_gateway(client: Client, environment: Environment, upstream: Upstream, dialect: str, failed: dict[str, str]) -> dict[str, str]:
    """What failed, marked as the upstream's where the client fails in the same feature when it asks the upstream itself.

    Only a client that speaks the upstream's format can ask it. Gemini is left out: the mocks serve other paths of it than the SDKs ask."""
    if not failed or client.speaks != dialect or dialect == "gemini":
        return failed
    root = upstream.bases[dialect].removesuffix("/v1")
    alone = _asked(client, environment, upstream, list(failed), root, upstream.models[dialect])
    return {feature: said if alone[feature] == "ok" else f"{page.UPSTREAMS_OWN}{said}" for feature, said in failed.items()}


if __name__ == "__main__":
    sys.exit(main())
