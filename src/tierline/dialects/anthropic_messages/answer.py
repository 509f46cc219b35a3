"""An upstream's whole body → answer and usage, and the other bodies that clients are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import errors
from tierline.dialects.anthropic_messages.wire import NAME, AnswerBody, Block, WireUsage
from tierline.types.completion import Finish
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Answer, Usage

_answer = msgspec.json.Decoder(AnswerBody)
_block = msgspec.json.Decoder(Block)
_count = msgspec.json.Decoder(WireUsage)
FINISH: dict[str, Finish] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
}
"""Anthropic's stop reasons → the neutral ones; words nobody knows count as `stop`."""
ROUTED = {"stop_sequence": "stop", "pause": "stop", "refusal": "content_filter"}
"""What of these routing calls by another word (see `types.outcome.Answer`)."""


def chat(body: bytes) -> tuple[Answer, Usage | None]:
    """A message; raises ProviderFailure."""
    wire = decoded(body)
    finish = FINISH.get(wire.stop_reason or "end_turn", "stop")
    answer = Answer(
        dialect=NAME,
        body=body,
        text="".join([_text(raw) for raw in wire.content or ()]),
        finish=ROUTED.get(finish, finish),
        served_model=wire.model or "",
    )
    return answer, usage(wire.usage)


def decoded(body: bytes) -> AnswerBody:
    """The body of an answer; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    try:
        wire = _answer.decode(body)
    except msgspec.ValidationError as fault:
        raise errors.inside(body) or ProviderFailure(
            "malformed", f"the upstream's answer has another shape than Anthropic's: {fault}"
        ) from None
    except RecursionError:
        raise ProviderFailure("malformed", "the upstream's answer is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        wire = _second_reading(body)
    if bytes(wire.error) not in (b"", b"null"):
        raise errors.inside(body) or ProviderFailure("server", "the upstream sent an error with status 200")
    if wire.content is None:
        raise ProviderFailure("malformed", "the upstream's answer has no content")
    return wire


def usage(wire: WireUsage | None, before: Usage | None = None) -> Usage | None:
    """The upstream's own count, all input counted as input; None where it sent none. What it leaves out stays as it was `before`.

    Negative counts are read as zero."""
    if wire is None or (wire.input_tokens is None and wire.output_tokens is None):
        return before
    old = before or Usage()
    cached = _told(wire.cache_read_input_tokens, old.cached)
    written = _told(wire.cache_creation_input_tokens, old.cache_written)
    plain = _told(wire.input_tokens, old.input - old.cached - old.cache_written)
    details = wire.output_tokens_details
    return Usage(
        input=plain + cached + written,
        output=_told(wire.output_tokens, old.output),
        cached=cached,
        cache_written=written,
        reasoning=_told(details.thinking_tokens, old.reasoning) if details is not None else old.reasoning,
    )


def render_usage(usage: Usage) -> dict[str, Any]:
    """Neutral usage as Anthropic counts: `input_tokens` without what the cache held or took."""
    wire: dict[str, Any] = {
        "input_tokens": max(usage.input - usage.cached - usage.cache_written, 0),
        "cache_creation_input_tokens": usage.cache_written,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return wire


def models(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The body of GET /v1/models, all on one page."""
    data = [_model(entry) for entry in entries]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return msgspec.json.encode({"data": data, "has_more": False, **ends})


def _model(entry: Mapping[str, Any]) -> dict[str, Any]:
    created = datetime.fromtimestamp(int(entry.get("created", 0)), UTC)
    return {
        "type": "model",
        "id": entry["id"],
        "display_name": entry.get("display_name", entry["id"]),
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }


def count(tokens: int) -> bytes:
    """The body that answers a count of tokens."""
    return msgspec.json.encode({"input_tokens": tokens})


def read_count(body: bytes) -> int:
    """The tokens that an upstream counted; raises ProviderFailure(malformed)."""
    try:
        tokens = _count.decode(body).input_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        tokens = None
    if tokens is None or tokens < 0:
        raise ProviderFailure("malformed", "the upstream's answer is no count of tokens")
    return tokens


def _second_reading(body: bytes) -> AnswerBody:
    """The same JSON without what msgspec refuses (lone surrogates); raises ProviderFailure when it is no JSON at all."""
    try:
        return _answer.decode(json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except msgspec.ValidationError as fault:
        raise ProviderFailure("malformed", f"the upstream's answer has another shape than Anthropic's: {fault}") from None
    except (ValueError, RecursionError):
        shown = "an HTML page" if body[:200].lstrip().lower().startswith((b"<!doctype", b"<html")) else f"{len(body)} bytes"
        raise ProviderFailure("malformed", f"the upstream's answer is not JSON but {shown}") from None


def _text(raw: msgspec.Raw) -> str:
    try:
        block = _block.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return block.text or "" if block.type == "text" else ""


def _told(count: int | None, otherwise: int) -> int:
    return max(otherwise if count is None else count, 0)
