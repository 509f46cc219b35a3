"""The listening socket, and granian's server embedded on it.

The socket is made here and not by granian for two reasons: an inherited socket spreads connections fairly over workers, and
a port that is taken is an error at once (granian shares the port, so that two servers would run side by side unnoticed).
"""

from __future__ import annotations

import errno
import ipaddress
import os
import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from tierline.types.errors import TierlineError

BACKLOG = 2048
SPARE_FILES = 256
"""Open files that are kept for what is no connection of a client: the log, the spec, threads."""
MAX_HEADERS = 64 * 1024
"""Bytes of the request line and all headers; past it the connection is refused with 431."""


class CannotListen(TierlineError):
    """The address cannot be bound: taken, not ours, or not allowed."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises CannotListen and says what to do. Port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {_reason(error, port)}") from None
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _reason(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"the port is taken → stop what listens there, or choose another with --port {port + 1}"
    if error.errno == errno.EACCES:
        return "ports below 1024 need privileges → choose a higher one with --port"
    return f"{error.strerror or error} → check --host"


def room(wanted: int) -> int:
    """How many connections this process can hold, at most `wanted`: each may need a second file for its upstream. The limit of open files
    is raised as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted if hard == resource.RLIM_INFINITY else max(min(wanted, (hard - SPARE_FILES) // 2), 1)


class Embedded(Server):
    """Granian in this process and event loop, on a socket that is already listening.

    It speaks HTTP/1.1 alone: where it may also speak HTTP/2 it waits for the first bytes of a connection without an end, and every
    proxy and client speaks HTTP/1.1. `idle` is in seconds, for a connection's headers and between two requests."""

    def __init__(
        self, target: Callable[[Any, Any], Awaitable[None]] | Any, listener: socket.socket, connections: int = 20_000, idle: float = 75.0
    ) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(
            target,
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=room(connections),
            log_enabled=False,
            http1_settings=HTTP1Settings(max_buffer_size=MAX_HEADERS, header_read_timeout=max(int(idle * 1000), 1)),
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        # its own descriptor: granian closes it when it stops
        self._shd: Any = SocketHolder(os.dup(self._listener.fileno()), False, BACKLOG)  # type: ignore[call-arg]  # its stub is behind
        self._ssp = None
