"""The neutral request → path and body for an upstream: the client's own fields, with only what must change changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from tierline.dialects.gemini.carried import MARK
from tierline.dialects.gemini.generation import SKIP_SIGNATURE, must_sign
from tierline.dialects.json_body import Fields, fields_and_view
from tierline.types.catalog import Model
from tierline.types.request import Kind, Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_list = msgspec.json.Decoder(list[Fields])
_one_or_many = msgspec.json.Decoder(list[Fields] | Fields)
_OWN_LABELS = ("x-tierline-", "tierline_")
_ROOTS = ("models/", "tunedModels/", "publishers/", "projects/", "endpoints/")
_MARKED = b'"' + MARK
_SIGNATURES = ("thoughtSignature", "thought_signature")


def path(request: Request, model: Model) -> str:
    """The method's path below the API's version; a stream is always asked for as server-sent events."""
    if request.kind == "embeddings":
        method = "batchEmbedContents" if "requests" in request.raw else "embedContent"
    else:
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
    return f"/{resource(model)}:{method}"


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`."""
    try:
        return _encode(_changed(request.raw, request.kind, model))
    except msgspec.DecodeError:
        _, view = fields_and_view(_encode(request.raw))
        return _encode(_changed(_fields.decode(view), request.kind, model))


def _changed(raw: Mapping[str, Any], kind: Kind, model: Model) -> dict[str, Any]:
    """The fields with what must change changed. Raises msgspec.DecodeError for JSON that msgspec refuses in one of these."""
    fields = dict(raw)
    if "model" in fields:
        fields["model"] = resource(model)
    if kind == "embeddings" and "requests" in fields:
        fields["requests"] = [{**entry, "model": resource(model)} for entry in _list.decode(fields["requests"])]
    if _MARKED in bytes(fields.get("contents", b"")):
        fields["contents"] = _without_carried(fields["contents"], model)
    if b"tierline" in bytes(fields.get("labels", b"")) and bytes(fields["labels"]).lstrip().startswith(b"{"):
        fields["labels"] = {key: value for key, value in _fields.decode(fields["labels"]).items() if not key.startswith(_OWN_LABELS)}
        if not fields["labels"]:
            del fields["labels"]
    return fields


def resource(model: Model) -> str:
    """The model's resource name, fit for a path."""
    name = model.upstream if model.upstream.startswith(_ROOTS) else f"models/{model.upstream}"
    return quote(name, safe="/-._~@")


def _many(raw: msgspec.Raw) -> list[Fields]:
    found = _one_or_many.decode(raw)
    return found if isinstance(found, list) else [found]


def _without_carried(contents: msgspec.Raw, model: Model) -> list[Fields]:
    """The contents without what another dialect signed: its thoughts go, its calls stay without the signature."""
    kept: list[Fields] = []
    for content in _many(contents):
        if _MARKED in bytes(content.get("parts", b"")):
            parts = [part for given in _many(content["parts"]) if (part := _unsigned(given, model)) is not None]
            if not parts:
                continue
            content["parts"] = msgspec.Raw(_encode(parts))
        kept.append(content)
    return kept


def _unsigned(part: Fields, model: Model) -> Fields | None:
    carried = [name for name in _SIGNATURES if bytes(part.get(name, b"")).startswith(_MARKED)]
    if not carried:
        return part
    kept = {name: value for name, value in part.items() if name not in carried}
    if "functionCall" in kept or "function_call" in kept:
        return {**kept, "thoughtSignature": msgspec.Raw(_encode(SKIP_SIGNATURE))} if must_sign(model.upstream) else kept
    return kept if bytes(kept.get("text", b'""')) != b'""' and bytes(kept.get("thought", b"")) != b"true" else None
