"""The neutral request → the body for an upstream: the client's own fields, with only what must change changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_responses import seal
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_OWN_METADATA = ("x-tierline-", "tierline_")


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`. Reasoning that Tierline sealed for the client on behalf
    of another dialect is left out: this upstream did not make it."""
    fields: dict[str, Any] = {**request.raw, "model": model.upstream}
    if "metadata" in fields and b"tierline" in bytes(request.raw["metadata"]):
        given_metadata = lenient.decode(_fields, request.raw["metadata"])
        if kept := without_own(given_metadata):
            fields["metadata"] = kept
        else:
            del fields["metadata"]
    given = request.raw.get("input")
    if given is not None and seal.MARK in bytes(given):
        fields["input"] = [item for item in lenient.decode(_items, given) if seal.MARK not in bytes(item) or not seal.is_sealed(item)]
    return _encode(fields)


def without_own(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata without what was meant for the gateway alone."""
    return {key: value for key, value in metadata.items() if not key.startswith(_OWN_METADATA)}
