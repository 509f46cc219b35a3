"""Spans on their way to a collector: OpenTelemetry's own SDK and exporter (OTLP, protobuf over HTTP). Needs the extra `otel`."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from tierline import __version__
from tierline.config.spec import TracingSpec
from tierline.server.tracing.spans import Span

TIMEOUT = 5.0
"""Seconds that one export may take, with what the exporter tries again."""

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("tierline", __version__)


class Exporter:
    """Sends spans to the spec's collector, under the spec's service name. OTEL_RESOURCE_ATTRIBUTES and the certificates that the
    variables of OpenTelemetry name are read too."""

    def __init__(self, spec: TracingSpec) -> None:
        endpoint = spec.endpoint.rstrip("/")
        endpoint = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint}/v1/traces"
        self._resource = Resource.create({"service.name": spec.service, "service.version": __version__})
        self._exporter = OTLPSpanExporter(endpoint, headers=dict(spec.headers), timeout=TIMEOUT, compression=Compression.Gzip)

    def __call__(self, spans: Sequence[Span]) -> bool:
        """Send them; whether the collector took them. Returns after `TIMEOUT` at the latest."""
        return self._exporter.export([self.readable(span) for span in spans]) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Give up what is being tried again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def readable(self, span: Span) -> ReadableSpan:
        """A span as the SDK has it."""
        state = TraceState.from_header([span.state]) if span.state else TraceState()
        own = SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED, trace_state=state)
        parent = SpanContext(span.trace_id, span.parent, is_remote=span.remote, trace_flags=_SAMPLED, trace_state=state)
        return ReadableSpan(
            span.name,
            own,
            parent if span.parent else None,
            self._resource,
            {**span.attributes, **({"error.type": span.error} if span.error else {})},
            [SdkEvent(event.name, event.attributes, event.at) for event in span.events],
            [Link(SpanContext(trace, linked, is_remote=False, trace_flags=_SAMPLED)) for trace, linked in span.links],
            _KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.failed else Status(),
            start_time=span.start,
            end_time=max(span.end, span.start),
            instrumentation_scope=_SCOPE,
        )
