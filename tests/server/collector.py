"""A collector of traces: OTLP over HTTP, read with the protocol's own protobuf classes (opentelemetry-proto)."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """`spans` are all that have come; `status` is what it answers next."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.requests: list[dict[str, str]] = []
        self.resources: list[dict[str, Any]] = []
        self.status = 200
        self.port = 0

    @contextmanager
    def running(self) -> Iterator[Collector]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if path != "/v1/traces" or headers["content-type"] != "application/x-protobuf":
            return 404
        if self.status == 200:
            given = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            for part in ExportTraceServiceRequest.FromString(given).resource_spans:
                self.resources.append(attributes(part.resource))
                self.spans += [span for scope in part.scope_spans for span in scope.spans]
        self.requests.append(headers)
        return self.status

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        taken = self.take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                said = ExportTraceServiceResponse().SerializeToString()
                self.send_response(taken(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def of(self, trace: str) -> list[Span]:
        """The spans of one trace, eldest first."""
        return sorted((span for span in tuple(self.spans) if span.trace_id.hex() == trace), key=lambda span: span.start_time_unix_nano)


def attributes(of: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource."""
    found: dict[str, Any] = {}
    for pair in of.attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        found[pair.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found
