"""An upstream's whole body → answer and usage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from tierline.dialects.openai_chat import errors
from tierline.dialects.openai_chat.wire import AnswerMessage, ChatAnswer, EmbeddingsAnswer, WireUsage
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Answer, Usage


class _MayFail(Protocol):
    """An answer that may hold an error instead."""

    error: Any


T = TypeVar("T", bound=_MayFail)

_chat = msgspec.json.Decoder(ChatAnswer)
_embeddings = msgspec.json.Decoder(EmbeddingsAnswer)
_usage = msgspec.json.Decoder(WireUsage | None)
FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "error": "error",
}
"""OpenAI's stop reasons → the neutral ones; words nobody knows count as `stop`."""


def chat(body: bytes) -> tuple[Answer, Usage | None]:
    """A chat completion; raises ProviderFailure."""
    wire = decoded(_chat, body)
    if not wire.choices:
        raise ProviderFailure("malformed", "the upstream's answer has no choices")
    first = wire.choices[0]
    answer = Answer(
        dialect="openai_chat",
        body=body,
        text=_text(first.message),
        finish=FINISH.get(first.finish_reason or "stop", "stop"),
        served_model=wire.model or "",
    )
    return answer, usage(wire.usage)


def embeddings(body: bytes) -> tuple[Answer, Usage | None]:
    """An embeddings answer; its text is empty. Raises ProviderFailure."""
    wire = decoded(_embeddings, body)
    if not wire.data:
        raise ProviderFailure("malformed", "the upstream's answer has no embeddings")
    return Answer(dialect="openai_chat", body=body, served_model=wire.model or ""), usage(wire.usage)


def usage(raw: msgspec.Raw | bytes) -> Usage | None:
    """The upstream's own count; None where it sent none or one that cannot be read. Negative counts are read as zero."""
    if not bytes(raw):
        return None
    try:
        wire = _usage.decode(raw)
    except msgspec.DecodeError:
        return None
    if wire is None or (wire.prompt_tokens is None and wire.completion_tokens is None):
        return None
    cached = wire.prompt_tokens_details.cached_tokens if wire.prompt_tokens_details is not None else wire.prompt_cache_hit_tokens
    written = wire.prompt_tokens_details.cache_write_tokens if wire.prompt_tokens_details is not None else 0
    reasoning = wire.completion_tokens_details.reasoning_tokens if wire.completion_tokens_details is not None else 0
    return Usage(
        input=max(wire.prompt_tokens or 0, 0),
        output=max(wire.completion_tokens or 0, 0),
        cached=max(cached or 0, 0),
        cache_written=max(written or 0, 0),
        reasoning=max(reasoning or 0, 0),
    )


def models(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The body of GET /v1/models."""
    return msgspec.json.encode({"object": "list", "data": [{"object": "model", **entry} for entry in entries]})


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """An upstream's whole body; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    try:
        wire = decoder.decode(body)
    except msgspec.ValidationError as fault:
        failed = errors.inside(body)
        raise failed or ProviderFailure("malformed", f"the upstream's answer has another shape than OpenAI's: {fault}") from None
    except RecursionError:
        raise ProviderFailure("malformed", "the upstream's answer is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        wire = decoder.decode(_mended(body))
    if bytes(wire.error) not in (b"", b"null"):
        raise errors.inside(body) or ProviderFailure("server", "the upstream sent an error with status 200")
    return wire


def _mended(body: bytes) -> bytes:
    """The same JSON without what msgspec refuses (lone surrogates); raises ProviderFailure when it is no JSON at all."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        shown = "an HTML page" if body[:200].lstrip().lower().startswith((b"<!doctype", b"<html")) else f"{len(body)} bytes"
        raise ProviderFailure("malformed", f"the upstream's answer is not JSON but {shown}") from None


def _text(message: AnswerMessage) -> str:
    if isinstance(message.content, list):
        return "".join([part.text or "" for part in message.content])
    return message.content or message.refusal or ""
