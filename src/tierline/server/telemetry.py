"""What is told of requests beside their rows: metrics always; traces and lines for the access log where the spec wants them."""

from __future__ import annotations

from tierline.config.spec import Spec
from tierline.server.access_log import AccessLog
from tierline.server.errors import NotFound, WrongMethod
from tierline.server.exchange import Exchange
from tierline.server.metrics import Meters
from tierline.server.tracing.tracer import Tracer
from tierline.types.errors import RequestError
from tierline.types.record import Record


class Telemetry:
    """The metrics, traces and access log of one process. `tracer` is None while nothing is traced."""

    def __init__(self, meters: Meters) -> None:
        self.meters = meters
        self.tracer: Tracer | None = None
        self.access = AccessLog(lambda outcome, lines: meters.lines.labels(outcome).inc(lines))
        self._latest = ("", "")

    def follow(self, spec: Spec) -> None:
        """Do from now on as this spec says."""
        self.access.switch(spec.server.access_log)
        wanted = spec.tracing if spec.tracing.endpoint else None
        if wanted == (None if self.tracer is None else self.tracer.spec):
            return
        if self.tracer is not None:
            self.tracer.stop()
        spans = self.meters.spans
        self.tracer = None if wanted is None else Tracer(wanted, lambda outcome, many: spans.labels(outcome).inc(many), self._noted)

    def begin(self, exchange: Exchange, tracer: Tracer) -> None:
        """A request that may be answered has come, and requests are traced."""
        given, name = exchange.headers.get, f"{exchange.incoming.method} {_endpoint(exchange)}"
        exchange.trace = tracer.begin(name, given("traceparent"), given("tracestate"), exchange.started)

    def observe(self, record: Record) -> None:
        """A request has its row; what was noted last is its trace, where it has one."""
        request_id, trace = self._latest
        if trace and request_id != record.decision.request_id:
            trace = ""
        self.meters.observe(record)
        if trace:
            self.meters.traced(request_id, trace)
        if self.access.on:
            self.access.answered(record, trace)

    def refused(self, exchange: Exchange, error: RequestError) -> None:
        """A request was refused; what has its row already is told by that."""
        if exchange.trace is not None:
            exchange.trace.refused(error.status, error.code)
        if self.access.on and not exchange.logged:
            path = "" if isinstance(error, NotFound | WrongMethod) else _endpoint(exchange)
            self.access.refused(error, path, exchange.key.name)

    def close(self) -> None:
        """Tell what is left, for a moment."""
        if self.tracer is not None:
            self.tracer.close()
        self.access.close()

    def _noted(self, request_id: str, trace: str) -> None:
        self._latest = (request_id, trace)


def _endpoint(exchange: Exchange) -> str:
    """The path that was found, without what a client may have put into it."""
    path = exchange.incoming.path
    return f"{path[: -len(exchange.rest)]}{{...}}" if exchange.rest else path
