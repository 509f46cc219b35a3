"""A worker's process: `python -m tierline.server.worker ERRAND`, started by `server/workers` and by nobody else."""

from __future__ import annotations

import logging
import os
import socket
import sys
from functools import partial
from pathlib import Path

import msgspec
from prometheus_client import values

from tierline.config.load import load
from tierline.server.log_lines import write_as
from tierline.server.serve import Service, run
from tierline.state.host_shared import HostShared
from tierline.types.errors import TierlineError


class Errand(msgspec.Struct, frozen=True):
    """What a worker is told: two inherited file descriptors (the listening socket; where to write a byte when ready), spec, log, and the
    socket by which workers share, where the spec names no engine for it. `slot` tells the files that its metrics are kept in."""

    listener: int
    ready: int
    spec: str
    log: str | None
    shared: str = ""
    slot: int = 0


def main(errand: Errand) -> int:
    """Serve until told to stop; the exit code."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s %(levelname)s %(name)s[{os.getpid()}]: %(message)s")
    values.ValueClass = values.MultiProcessValue(lambda: errand.slot)  # type: ignore[no-untyped-call]
    listener = socket.socket(fileno=errand.listener)
    try:
        loaded = load(Path(errand.spec), os.environ)
        write_as(loaded.spec.server.log_format)
        beside = partial(HostShared, Path(errand.shared)) if errand.shared and not loaded.spec.shared.url else None
        service = Service(listener, os.environ, None if errand.log is None else Path(errand.log), beside)
        run(service, loaded, lambda: _tell(errand.ready))
    except TierlineError as error:
        sys.stderr.write(f"tierline: {error.message}\n")
        return 2
    return 0


def _tell(ready: int) -> None:
    os.write(ready, b".")


if __name__ == "__main__":
    sys.exit(main(msgspec.json.decode(sys.argv[1].encode(), type=Errand)))
