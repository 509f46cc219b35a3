"""Clients that are slow on purpose, and many at once: each is let go in a bounded time, and others are served meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from security.guarded import SECRETS, SPEC, Guarded, read
from server.harness import HOST, serving

LIMITS = "idle_timeout: 1500ms, body_timeout: 1s, max_connections: 40"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + SECRETS["CALLER"].encode() + b"\r\n"


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A gateway that waits for nobody for long."""
    spec = tmp_path_factory.mktemp("brief") / "tierline.yaml"
    spec.write_text(SPEC.replace("drain: 5s", f"drain: 5s, {LIMITS}"))
    with serving(spec, **SECRETS) as running:
        yield Guarded(running)


def outlasted(guarded: Guarded, first: bytes, drip: bytes, within: float) -> tuple[float, bytes]:
    """Seconds until the other end closes, and what it said, for a client that goes on sending a little now and then."""
    began, come = time.monotonic(), b""
    with socket.create_connection((HOST, guarded.running.port), within) as open_:
        open_.sendall(first)
        open_.settimeout(0.1)
        while time.monotonic() - began < within:
            with contextlib.suppress(TimeoutError):
                piece = open_.recv(65536)
                come += piece
                if not piece:
                    break
            with contextlib.suppress(OSError):
                open_.sendall(drip)
    return time.monotonic() - began, come


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"GET /hea", b""),
        (b"GET /health HTTP/1.1\r\nhost: x\r\n", b"x: y\r\n"),
        (b"GET /health/liveness HTTP/1.1\r\n\r\n", b""),
    ],
    ids=["nothing", "half a line", "a header now and then", "idle after an answer"],
)
def test_a_connection_that_sends_no_request_ends(brief: Guarded, first: bytes, drip: bytes) -> None:
    took, _ = outlasted(brief, first, drip, 30.0)
    assert took < 25.0


@pytest.mark.parametrize(
    ("first", "drip"),
    [(HEAD + b"content-length: 6000\r\n\r\n", b"a"), (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n")],
    ids=["with a length", "in chunks"],
)
def test_a_body_that_drips_is_refused_in_time(brief: Guarded, first: bytes, drip: bytes) -> None:
    took, come = outlasted(brief, first, drip, 30.0)
    assert took < 25.0 and come.startswith(b"HTTP/1.1 408") and b"connection: close" in come and b"request_timeout" in come


def test_slow_clients_keep_nobody_else_waiting(brief: Guarded) -> None:
    with contextlib.ExitStack() as held:
        for number in range(30):
            slow = held.enter_context(socket.create_connection((HOST, brief.running.port), 5))
            slow.sendall(HEAD + b"content-length: 6000\r\n\r\n" if number % 2 else b"GET /health HTTP/1.1\r\n")
        began = time.monotonic()
        assert all(brief.lives() for _ in range(5))
        assert time.monotonic() - began < 0.9  # before any of the slow ones was let go


def test_a_flood_of_connections_is_bounded_and_passes(brief: Guarded) -> None:
    fds = Path(f"/proc/{brief.running.process.pid}/fd")
    with contextlib.ExitStack() as held:
        for _ in range(80):
            held.enter_context(socket.create_connection((HOST, brief.running.port), 5))
        time.sleep(0.3)
        assert len([fd for fd in fds.iterdir() if "socket" in str(fd.readlink())]) < 40 + 30
        with socket.create_connection((HOST, brief.running.port), 15) as late:
            late.sendall(b"GET /health/liveness HTTP/1.1\r\nconnection: close\r\n\r\n")
            assert b"alive" in read(late)
    assert brief.lives()


def test_a_slow_body_is_in_no_log_as_an_incident(brief: Guarded) -> None:
    assert "incident" not in brief.running.output
