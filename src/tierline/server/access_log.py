"""One line of JSON for each request, on standard output: ids, names, counts and times, and no text of a prompt or an answer.

Lines are put into a queue that has an end and written by a thread of its own. Who reads them too slowly loses lines, which are counted, and
slows nobody down.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from typing import TextIO

import msgspec

from tierline.types.errors import RequestError
from tierline.types.record import Record

MOST_WAITING = 10_000
"""Lines that wait to be written; past it new ones are dropped."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the queue."""
AT_ONCE = 4096
"""Characters that are written at once: a pipe takes so many in one piece, and the lines of several workers do not mix."""
LAST_LINES = 2.0
"""Seconds that a stopping server gives to the lines that are left."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one line says. `at` is when the request was over, Unix time; `latency`, `overhead` and `ttft` are seconds, `cost` is USD.
    `decision` is empty where the request was refused before anything was decided."""

    at: float
    status: int
    error: str = ""
    path: str = ""
    decision: str = ""
    trace: str = ""
    route: str = ""
    task: str = ""
    tier: str = ""
    model: str = ""
    tool: str = ""
    key: str = ""
    team: str = ""
    arm: str = ""
    policy: str = ""
    stream: bool = False
    attempts: int = 0
    causes: tuple[str, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    latency: float = 0.0
    ttft: float | None = None
    overhead: float = 0.0
    stopped: str = ""
    flagged: bool = False
    truncated: bool = False


class AccessLog:
    """Writes lines while it is `on`; `count` is told of those `written` and `dropped`."""

    def __init__(self, count: Callable[[str, int], None], out: TextIO | None = None) -> None:
        self.on = False
        self._count = count
        self._out = out
        self._queue: deque[tuple[Record, str] | Line] = deque()
        self._stopping = Event()
        self._thread: Thread | None = None

    def switch(self, on: bool) -> None:
        """Begin or cease to take lines."""
        self.on = on
        if on and self._thread is None:
            self._thread = Thread(target=self._run, name="tierline-access-log", daemon=True)
            self._thread.start()

    def answered(self, record: Record, trace: str = "") -> None:
        """A request has its row."""
        self._put((record, trace))

    def refused(self, error: RequestError, path: str, key: str) -> None:
        """A request was refused before it could have a row."""
        self._put(Line(time.time(), error.status, error.code, path, key=key))

    def close(self) -> None:
        """Write what is left, for a moment, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LAST_LINES)

    def _put(self, told: tuple[Record, str] | Line) -> None:
        if len(self._queue) < MOST_WAITING:
            self._queue.append(told)
        else:
            self._count("dropped", 1)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            self._write()
        self._write()

    def _write(self) -> None:
        """Write every line that waits, a few at a time."""
        text, lines = "", 0
        while self._queue:
            told = self._queue.popleft()
            line = msgspec.json.encode(told if isinstance(told, Line) else line_of(*told)).decode() + "\n"
            if len(text) + len(line) > AT_ONCE:
                self._say(text, lines)
                text, lines = "", 0
            text, lines = text + line, lines + 1
        if lines:
            self._say(text, lines)

    def _say(self, text: str, lines: int) -> None:
        out = self._out or sys.stdout
        try:
            out.write(text)
            out.flush()
            self._count("written", lines)
        except (OSError, ValueError):
            self._count("dropped", lines)


def line_of(record: Record, trace: str = "") -> Line:
    """What is said of a request that has a row."""
    decision, features = record.decision, record.features
    usages = [attempt.usage for attempt in record.tried] + [aside.usage for aside in record.asides]
    won = None if record.winner is None else record.tried[record.winner]
    return Line(
        at=record.at,
        status=record.status,
        error=record.error,
        decision=decision.request_id,
        trace=trace,
        route=decision.route,
        task=decision.task,
        tier=decision.tier,
        model=record.model,
        tool=record.answered,
        key=features.key,
        team=features.team,
        arm=decision.arm,
        policy=decision.policy,
        stream=features.stream,
        attempts=len(record.tried),
        causes=tuple([attempt.cause for attempt in record.tried]),
        tokens_in=sum(usage.input for usage in usages),
        tokens_out=sum(usage.output for usage in usages),
        cost=round(record.cost, 9),
        latency=round(record.latency, 6),
        ttft=None if won is None or won.ttft is None else round(won.ttft, 6),
        overhead=round(record.overhead, 6),
        stopped=record.stopped,
        flagged=record.flagged,
        truncated=record.truncated,
    )
