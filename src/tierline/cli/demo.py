"""`tierline demo`."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from tierline.cli.terminal import progressing, terminal
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.demo import show as showing
from tierline.demo.drive import Sent, explain_all, send_all
from tierline.demo.folder import LOG, write_demo
from tierline.demo.report import Report, report
from tierline.demo.truth import Truth
from tierline.demo.workload import Prompt, generate
from tierline.testing.serving import HOST, NotServing, Served, free_port, serving
from tierline.types.record import Record

PORT = 4100
CONCURRENCY = 24
WIDTH = 120
EXPLAINED = ("where is my order", "angry customer", "policy question")
"""The families of which one decision each is explained."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    requests: int = typer.Option(300, min=10, max=5000, help="How many requests to send."),
    port: int = typer.Option(0, min=0, max=65535, help=f"Where the gateway listens; 0 takes {PORT}, or a free one if that is taken."),
    folder: Path | None = typer.Option(None, help="Where spec and log are written; a temporary folder if left out."),
    exit_after: bool = typer.Option(False, "--exit", help="Stop after the report instead of leaving the gateway up."),
    as_json: bool = typer.Option(False, "--json", help="Print the figures as JSON, and stop."),
) -> None:
    """See it work: a gateway with a scripted fleet, a support desk's mixed day through it, and what went where.

    Nothing leaves this machine and no key is needed. **Example:** `tierline demo --requests 500`, then the `curl` line that it prints.
    """
    console = terminal(errors=as_json, width=WIDTH)
    with tempfile.TemporaryDirectory(prefix="tierline-demo-") as temporary:
        home = folder or Path(temporary)
        spec = write_demo(home)
        try:
            with serving(spec, port=port or _port()) as gateway:
                console.print(f"gateway ready at {gateway.url} after {gateway.started_in:.2f} s; its spec is {spec}", soft_wrap=True)
                _run(console, gateway, home, requests, as_json)
                if not (exit_after or as_json):
                    showing.show_next(console, gateway.url, spec, sys.argv[0] if sys.argv[0].endswith("/tierline") else "tierline")
                    _wait()
        except NotServing as error:
            typer.echo(f"tierline demo: {error}", err=True)
            raise typer.Exit(1) from None


def _run(console: Console, gateway: Served, home: Path, requests: int, as_json: bool) -> None:
    prompts = generate(requests)
    began = time.perf_counter()
    sent = _send(console, gateway.url, prompts)
    took = time.perf_counter() - began
    loaded = load(home / "tierline.yaml")
    scored = asyncio.run(Truth(loaded).score(sent, _records(home / LOG, len(sent))))
    told: Report = report(scored, loaded.spec.tiers, took)
    if as_json:
        typer.echo(msgspec.json.encode(told))
        return
    console.print(f"{len(sent)} requests in {took:.1f} s\n")
    showing.show(console, told)
    chosen = [next(prompt for prompt in prompts if prompt.family == family) for family in EXPLAINED]
    showing.show_explained(console, list(zip(chosen, explain_all(gateway.url, chosen), strict=True)))


def _send(console: Console, url: str, prompts: Sequence[Prompt]) -> list[Sent]:
    with progressing(console, "sending a support desk's day", len(prompts)) as progress:
        return send_all(url, prompts, CONCURRENCY, lambda _: progress(1))


def _records(log: Path, count: int, within: float = 10.0) -> dict[str, Record]:
    """The rows by request id, once the log's writer has caught up with `count` of them; `within` is in seconds."""
    reader = LogReader(log)
    try:
        until = time.monotonic() + within
        while reader.count() < count and time.monotonic() < until:
            time.sleep(0.05)
        return {record.decision.request_id: record for record in reader.records()}
    finally:
        reader.close()


def _port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError:
            return free_port()
    return PORT


def _wait() -> None:
    """Until Ctrl-C or a polite kill."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        typer.echo("\nstopping")
