"""Several workers on one socket: each a process of its own that inherits the listening socket and assembles its own gateway.

The parent answers no request. It keeps what the workers hold in common where no engine does (`state/host_shared`), starts the
workers, passes SIGTERM, SIGINT and SIGHUP on to them, and puts a new one in the place of one that died. Connections are spread by the
kernel among those that wait on the socket, which is fair; sharing the port between sockets is not."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from prometheus_client import multiprocess

from tierline.server.worker import Errand
from tierline.state.host_shared import HostTable
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.server")

STOPS = frozenset({signal.SIGTERM, signal.SIGINT})

TOO_SOON = 2.0
"""A worker that dies within so many seconds of its start would die again: everything stops instead."""


class WorkersDie(TierlineError):
    """A worker ended on its own as soon as it had started."""


def supervise(listener: socket.socket, count: int, spec: Path, log: Path | None, ready: Callable[[], None]) -> None:
    """Run `count` workers until SIGTERM or SIGINT, and return when all have drained. Raises WorkersDie."""
    events: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda received, _frame: events.put(received))
    with tempfile.TemporaryDirectory(prefix="tierline-metrics-") as metrics:
        table = HostTable(Path(metrics) / "shared.sock")
        crew = _Crew(listener, spec, log, metrics)
        event: int = signal.SIGTERM
        try:
            crew.start(count)
            crew.await_ready(count)
            ready()
            while (event := events.get()) not in STOPS:
                if event == signal.SIGHUP:
                    crew.signal(signal.SIGHUP)
                else:
                    crew.replace_the_dead()
        finally:
            listener.close()
            crew.stop(event, events)
            table.close()


class _Crew:
    """The running workers and when each was started (monotonic seconds).

    Each has a slot, the least that is free. Its metrics are kept in files of that slot's: a worker that takes a dead one's place goes on
    with its counts, so that none falls and no file is left over; the dead one's gauges are dropped."""

    def __init__(self, listener: socket.socket, spec: Path, log: Path | None, metrics: str) -> None:
        self._errand_ends, self._ready_end = os.pipe()
        self._errand = Errand(
            listener.fileno(), self._ready_end, str(spec), None if log is None else str(log), str(Path(metrics) / "shared.sock")
        )
        self._environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": metrics}
        self._metrics = metrics
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._slots: dict[subprocess.Popen[bytes], int] = {}

    def start(self, count: int) -> None:
        free = sorted(set(range(len(self._workers) + count)) - {*self._slots.values()})
        for slot in free[:count]:
            argument = msgspec.json.encode(msgspec.structs.replace(self._errand, slot=slot)).decode()
            worker = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-m", "tierline.server.worker", argument],
                env=self._environ,
                pass_fds=(self._errand.listener, self._errand.ready),
                start_new_session=True,
            )
            self._workers[worker] = time.monotonic()
            self._slots[worker] = slot

    def await_ready(self, count: int) -> None:
        """Returns when so many workers have said that they take requests; raises WorkersDie when one ends instead."""
        os.set_blocking(self._errand_ends, False)
        told = 0
        while told < count:
            try:
                told += len(os.read(self._errand_ends, count))
            except BlockingIOError:
                time.sleep(0.01)
            self._raise_if_hopeless(self._dead())

    def replace_the_dead(self) -> None:
        """Start a worker for each that has ended; raises WorkersDie when one ended as soon as it had started."""
        dead = self._dead()
        self._raise_if_hopeless(dead)
        for worker in dead:
            del self._workers[worker]
            multiprocess.mark_process_dead(self._slots.pop(worker), self._metrics)  # type: ignore[no-untyped-call]
            _logger.error("worker %d ended with exit code %s; another takes its place", worker.pid, worker.returncode)
        self.start(len(dead))

    def signal(self, number: int) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(number)

    def stop(self, how: int, events: queue.SimpleQueue[int]) -> None:
        """Tell all to drain, and wait for them; who is told to stop again stops without notice."""
        self.signal(signal.SIGINT if how == signal.SIGINT else signal.SIGTERM)
        while len(self._dead()) < len(self._workers):
            with contextlib.suppress(queue.Empty):
                if events.get(timeout=0.1) in STOPS:
                    self.signal(signal.SIGINT)

    def _dead(self) -> list[subprocess.Popen[bytes]]:
        return [worker for worker in self._workers if worker.poll() is not None]

    def _raise_if_hopeless(self, dead: list[subprocess.Popen[bytes]]) -> None:
        for worker in dead:
            if time.monotonic() - self._workers[worker] < TOO_SOON:
                raise WorkersDie(f"a worker ended with exit code {worker.returncode} as soon as it had started; its own words stand above")
