"""The trace of one request while it is being answered: whose it is, and when each call of it began.

Nothing is built here. What is noted, a reading of a clock for each call, is enough to make spans of once the row is there
(`server/tracing`), on another thread. A request that is not traced has no trace at all: `None`, and one `if` where it would be asked.
"""

from __future__ import annotations

import os
from time import perf_counter, time_ns
from typing import Protocol

import msgspec

from tierline.config.loaded import Loaded
from tierline.ledger.shadows import Shadowed
from tierline.types.record import Record

Headers = tuple[tuple[str, str], ...]

SAMPLED = 1
"""The flag of a `traceparent` that says: this one is kept."""


class Parent(msgspec.Struct, frozen=True):
    """Who began a trace before it came here: a `traceparent` and the `tracestate` beside it."""

    trace_id: int
    span_id: int
    sampled: bool
    state: str = ""


class Begun(msgspec.Struct, frozen=True):
    """A call that was made: the attempt of that `number`, or (0) one beside for that purpose to that target; its span, and the reading of
    `perf_counter` at which it began."""

    span_id: int
    at: float
    number: int = 0
    purpose: str = ""
    target: str = ""


class Finished(msgspec.Struct, frozen=True):
    """A trace that is over: what it is to be told from. `record` is None where the request was refused before it had a row; `shadowed` is
    set for the trace of an answer beside. `end` is a reading of `perf_counter`."""

    trace: Trace
    end: float
    status: int = 200
    error: str = ""
    record: Record | None = None
    loaded: Loaded | None = None
    finish: str = ""
    shadowed: Shadowed | None = None


class Sink(Protocol):
    """Where finished traces go. It never blocks and never raises."""

    propagate: bool

    def take(self, done: Finished) -> None:
        """A trace is over."""


class Trace:
    """One request's. `name` says which endpoint it came to; `started` and `unix_ns` are the same moment on two clocks; `beside` is the
    trace of the request that this one answers beside."""

    __slots__ = ("_over", "begun", "beside", "name", "parent", "sampled", "sink", "span_id", "started", "trace_id", "unix_ns")

    def __init__(
        self, sink: Sink, name: str, started: float, trace_id: int, sampled: bool, parent: Parent | None = None, beside: Trace | None = None
    ) -> None:
        self.sink = sink
        self.name = name
        self.trace_id = trace_id
        self.span_id = new_span()
        self.parent = parent
        self.beside = beside
        self.sampled = sampled
        now = perf_counter()
        self.started = started or now
        self.unix_ns = time_ns() - int((now - self.started) * 1e9)
        self.begun: list[Begun] = []
        self._over = False

    def attempt(self, number: int, at: float) -> Headers:
        """An attempt is made: the headers that tell its upstream of it."""
        return self._call(at, number)

    def aside(self, purpose: str, target: str, at: float) -> Headers:
        """A call beside the attempts is made: the headers that tell its upstream of it."""
        return self._call(at, 0, purpose, target)

    def _call(self, at: float, number: int, purpose: str = "", target: str = "") -> Headers:
        span_id = new_span()
        if self.sampled:
            self.begun.append(Begun(span_id, at, number, purpose, target))
        if not self.sink.propagate:
            return ()
        told = ("traceparent", f"00-{self.trace_id:032x}-{span_id:016x}-{SAMPLED if self.sampled else 0:02x}")
        return (told, ("tracestate", self.parent.state)) if self.parent is not None and self.parent.state else (told,)

    def answered(self, record: Record, loaded: Loaded, finish: str) -> None:
        """The request has its row."""
        self._end(Finished(self, perf_counter(), record.status, record.error, record, loaded, finish))

    def refused(self, status: int, code: str) -> None:
        """The request was refused; where it has its row already, that one tells it."""
        self._end(Finished(self, perf_counter(), status, code))

    def shadow(self) -> Trace:
        """The trace of an answer beside: one of its own, which names this one."""
        return Trace(self.sink, "shadow", 0.0, new_trace(), self.sampled, beside=self)

    def shadowed(self, row: Shadowed, loaded: Loaded) -> None:
        """The answer beside has its row."""
        self._end(Finished(self, perf_counter(), error=row.error, loaded=loaded, shadowed=row))

    def _end(self, done: Finished) -> None:
        if not self._over:
            self._over = True
            if self.sampled:
                self.sink.take(done)


def new_trace() -> int:
    """A trace id of 128 bits; never zero."""
    return int.from_bytes(os.urandom(16)) or 1


def new_span() -> int:
    """A span id of 64 bits; never zero."""
    return int.from_bytes(os.urandom(8)) or 1
