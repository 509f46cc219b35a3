"""Errors in both directions: Anthropic's envelope for clients, and the classes of what upstreams send."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.anthropic_messages.wire import ErrorDetail, ErrorEnvelope
from tierline.dialects.upstream_error import told
from tierline.types.errors import ProviderFailure, RequestError
from tierline.types.outcome import ErrorClass

_envelope = msgspec.json.Decoder(ErrorEnvelope)
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_BROKEN_TYPES: dict[ErrorClass, str] = {
    "rate_limited": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "deadline": "timeout_error",
    "auth": "authentication_error",
    "not_found": "not_found_error",
    "bad_request": "invalid_request_error",
    "context_exceeded": "invalid_request_error",
    "content_filter": "invalid_request_error",
}
_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_BY_STATUS: dict[int, ErrorClass] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "context_exceeded",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_CONTEXT = re.compile(
    r"prompt is too long|exceeds? (?:the )?(?:model's )?context (?:limit|window|length)|context_window_exceeded|context_length"
    r"|maximum context length|exceed_context_size|input is too long"
)
_FILTER = re.compile(r"content filter|content_filter|content policy|usage policy")
_UNPAID = re.compile(r"credit balance|billing|purchase credits")
_NO_MODEL = re.compile(r"model_not_found|(?:model|deployment)\b.{0,80}\b(?:does not exist|not found|is not available)")


def render(error: RequestError) -> bytes:
    """`{"type": "error", "error": {type, message}}`, its type by status."""
    kind = _TYPES.get(error.status) or ("invalid_request_error" if error.status < 500 else "api_error")
    return envelope(kind, error.message)


def broken(kind: ErrorClass, message: str) -> bytes:
    """The envelope of an error that an upstream reported inside a stream."""
    return envelope(_BROKEN_TYPES.get(kind, "api_error"), message)


def envelope(kind: str, message: str) -> bytes:
    """Anthropic's error envelope."""
    return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})


def read(status: int, body: bytes) -> tuple[ErrorClass, str]:
    """Class and message of an upstream's error. What the upstream quotes, and everything behind a line break or a brace, is
    left out of the message: it may be the prompt."""
    detail = _detail(body)
    words = f"{detail.type or ''} {detail.message or ''}".lower()
    return _class(status, words), told(status, (detail.type,), detail.message)


def inside(body: bytes) -> ProviderFailure | None:
    """The failure that an error event, or a body with status 200, tells of; None when it holds no error."""
    try:
        wire = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if wire.error is None:
        return None
    detail = wire.error if isinstance(wire.error, ErrorDetail) else ErrorDetail(message=wire.error)
    status = _STATUS_OF_TYPE.get(detail.type or "", 500)
    kind, message = read(status, body)
    return ProviderFailure(kind, message, status=status, body=body)


def _class(status: int, words: str) -> ErrorClass:
    if status in (400, 413, 422) and _CONTEXT.search(words):
        return "context_exceeded"
    if status in (400, 403, 422) and _FILTER.search(words):
        return "content_filter"
    if status == 400 and _UNPAID.search(words):
        return "auth"
    if status == 400 and _NO_MODEL.search(words):
        return "not_found"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "overloaded" if "overloaded" in words else "server"
    return "bad_request" if status >= 400 else "malformed"


def _detail(body: bytes) -> ErrorDetail:
    try:
        wire = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorDetail()
    if isinstance(wire.error, ErrorDetail):
        return wire.error
    return ErrorDetail(wire.type, wire.error or wire.message)
