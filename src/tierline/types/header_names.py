"""Names of headers as they come, and in lower case as they are looked up: those that nearly every message has are at hand."""

from __future__ import annotations

from collections.abc import Mapping

_USUAL = (
    "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "cf-ray", "connection", "content-encoding",
    "content-length", "content-type", "date", "expect", "host", "keep-alive", "openai-organization", "openai-processing-ms",
    "openai-version", "request-id", "retry-after", "server", "strict-transport-security", "traceparent", "transfer-encoding", "user-agent",
    "vary", "via", "x-api-key", "x-ratelimit-limit-requests", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-request-id", "x-stainless-arch",
    "x-stainless-async", "x-stainless-lang", "x-stainless-os", "x-stainless-package-version", "x-stainless-read-timeout",
    "x-stainless-retry-count", "x-stainless-runtime", "x-stainless-runtime-version",
)  # fmt: skip

USUAL: Mapping[bytes, str] = {way.encode(): name for name in _USUAL for way in (name, name.title())}
"""The usual names as they come, in lower case or in capitals → in lower case."""
