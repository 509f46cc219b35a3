"""countTokens: a request that is counted and not answered."""

from __future__ import annotations

import msgspec

from tierline.dialects.gemini import parse, upstream
from tierline.dialects.gemini.wire import NOTHING, told
from tierline.dialects.json_body import fields_and_view
from tierline.types.catalog import Model
from tierline.types.errors import ProviderFailure
from tierline.types.request import Request

_WRAPPED = ("generateContentRequest", "generate_content_request")


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int | None = None


_encode = msgspec.json.Encoder().encode
_count = msgspec.json.Decoder(_Count)


def request(body: bytes) -> Request:
    """The body of countTokens, plain or as `generateContentRequest`, → a neutral request; raises BadRequest."""
    raw, _ = fields_and_view(body)
    inner = next((raw[name] for name in _WRAPPED if told(raw.get(name, NOTHING))), None)
    return parse.chat(body if inner is None else bytes(inner))


def body(counted: Request, model: Model) -> bytes:
    """The body for an upstream: the contents alone as they are, and with anything else as `generateContentRequest`."""
    plain = upstream.body(counted, model)
    if counted.raw.keys() <= {"contents"}:
        return plain
    fields = {**msgspec.json.decode(plain, type=dict[str, msgspec.Raw]), "model": upstream.resource(model)}
    return _encode({"generateContentRequest": fields})


def read(body_: bytes) -> int:
    """The tokens that an upstream counted; raises ProviderFailure(malformed)."""
    try:
        tokens = _count.decode(body_).total_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        tokens = None
    if tokens is None or tokens < 0:
        raise ProviderFailure("malformed", "the upstream's answer is no count of tokens")
    return tokens


def render(tokens: int) -> bytes:
    """`{"totalTokens": tokens}`."""
    return _encode({"totalTokens": tokens})
