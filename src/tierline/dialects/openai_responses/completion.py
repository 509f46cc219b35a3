"""Whole answers: an upstream's → the neutral completion, and that → a client's."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_responses import answer, response, tool_names
from tierline.dialects.openai_responses.expand_items import call_of, said_of, thinking_of
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.output import Output
from tierline.dialects.openai_responses.parse import kind_of, text_of
from tierline.dialects.openai_responses.wire import Content, Item, Raw, WireResponse
from tierline.types.completion import AnswerPart, Completion, CompletionChoice
from tierline.types.conversation import Foreign, Media, Refusal, Text, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import NO_USAGE
from tierline.types.request import Request

_item = msgspec.json.Decoder(Item)
_content = msgspec.json.Decoder(Content)
_raws = msgspec.json.Decoder(list[Raw])
_NULL = (b"", b"null", b"[]")


def read(body: bytes) -> Completion:
    """An upstream's whole answer; raises ProviderFailure."""
    wire = answer.decoded(body)
    parts, logprobs = parts_of(wire.output or [])
    choice = CompletionChoice(parts, finish_of(wire, parts), logprobs=logprobs)
    created = int(wire.created_at or 0)
    return Completion(NAME, wire.id or "", wire.model or "", (choice,), answer.usage(wire.usage) or NO_USAGE, created)


def finish_of(wire: WireResponse, parts: tuple[AnswerPart, ...]) -> Any:
    """The neutral stop reason of a response with such parts."""
    called, refused = (any(isinstance(part, kind) for part in parts) for kind in (ToolCall, Refusal))
    return answer.finish_of(wire, called=called, refused=refused)


def parts_of(output: list[Raw]) -> tuple[tuple[AnswerPart, ...], bytes]:
    """The parts that output items hold, and their log probabilities; raises ProviderFailure(malformed)."""
    parts: list[AnswerPart] = []
    logprobs: list[Raw] = []
    for raw in output:
        try:
            parts += parts_of_item(raw, logprobs)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise ProviderFailure("malformed", f"an item of the upstream's answer has another shape than OpenAI's: {fault}") from None
    return tuple(parts), msgspec.json.encode({"content": logprobs}) if logprobs else b""


def parts_of_item(raw: Raw, logprobs: list[Raw]) -> list[AnswerPart]:
    """The parts of one output item; adds to `logprobs`. Raises msgspec.DecodeError."""
    item = lenient.decode(_item, raw)
    match kind_of(item):
        case "message":
            contents = lenient.decode(_raws, item.content) if bytes(item.content) not in _NULL else []
            return [_said(entry, logprobs) for entry in contents]
        case "reasoning":
            return [*thinking_of(item)]
        case "function_call" | "custom_tool_call":
            return [call_of(item)]
        case "image_generation_call" if bytes(item.result) not in _NULL:
            return [Media("image", data=text_of(item.result), mime=f"image/{text_of(item.output_format) or 'png'}")]
        case kind:
            return [Foreign(NAME, kind, bytes(raw))]


def render(completion: Completion, request: Request) -> bytes:
    """A client's whole answer. This API gives one choice: the first. Its log probabilities stand at the first text."""
    suffix = response.suffix_of(completion.id, request)
    output = Output(_nobody, suffix, tool_names.table(request.raw.get("tools")))
    choice = completion.choices[0] if completion.choices else CompletionChoice(())
    logprobs = choice.logprobs
    for part in choice.parts:
        output.begin(part, logprobs if isinstance(part, Text) else b"")
        output.end()
        logprobs = b"" if isinstance(part, Text) else logprobs
    output.close("incomplete" if choice.finish == "length" else "completed")
    begun = response.begun(suffix, completion.created, request)
    return msgspec.json.encode(response.ended(begun, output.items, choice.finish, output.refused, completion.usage))


def _said(raw: Raw, logprobs: list[Raw]) -> AnswerPart:
    content = _content.decode(raw)
    if bytes(content.logprobs) not in _NULL:
        logprobs += _raws.decode(content.logprobs)
    return said_of(content, raw)


def _nobody(kind: str, fields: dict[str, Any]) -> None:
    """Listens to no events."""
