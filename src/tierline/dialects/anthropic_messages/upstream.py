"""The neutral request → the body for an upstream of the same dialect: the client's own fields, with only what must change changed."""

from __future__ import annotations

import msgspec

from tierline.dialects.anthropic_messages import carried
from tierline.dialects.json_body import Fields
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_OWN_METADATA = ("x-tierline-", "tierline_")


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`. Tierline's own metadata is taken out, and so is what
    Tierline has made up for this client from another dialect's answer: Anthropic did not sign it."""
    fields = {**request.raw, "model": model.upstream}
    if "metadata" in fields and b"tierline" in bytes(request.raw["metadata"]):
        kept = {key: value for key, value in _fields.decode(request.raw["metadata"]).items() if not key.startswith(_OWN_METADATA)}
        if kept:
            fields["metadata"] = kept
        else:
            del fields["metadata"]
    if carried.MARK_BYTES in bytes(request.raw["messages"]):
        fields["messages"] = carried.without(request.raw["messages"])
    return _encode(fields)
