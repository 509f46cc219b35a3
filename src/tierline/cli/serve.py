"""`tierline serve`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import typer

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.gateway.assemble import log_path
from tierline.server.auth import check_bind
from tierline.server.listen import bind
from tierline.server.log_lines import write_as
from tierline.server.mint import has_keys, mint_admin
from tierline.server.serve import Service, run
from tierline.server.workers import supervise
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.server")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    config: Path = typer.Option(Path("tierline.yaml"), "--config", "-c", help="The spec."),
    host: str = typer.Option(
        "127.0.0.1", help="The address to listen on. A public one needs keys: in the spec, by `tierline keys`, or by --mint."
    ),
    port: int = typer.Option(8080, min=0, max=65535, help="The port; 0 takes a free one."),
    workers: int = typer.Option(1, min=1, max=256, help="Processes that answer, each with its own view of load and latency."),
    log: Path | None = typer.Option(None, help="The decision log's file, instead of the spec's `decision_log.path`."),
    mint: bool = typer.Option(False, "--mint", help="Where there is no key yet, make an admin's and write it into a file beside the log."),
) -> None:
    """Run the gateway: an OpenAI client points at it, says `model="auto"`, and each request goes to the cheapest model that clears its bar.

    **Example:** `tierline serve --config tierline.yaml --port 8080`, then
    `curl localhost:8080/v1/chat/completions -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'`

    SIGHUP (or a change of the file) reads the spec again; SIGTERM lets requests in flight finish and stops.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        loaded = load(config, os.environ)
        write_as(loaded.spec.server.log_format)
        path = log or log_path(loaded)
        minted = mint_admin(loaded, path) if mint else None
        check_bind(host, loaded, minted=bool(loaded.keys) or has_keys(loaded, path))
        listener = bind(host, port)
        if minted is not None:
            typer.echo(f"An admin key was made. Its secret is in {minted}, which only you can read; it is shown nowhere else.")
        address = f"http://{host}:{listener.getsockname()[1]}"
        if workers == 1:
            run(Service(listener, os.environ, log), loaded, lambda: _greet(loaded, address, workers))
        else:
            supervise(listener, workers, config, log, lambda: _greet(loaded, address, workers))
    except TierlineError as error:
        typer.echo(f"tierline: {error.message}", err=True)
        raise typer.Exit(2) from None


def _greet(loaded: Loaded, address: str, workers: int) -> None:
    """One line: where, what, under which policy, and what to try; a message like any other where messages are read by programs."""
    programs = loaded.spec.server.log_format == "json"
    for warning in loaded.warnings:
        if programs:
            _logger.warning("%s", warning)
        else:
            typer.echo(f"warning: {warning}", err=True)
    fleet = ", ".join(f"{model.name} ({model.tier})" for model in loaded.models.values())
    many = f", {workers} workers" if workers > 1 else ""
    told = (
        f"Tierline answers at {address}/v1 with {fleet or 'no models'}; policy {loaded.fingerprint}{many}. "
        f'Try: curl {address}/v1/chat/completions -d \'{{"model": "auto", "messages": [{{"role": "user", "content": "Hello"}}]}}\''
    )
    if programs:
        _logger.info("%s", told)
    else:
        typer.echo(told)
