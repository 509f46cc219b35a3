"""Errors in both directions: OpenAI's envelope for clients, and the classes of what upstreams send."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.openai_chat.wire import ErrorDetail, ErrorEnvelope
from tierline.dialects.upstream_error import told
from tierline.types.errors import ProviderFailure, RequestError
from tierline.types.outcome import ErrorClass

_envelope = msgspec.json.Decoder(ErrorEnvelope)
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_BY_STATUS: dict[int, ErrorClass] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    410: "not_found",
    413: "context_exceeded",
    429: "rate_limited",
    498: "overloaded",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length"
    r"|maximum context length|context (?:window|size|length)|(?:prompt|input) is too long|too many (?:input )?tokens"
)
_FILTER = re.compile(r"content_filter|content_policy|content management policy|moderation")
_NO_MODEL = re.compile(r"model_not_found|model_not_available|does not exist")
_KEY = re.compile(r"(?:incorrect|invalid) api key|invalid_api_key|api key (?:is )?(?:not valid|invalid|expired)")
_BUSY = re.compile(r"overloaded|server_is_busy|engine_overloaded")
_RATE = re.compile(r"rate_limit|insufficient_quota|too_many_requests")


def render(error: RequestError) -> bytes:
    """`{"error": {message, type, param, code}}`, its type by status."""
    kind = _TYPES.get(error.status) or ("invalid_request_error" if error.status < 500 else "server_error")
    return msgspec.json.encode({"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}})


def read(status: int, body: bytes) -> tuple[ErrorClass, str]:
    """Class and message of an upstream's error. What the upstream quotes, and everything behind a line break or a brace, is
    left out of the message: it may be the prompt."""
    detail = _detail(body)
    words = f"{detail.type or ''} {detail.code or ''} {detail.message or ''}".lower()
    return _class(status, words), told(status, (detail.type, detail.code), detail.message)


def inside(body: bytes) -> ProviderFailure | None:
    """The failure that a body with status 200 tells of; None when it holds no error."""
    try:
        wire = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if wire.error is None:
        return None
    detail = wire.error if isinstance(wire.error, ErrorDetail) else ErrorDetail(message=wire.error)
    status = _status_of(detail)
    kind, message = read(status, body)
    return ProviderFailure(kind, message, status=status, body=body)


def _status_of(detail: ErrorDetail) -> int:
    """The status an error inside a 200 stands for: its numeric code, or else what its words say."""
    written = str(detail.code)
    if re.fullmatch(r"[45][0-9]{2}", written):
        return int(written)
    words = f"{detail.type or ''} {detail.code or ''}".lower()
    if _RATE.search(words):
        return 429
    if _BUSY.search(words):
        return 503
    if "authentication" in words or "api_key" in words:
        return 401
    return 400 if "invalid_request" in words or _CONTEXT.search(words) or _FILTER.search(words) else 500


def _class(status: int, words: str) -> ErrorClass:
    if status in (400, 413, 422) and _CONTEXT.search(words):
        return "context_exceeded"
    if status in (400, 403, 422) and _FILTER.search(words):
        return "content_filter"
    if status == 400 and _KEY.search(words):
        return "auth"
    if status == 400 and _NO_MODEL.search(words):
        return "not_found"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "overloaded" if _BUSY.search(words) else "server"
    return "bad_request" if status >= 400 else "malformed"


def _detail(body: bytes) -> ErrorDetail:
    try:
        wire = _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorDetail()
    if isinstance(wire.error, ErrorDetail):
        return wire.error
    return ErrorDetail(wire.error or wire.message, wire.type, wire.code)
