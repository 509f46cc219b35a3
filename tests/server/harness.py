"""A gateway in a process of its own, for tests that speak to it over sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tierline.decision_log.sqlite import SqliteLog
from tierline.types.record import Record

HOST = "127.0.0.1"


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


class Running:
    """A gateway that runs: its port, its process, and the folder with its spec and log."""

    def __init__(self, spec: Path, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self.spec, self.process, self.port, self._output = spec, process, port, output

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    @property
    def output(self) -> str:
        return self._output.read_text()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Said:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            return Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def chat(self, model: str = "auto", headers: dict[str, str] | None = None, **more: Any) -> Said:
        body = {"model": model, "messages": [{"role": "user", "content": "What is the capital of France?"}], **more}
        return self.ask("POST", "/v1/chat/completions", body, headers)

    def record(self, decision: str) -> Record:
        """The row of a decision, as soon as the log has it."""
        return until(lambda: next((row for row in self.rows() if row.decision.request_id == decision), None))

    def rows(self) -> list[Record]:
        log = SqliteLog(self.spec.parent / "tierline.db")
        try:
            return list(log.rows())
        finally:
            log.close()

    def text(self, decision: str) -> Any:
        """The prompt and answer that the log keeps of a decision."""
        with contextlib.closing(sqlite3.connect(self.spec.parent / "tierline.db")) as log:
            (body,) = log.execute("SELECT body FROM texts WHERE request_id = ?", (decision,)).fetchone()
        return json.loads(body)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


def until(find: Any, within: float = 30.0) -> Any:
    """What `find` returns as soon as that is neither None nor false."""
    end = time.monotonic() + within
    while not (found := find()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def launch(spec: Path, *more: str, port: int | None = None, **environ: str) -> Running:
    """Start `tierline serve` without waiting for it."""
    port = free_port() if port is None else port
    output = spec.parent / f"output-{port}.txt"
    command = [sys.executable, "-m", "tierline", "serve", "--config", str(spec), "--host", HOST, "--port", str(port), *more]
    with output.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env={**os.environ, **environ})
    return Running(spec, process, port, output)


@contextlib.contextmanager
def serving(spec: Path, *more: str, **environ: str) -> Iterator[Running]:
    """A gateway that is ready, and is stopped at the end."""
    running = launch(spec, *more, **environ)
    try:
        until(lambda: running.process.poll() is not None or "answers at" in running.output)
        assert running.process.poll() is None, running.output
        yield running
    finally:
        running.stop()
