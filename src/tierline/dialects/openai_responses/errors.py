"""Errors in both directions: OpenAI's envelope is the one of chat completions; streams have events of their own for them."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.openai_chat import errors as envelope
from tierline.types.errors import ProviderFailure, RequestError
from tierline.types.outcome import ErrorClass

_BAD_REQUEST = frozenset(
    {
        "invalid_prompt",
        "data_residency_mismatch",
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "image_too_large",
        "image_too_small",
        "image_parse_error",
        "invalid_image_mode",
        "image_file_too_large",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
    }
)
_FILTERED = frozenset({"bio_policy", "cyber_policy", "misalignment_policy_violation", "image_content_policy_violation"})
_CODES: dict[str, str] = {
    "rate_limited": "rate_limit_exceeded",
    "overloaded": "server_is_overloaded",
    "context_exceeded": "context_length_exceeded",
    "bad_request": "invalid_prompt",
    "content_filter": "invalid_prompt",
}
"""The neutral classes → the codes that clients of this API know; all others are `server_error`."""

read = envelope.read
render = envelope.render


class Told(msgspec.Struct):
    """An error as a stream tells it: in the event itself or, as the API sends it today, inside `error`."""

    code: str | int | None = None
    message: str | None = None
    type: str | None = None
    error: msgspec.Raw = msgspec.Raw()


_told = msgspec.json.Decoder(Told)


def failure(error: msgspec.Raw | bytes) -> ProviderFailure:
    """The failure that an error object or an `error` event tells of."""
    raw = bytes(error)
    try:
        told = _told.decode(raw)
        if bytes(told.error) not in (b"", b"null"):
            raw = bytes(told.error)
            told = _told.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = Told()
    kind = told.type if told.type != "error" else None
    body = msgspec.json.encode({"error": {"code": told.code, "message": told.message, "type": kind}})
    found = envelope.inside(body) or ProviderFailure("server", "the upstream sent an error that cannot be read")
    known = _known(str(told.code))
    return found if known is None else ProviderFailure(known, found.message, status=400, body=body)


def inside(body: bytes) -> ProviderFailure | None:
    """The failure that a body with status 200 tells of; None when it holds no error."""
    return envelope.inside(body)


def event(kind: str, message: str, code: str, param: str | None, sequence: int) -> dict[str, Any]:
    """The `error` event. The fields stand both in the event, as the reference has them, and inside `error`, as the API sends them
    and as the official SDKs look for them to raise."""
    detail = {"type": kind, "code": code, "message": message, "param": param}
    return {"type": "error", "sequence_number": sequence, "code": code, "message": message, "param": param, "error": detail}


def render_event(error: RequestError) -> bytes:
    """An `error` event for a stream that has begun; nothing follows it."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    return b"event: error\ndata: " + msgspec.json.encode(event(kind, error.message, error.code, error.param, 0)) + b"\n\n"


def code_of(kind: ErrorClass) -> str:
    """The code that a failed response names for a class."""
    return _CODES.get(kind, "server_error")


def _known(code: str) -> ErrorClass | None:
    if code in _BAD_REQUEST:
        return "bad_request"
    return "content_filter" if code in _FILTERED else None
