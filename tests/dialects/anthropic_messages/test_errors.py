"""Errors in both directions."""

from __future__ import annotations

import json

import pytest

from tierline.types.errors import (
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    NoEligibleModel,
    RequestError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownModel,
    UpstreamFailed,
)

from .worlds import DIALECT


def envelope(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadRequest("no"), "invalid_request_error"),
        (Unauthenticated("no"), "authentication_error"),
        (NoEligibleModel("no", 402), "billing_error"),
        (Forbidden("no"), "permission_error"),
        (UnknownModel("no"), "not_found_error"),
        (TooLarge("no"), "request_too_large"),
        (UpstreamFailed("no", status=429), "rate_limit_error"),
        (UpstreamFailed("no"), "api_error"),
        (Unavailable("no"), "overloaded_error"),
        (UpstreamFailed("no", status=529), "overloaded_error"),
        (DeadlineExceeded("no"), "timeout_error"),
    ],
)
def test_an_error_is_told_in_anthropics_envelope(error: RequestError, kind: str) -> None:
    told = {"type": "error", "error": {"type": kind, "message": "no"}}
    assert json.loads(DIALECT.render_error(error)) == told
    event = DIALECT.render_error_event(error)
    assert event.startswith(b"event: error\ndata: ")
    assert event.endswith(b"\n\n")
    assert json.loads(event.split(b"data: ")[1]) == told


@pytest.mark.parametrize(
    ("status", "kind", "message", "read"),
    [
        (400, "invalid_request_error", "messages: roles must alternate", "bad_request"),
        (400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum", "context_exceeded"),
        (400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2", "context_exceeded"),
        (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API", "auth"),
        (400, "invalid_request_error", "Output blocked by content filtering policy", "content_filter"),
        (401, "authentication_error", "invalid x-api-key", "auth"),
        (403, "permission_error", "no", "auth"),
        (404, "not_found_error", "model: claude-9", "not_found"),
        (413, "request_too_large", "Request exceeds the maximum size", "context_exceeded"),
        (429, "rate_limit_error", "slow down", "rate_limited"),
        (500, "api_error", "Internal server error", "server"),
        (503, "api_error", "no", "overloaded"),
        (504, "timeout_error", "no", "timeout"),
        (529, "overloaded_error", "Overloaded", "overloaded"),
    ],
)
def test_an_upstreams_error_has_its_class(status: int, kind: str, message: str, read: str) -> None:
    assert DIALECT.read_error(status, envelope(kind, message))[0] == read


def test_an_upstreams_message_is_kept_short_and_without_what_it_quotes() -> None:
    body = envelope("invalid_request_error", "the text 'my secret prompt' is bad, key: sk-ant-abc123\nmessages: {...}")
    assert DIALECT.read_error(400, body)[1] == "status 400, invalid_request_error: the text '…' is bad, key: [secret]"
    assert len(DIALECT.read_error(400, envelope("api_error", "x" * 900))[1]) < 220


def test_the_flat_errors_of_clouds_are_read_too() -> None:
    assert DIALECT.read_error(429, b'{"message": "Too many requests"}') == ("rate_limited", "status 429: Too many requests")
    assert DIALECT.read_error(502, b"<html>Bad gateway</html>") == ("server", "status 502")
