"""An upstream's whole body → answer and usage, and the other bodies that clients are sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tierline.dialects.gemini import errors
from tierline.dialects.gemini.wire import NAME, AnswerBody, EmbedAnswer, PromptFeedback, SeenAnswer, SeenPart, WireUsage, told
from tierline.types.completion import Finish
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Answer, Usage

T = TypeVar("T", AnswerBody, SeenAnswer, EmbedAnswer)
_seen = msgspec.json.Decoder(SeenAnswer)
_embed = msgspec.json.Decoder(EmbedAnswer)
_usage = msgspec.json.Decoder(WireUsage | None)
_FILTERED: tuple[str, ...] = (
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
)
_FAILED: tuple[str, ...] = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE"),
    *("OTHER", "IMAGE_OTHER", "NO_IMAGE", "PUP_LIMITED_DISABLED"),
)
FINISH: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "pause",
    **dict.fromkeys(_FILTERED, "content_filter"),
    **dict.fromkeys(_FAILED, "error"),
}
"""Google's stop reasons → the neutral ones; words nobody knows count as `stop`. A stop with a function call is `tool_calls`."""
ROUTED = {"pause": "stop"}
"""What of these routing calls by another word (see `types.outcome.Answer`)."""


def chat(body: bytes) -> tuple[Answer, Usage | None]:
    """A GenerateContentResponse; raises ProviderFailure."""
    wire = decoded(_seen, body)
    if not wire.candidates:
        if not blocked(wire.prompt_feedback):
            raise ProviderFailure("malformed", "the upstream's answer has no candidates")
        return Answer(NAME, body, finish="content_filter", served_model=wire.model_version or ""), usage(wire.usage_metadata)
    first = wire.candidates[0]
    parts = (first.content.parts or []) if first.content is not None else []
    finish = finish_of(first.finish_reason, any(told(part.function_call) for part in parts))
    text = "".join([part.text for part in parts if part.text and not part.thought])
    answer = Answer(NAME, body, text, ROUTED.get(finish, finish), wire.model_version or "")
    return answer, usage(wire.usage_metadata)


def embeddings(body: bytes) -> tuple[Answer, Usage | None]:
    """An embeddings answer; its text is empty. Raises ProviderFailure."""
    wire = decoded(_embed, body)
    if not wire.embeddings and not told(wire.embedding):
        raise ProviderFailure("malformed", "the upstream's answer has no embeddings")
    return Answer(NAME, body), usage(wire.usage_metadata)


def finish_of(reason: str | None, called: bool) -> Finish:
    """The neutral stop reason; `called`: the answer calls a function."""
    finish = FINISH.get(reason or "STOP", "stop")
    return "tool_calls" if called and finish == "stop" else finish


def blocked(feedback: PromptFeedback | None) -> bool:
    """Whether the prompt was refused."""
    return feedback is not None and bool(feedback.block_reason)


def spoken(part: SeenPart) -> bool:
    """Whether a part holds anything a client sees."""
    return bool(part.text) or told(part.function_call) or told(part.inline_data) or told(part.executable_code)


def usage(raw: msgspec.Raw | bytes) -> Usage | None:
    """The upstream's own count, thoughts counted as output; None where it sent none or one that cannot be read."""
    if not told(raw):
        return None
    try:
        wire = _usage.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if wire is None or (wire.prompt_token_count is None and wire.candidates_token_count is None):
        return None
    thoughts = max(wire.thoughts_token_count or 0, 0)
    return Usage(
        input=max(wire.prompt_token_count or 0, 0) + max(wire.tool_use_prompt_token_count or 0, 0),
        output=max(wire.candidates_token_count or 0, 0) + thoughts,
        cached=max(wire.cached_content_token_count or 0, 0),
        reasoning=thoughts,
    )


def render_usage(usage: Usage) -> dict[str, int]:
    """Neutral usage as Google counts."""
    wire = {"promptTokenCount": usage.input, "candidatesTokenCount": max(usage.output - usage.reasoning, 0)}
    if usage.reasoning:
        wire["thoughtsTokenCount"] = usage.reasoning
    if usage.cached:
        wire["cachedContentTokenCount"] = usage.cached
    return {**wire, "totalTokenCount": usage.input + usage.output}


def models(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """The body of GET /v1beta/models, all on one page."""
    return msgspec.json.encode({"models": [_model(entry) for entry in entries]})


def _model(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"models/{entry['id']}",
        "version": "001",
        "displayName": entry.get("display_name", entry["id"]),
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
    }


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body of an answer; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    try:
        wire = decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise errors.inside(body) or _misshapen(fault) from None
    except RecursionError:
        raise ProviderFailure("malformed", "the upstream's answer is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        wire = _second_reading(decoder, body)
    if told(wire.error):
        raise errors.inside(body) or ProviderFailure("server", "the upstream sent an error with status 200")
    return wire


def _second_reading(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The same JSON without what msgspec refuses (lone surrogates); raises ProviderFailure when it is no JSON at all."""
    try:
        return decoder.decode(json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except msgspec.ValidationError as fault:
        raise _misshapen(fault) from None
    except (ValueError, RecursionError):
        shown = "an HTML page" if body[:200].lstrip().lower().startswith((b"<!doctype", b"<html")) else f"{len(body)} bytes"
        raise ProviderFailure("malformed", f"the upstream's answer is not JSON but {shown}") from None


def _misshapen(fault: msgspec.ValidationError) -> ProviderFailure:
    return ProviderFailure("malformed", f"the upstream's answer has another shape than Google's: {fault}")
