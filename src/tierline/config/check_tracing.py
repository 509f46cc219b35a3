"""Where traces go: an address of a collector, headers without secrets in the file, and the package that sends them."""

from __future__ import annotations

import importlib.util
from urllib.parse import urlsplit

from tierline.config.case import Case
from tierline.config.environment import has_placeholder
from tierline.config.secrets import looks_secret
from tierline.config.spec import TracingSpec


def examine_tracing(case: Case) -> None:
    """Reports addresses of no collector, secrets in the file, a package that is missing, and settings that nothing would read."""
    tracing = case.spec.tracing
    if not tracing.endpoint:
        for field in TracingSpec.__struct_fields__:
            if getattr(tracing, field) != getattr(TracingSpec(), field):
                case.problems.warn(("tracing", field), "without endpoint nothing reads this", "add endpoint:, or remove it")
        return
    if not has_placeholder(tracing.endpoint):
        _address(case, tracing.endpoint)
    for name in tracing.headers:
        written = case.as_written("tracing", "headers", name)
        if not has_placeholder(written) and looks_secret(written):
            case.problems.warn(("tracing", "headers", name), "a secret stands in the file", "keep it in the environment: ${NAME}")
    if not _installed():
        case.problems.error(("tracing",), "traces need OpenTelemetry's packages", "pip install 'tierline[otel]'")


def _address(case: Case, endpoint: str) -> None:
    place, parts = ("tracing", "endpoint"), urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        case.problems.error(place, "this is no address of a collector", "write http://HOST:4318 or https://HOST")
    elif parts.port == 4317:
        case.problems.warn(place, "4317 is the port of OTLP over gRPC; traces are sent over HTTP", "use the collector's HTTP port, 4318")
    if parts.password:
        case.problems.error(place, "an address must not hold a user or a password", "use headers: with ${NAME}")


def _installed() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
