"""Who is traced, and the queue of what is to be exported.

A finished trace is put into a queue that has an end; a thread of its own takes it out, makes spans of it and sends them. A collector that
is slow, or gone, costs spans and nothing else: they are dropped, and counted.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Protocol

from tierline.config.spec import TracingSpec
from tierline.gateway.trace import SAMPLED, Finished, Parent, Trace, new_trace
from tierline.server.tracing.spans import Span, spans_of

_logger = logging.getLogger("tierline.tracing")

LOOK_EVERY = 0.5
"""Seconds between two looks at the queue."""
AT_ONCE = 64
"""Spans from which on an export is full."""
LAST_EXPORT = 2.0
"""Seconds that a stopping server gives to what is still to be exported."""

_LOW = 2**64 - 1
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST_STATE = 512

Count = Callable[[str, int], None]
"""Told of so many spans that were `exported`, `failed` or `dropped`."""
Noted = Callable[[str, str], None]
"""Told of a request's id and its trace."""


class Exports(Protocol):
    """What sends spans. It blocks, and says whether they were taken."""

    def __call__(self, spans: Sequence[Span]) -> bool:
        """Send them."""

    def close(self) -> None:
        """Send nothing more."""


class Tracer:
    """The traces of one process under one `tracing` section. `exporter` makes what sends spans; it is called on the tracer's thread."""

    def __init__(self, spec: TracingSpec, count: Count, noted: Noted, exporter: Callable[[TracingSpec], Exports] | None = None) -> None:
        self.spec = spec
        self.propagate = spec.propagate
        self._below = round(spec.sample * 2**64)
        self._count = count
        self._noted = noted
        self._exporter = exporter or _exporter
        self._queue: deque[Finished] = deque()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="tierline-traces", daemon=True)
        self._thread.start()

    def begin(self, name: str, traceparent: str | None, tracestate: str | None, started: float) -> Trace:
        """A request has come: part of its caller's trace and sampled as that is, or of one of its own."""
        parent = None if traceparent is None else parent_of(traceparent, tracestate)
        if parent is not None:
            return Trace(self, name, started, parent.trace_id, parent.sampled, parent)
        trace_id = new_trace()
        return Trace(self, name, started, trace_id, (trace_id & _LOW) < self._below)

    def take(self, done: Finished) -> None:
        """A trace is over. Where as many wait as may, it is dropped."""
        if done.record is not None:
            self._noted(done.record.decision.request_id, f"{done.trace.trace_id:032x}")
        if len(self._queue) >= self.spec.max_queue:
            self._count("dropped", 1 + len(done.trace.begun))
        else:
            self._queue.append(done)

    def close(self) -> None:
        """Export what is left, for a moment, and stop."""
        self._stopping.set()
        self._thread.join(LAST_EXPORT)

    def stop(self) -> None:
        """Export what is left and stop, without anybody waiting for it."""
        self._stopping.set()

    def _run(self) -> None:
        exports = self._exporter(self.spec)
        while not self._stopping.wait(LOOK_EVERY):
            self._export(exports)
        self._export(exports)
        exports.close()

    def _export(self, exports: Exports) -> None:
        """Send what waits; what comes meanwhile waits for its turn, or is dropped."""
        for _ in range(len(self._queue) // AT_ONCE + 1):
            spans: list[Span] = []
            while self._queue and len(spans) < AT_ONCE:
                spans += self._made(self._queue.popleft())
            if spans:
                self._count("exported" if _sent(exports, spans) else "failed", len(spans))

    def _made(self, done: Finished) -> list[Span]:
        try:
            return spans_of(done)
        except Exception as error:
            _logger.error("a trace could not be told: %s", type(error).__name__)
            self._count("dropped", 1)
            return []


def parent_of(traceparent: str, tracestate: str | None = None) -> Parent | None:
    """The caller's span, as W3C Trace Context writes it; None where it is not written so. A state that could not be passed on is left
    out."""
    found = _PARENT.fullmatch(traceparent)
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    trace_id, span_id = int(found[2], 16), int(found[3], 16)
    if not trace_id or not span_id:
        return None
    state = tracestate or ""
    if len(state) > _LONGEST_STATE or not (state.isascii() and state.isprintable()):
        state = ""
    return Parent(trace_id, span_id, bool(int(found[4], 16) & SAMPLED), state)


def _sent(exports: Exports, spans: Sequence[Span]) -> bool:
    try:
        return exports(spans)
    except Exception as error:
        _logger.error("spans could not be exported: %s", type(error).__name__)
        return False


def _exporter(spec: TracingSpec) -> Exports:
    made: Exports = importlib.import_module("tierline.server.tracing.exporting").Exporter(spec)
    return made
