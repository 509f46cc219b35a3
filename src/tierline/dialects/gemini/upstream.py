"""The neutral request → path and body for an upstream: the client's own fields, with only what must change changed."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from tierline.dialects.gemini.carried import MARK
from tierline.dialects.gemini.generation import SKIP_SIGNATURE, must_sign
from tierline.dialects.json_body import Fields
from tierline.types.catalog import Model
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_list = msgspec.json.Decoder(list[Fields] | Fields)
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
    return f"/{_resource(model)}:{method}"


def body(request: Request, model: Model) -> bytes:
    """The request's own fields as JSON, in the client's order, for `model`."""
    fields = dict(request.raw)
    if "model" in fields:
        fields["model"] = msgspec.Raw(_encode(_resource(model)))
    if request.kind == "embeddings" and "requests" in fields:
        named = msgspec.Raw(_encode(_resource(model)))
        fields["requests"] = [{**entry, "model": named} for entry in _many(fields["requests"])]
    if _MARKED in bytes(fields.get("contents", b"")):
        fields["contents"] = _without_carried(fields["contents"], model)
    if b"tierline" in bytes(fields.get("labels", b"")):
        kept = {key: value for key, value in _fields.decode(fields["labels"]).items() if not key.startswith(_OWN_LABELS)}
        fields["labels"] = kept
        if not kept:
            del fields["labels"]
    return _encode(fields)


def _resource(model: Model) -> str:
    name = model.upstream if model.upstream.startswith(_ROOTS) else f"models/{model.upstream}"
    return quote(name, safe="/-._~@")


def _many(raw: msgspec.Raw) -> list[Fields]:
    found = _list.decode(raw)
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
