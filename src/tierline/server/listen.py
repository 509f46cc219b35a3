"""The listening socket, and how many connections a process can hold.

The socket is made before the workers: an inherited socket spreads connections fairly over them, and a port that is taken is an error at
once (where each shared the port, two servers would run side by side unnoticed).
"""

from __future__ import annotations

import errno
import ipaddress
import resource
import socket

from tierline.types.errors import TierlineError

BACKLOG = 2048
SPARE_FILES = 256
"""Open files that are kept for what is no connection of a client: the log, the spec, threads."""


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
