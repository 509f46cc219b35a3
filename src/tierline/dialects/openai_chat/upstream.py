"""The neutral request → the body for an upstream: the client's own fields, with only what must change changed."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.json_body import Fields
from tierline.dialects.openai_chat import carried
from tierline.dialects.openai_chat.wire import StreamOptions
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_options = msgspec.json.Decoder(StreamOptions | None)
_ASK_USAGE = msgspec.Raw(b'{"include_usage":true}')
_TRUE = msgspec.Raw(b"true")
OWN_METADATA = ("x-tierline-", "tierline_")


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`."""
    fields: dict[str, Any] = {**request.raw, "model": model.upstream}
    if request.stream and not client_wants_usage(request):
        fields["stream_options"] = _with_usage(request)
    messages = request.raw.get("messages")
    if messages is not None and carried.MARK in bytes(messages):
        fields["messages"] = carried.without(messages)
    metadata = request.raw.get("metadata")
    if metadata is not None and b"tierline" in bytes(metadata):
        kept = _without_own(metadata)
        if kept:
            fields["metadata"] = kept
        else:
            del fields["metadata"]
    return _encode(fields)


def client_wants_usage(request: Request) -> bool:
    """Whether the client itself asked for the usage chunk at the end of a stream."""
    given = request.raw.get("stream_options")
    if given is None:
        return False
    try:
        options = _options.decode(given)
    except msgspec.DecodeError:
        return False
    return options is not None and options.include_usage is True


def _with_usage(request: Request) -> Fields | msgspec.Raw:
    given = request.raw.get("stream_options")
    if given is None or bytes(given) == b"null":
        return _ASK_USAGE
    try:
        return {**_fields.decode(given), "include_usage": _TRUE}
    except msgspec.DecodeError:
        return _ASK_USAGE


def _without_own(metadata: msgspec.Raw) -> Fields | msgspec.Raw:
    """The client's metadata without what it said to Tierline; what is no object is left as it is, for the upstream to refuse."""
    try:
        return {key: value for key, value in _fields.decode(metadata).items() if not key.startswith(OWN_METADATA)}
    except msgspec.DecodeError:
        return metadata
