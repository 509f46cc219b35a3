"""The neutral request → the body for an upstream: the client's own fields, with only what must change changed."""

from __future__ import annotations

import msgspec

from tierline.dialects.json_body import Fields
from tierline.dialects.openai_chat.wire import StreamOptions
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_options = msgspec.json.Decoder(StreamOptions | None)
_ASK_USAGE = msgspec.Raw(b'{"include_usage":true}')
_TRUE = msgspec.Raw(b"true")
_OWN_METADATA = ("x-tierline-", "tierline_")


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`."""
    fields = {**request.raw, "model": model.upstream}
    if request.stream and not client_wants_usage(request):
        fields["stream_options"] = _with_usage(request)
    if "metadata" in fields and b"tierline" in bytes(request.raw["metadata"]):
        kept = {key: value for key, value in _fields.decode(request.raw["metadata"]).items() if not key.startswith(_OWN_METADATA)}
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
    options = _options.decode(given)
    return options is not None and options.include_usage is True


def _with_usage(request: Request) -> Fields | msgspec.Raw:
    given = request.raw.get("stream_options")
    if given is None or bytes(given) == b"null":
        return _ASK_USAGE
    return {**_fields.decode(given), "include_usage": _TRUE}
