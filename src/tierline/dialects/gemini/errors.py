"""Errors in both directions: Google's envelope for clients, and the classes of what upstreams send."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.gemini.wire import ErrorDetail, ErrorEnvelope
from tierline.dialects.upstream_error import told
from tierline.types.errors import ProviderFailure, RequestError
from tierline.types.outcome import ErrorClass

_envelope = msgspec.json.Decoder(ErrorEnvelope | list[ErrorEnvelope])
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CODES = {status: code for code, status in _STATUSES.items() if code not in (402, 413)} | {"FAILED_PRECONDITION": 400, "ABORTED": 409}
_CLASSES: dict[int, ErrorClass] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "context_exceeded",
    429: "rate_limited",
    499: "server",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
"""A call that the upstream cancelled (499) is the upstream's failure: the client is still there."""
_OF_CLASS: dict[ErrorClass, int] = {
    "timeout": 504,
    "deadline": 504,
    "rate_limited": 429,
    "overloaded": 503,
    "auth": 401,
    "not_found": 404,
    "bad_request": 400,
    "context_exceeded": 400,
    "content_filter": 400,
    "cancelled": 499,
}
_CONTEXT = re.compile(r"token count|maximum number of tokens|context (?:window|size|length)|request payload size exceeds")
_FILTER = re.compile(r"safety|blocked|prohibited|content policy")
_NOT_SERVED = re.compile(r"failed_precondition|requests .{0,200}are blocked")
"""This key, or calls from here, are not served at all; another door's may be."""
_KEY = re.compile(r"api[ _]?key|api_key_invalid")
_QUOTABLE = re.compile(r"[A-Za-z0-9_.\[\]/-]{1,60}\Z")
"""A name of a field or of a model, which Google writes as a path."""


def render(error: RequestError) -> bytes:
    """`{"error": {code, message, status}}`; Tierline's own word for it stands in `details`."""
    info: dict[str, object] = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": error.code, "domain": "tierline"}
    if error.param:
        info["metadata"] = {"field": error.param}
    return _envelope_of(error.status, error.message, [info])


def broken(kind: ErrorClass, message: str) -> bytes:
    """The envelope of an error that an upstream reported inside a stream."""
    return _envelope_of(_OF_CLASS.get(kind, 500), message, None)


def _envelope_of(code: int, message: str, details: list[dict[str, object]] | None) -> bytes:
    status = _STATUSES.get(code) or ("INVALID_ARGUMENT" if code < 500 else "INTERNAL")
    inside = {"code": code, "message": message, "status": status}
    return msgspec.json.encode({"error": inside if details is None else {**inside, "details": details}})


def read(status: int, body: bytes) -> tuple[ErrorClass, str]:
    """Class and message of an upstream's error. What the upstream quotes, and everything behind a line break or a brace, is
    left out of the message: it may be the prompt."""
    detail = _detail(body) or ErrorDetail()
    words = f"{detail.status or ''} {detail.message or ''}".lower()
    return _class(status, words), told(status, (detail.status,), detail.message, _QUOTABLE)


def inside(body: bytes) -> ProviderFailure | None:
    """The failure that a body with status 200 tells of; None when it holds no error."""
    detail = _detail(body)
    if detail is None:
        return None
    written = str(detail.code)
    status = int(written) if re.fullmatch(r"[45][0-9]{2}", written) else _CODES.get(detail.status or "", 500)
    kind, message = read(status, body)
    return ProviderFailure(kind, message, status=status, body=body)


def _class(status: int, words: str) -> ErrorClass:
    if (status == 400 and _KEY.search(words)) or (status in (400, 403) and _NOT_SERVED.search(words)):
        return "auth"
    if status in (400, 413) and _CONTEXT.search(words):
        return "context_exceeded"
    if status in (400, 403) and _FILTER.search(words):
        return "content_filter"
    if status in _CLASSES:
        return _CLASSES[status]
    if status >= 500:
        return "overloaded" if "overloaded" in words else "server"
    return "bad_request" if status >= 400 else "malformed"


def _detail(body: bytes) -> ErrorDetail | None:
    """The error in a body, or in the array that a stream without `alt=sse` is."""
    try:
        wire = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for envelope in wire if isinstance(wire, list) else [wire]:
        if envelope.error is not None:
            return envelope.error if isinstance(envelope.error, ErrorDetail) else ErrorDetail(message=envelope.error)
    return None
