"""A gateway of its own process for tests, benchmarks and demos: `with serving("tierline.yaml") as gateway: ...`."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

HOST = "127.0.0.1"
READINESS = "/health/readiness"


class Served(msgspec.Struct, frozen=True):
    """A running gateway: its address (without `/v1`), its process id and the seconds it took until it was ready."""

    url: str
    pid: int
    started_in: float


class NotServing(RuntimeError):
    """A server ended, or was not ready in time; the message holds the last lines it wrote."""


@contextlib.contextmanager
def serving(spec: Path | str, *, port: int = 0, ready_within: float = 30.0, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Runs `tierline serve` with this spec on loopback until the block ends; then stops it and waits for its drain.

    `port` 0 takes a free one; `ready_within` is in seconds. Raises NotServing."""
    port = port or free_port()
    command = [sys.executable, "-m", "tierline", "serve", "--config", str(spec), "--host", HOST, "--port", str(port)]
    with tempfile.TemporaryFile() as written:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603  # our own command
            command, stdout=written, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, start_new_session=True
        )
        try:
            wait_until_ready(process, port, ready_within, written)
            yield Served(f"http://{HOST}:{port}", process.pid, time.monotonic() - began)
        finally:
            _stop(process)


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until_ready(
    process: subprocess.Popen[bytes], port: int, within: float, written: IO[bytes], *, name: str = "the gateway", path: str = READINESS
) -> None:
    """Returns when a GET of `path` on this port of loopback is answered with 200. Raises NotServing with the end of what was `written`
    when the process ends before, or `within` so many seconds nothing answers; `name` is how the message calls it."""
    until = time.monotonic() + within
    while not _is_ready(port, path):
        if process.poll() is not None:
            raise NotServing(f"{name} ended with exit code {process.returncode}:\n{_tail(written)}")
        if time.monotonic() > until:
            raise NotServing(f"{name} is not ready on port {port}:\n{_tail(written)}")
        time.sleep(0.02)


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tail(written: IO[bytes], size: int = 3000) -> str:
    written.seek(0)
    return written.read()[-size:].decode(errors="replace")


def _stop(process: subprocess.Popen[bytes], drain: float = 15.0) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(drain)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
