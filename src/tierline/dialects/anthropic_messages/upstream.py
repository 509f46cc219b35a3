"""The neutral request → the body for an upstream of the same dialect: the client's own fields, with only what must change changed."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import carried, reasoning
from tierline.dialects.anthropic_messages.generation import generation, within_output
from tierline.dialects.anthropic_messages.turns import open_loop
from tierline.dialects.json_body import Fields
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_FITTED = frozenset(("thinking", "output_config", "tool_choice", "temperature", "top_p", "top_k"))
_OWN_METADATA = ("x-tierline-", "tierline_")


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`. Tierline's own metadata is taken out, and so is what
    Tierline has made up for this client from another dialect's answer: Anthropic did not sign it. Thinking and sampling are
    written as a model of its generation takes them."""
    fields = {**request.raw, "model": model.upstream}
    if "metadata" in fields and b"tierline" in bytes(request.raw["metadata"]):
        kept = {key: value for key, value in _fields.decode(request.raw["metadata"]).items() if not key.startswith(_OWN_METADATA)}
        if kept:
            fields["metadata"] = kept
        else:
            del fields["metadata"]
    if carried.MARK_BYTES in bytes(request.raw["messages"]):
        fields["messages"] = carried.without(request.raw["messages"])
    if model.max_output and (request.params.max_tokens or 0) > model.max_output:
        fields["max_tokens"] = model.max_output
    if not _FITTED.isdisjoint(request.raw):
        _fit(fields, request, model)
    return _encode(fields)


def _fit(fields: dict[str, Any], request: Request, model: Model) -> None:
    """What one generation of Claude requires and the next refuses: the client did not know which it would reach."""
    version = generation(model.upstream)
    if version is None:
        return
    given = {key: msgspec.json.decode(request.raw[key]) for key in _FITTED if bytes(request.raw.get(key, b"null")) != b"null"}
    fitted = dict(given)
    reasoning.fit(fitted, version, within_output(request.params.max_tokens, model), lambda: _unsuited(request), {})
    for key in given:
        if key not in fitted:
            del fields[key]
    fields.update({key: value for key, value in fitted.items() if key not in given or value != given[key]})


def _unsuited(request: Request) -> bool:
    forced = request.params.tool_choice not in ("auto", "none")
    return forced or open_loop(msgspec.json.decode(request.raw["messages"]))
