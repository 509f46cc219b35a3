"""A whole answer ↔ the neutral form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from tierline.dialects.gemini import answer, citations, logprobs
from tierline.dialects.gemini.calls import given
from tierline.dialects.gemini.carried import Carried, packed
from tierline.dialects.gemini.decode import Reading
from tierline.dialects.gemini.media import mime_of
from tierline.dialects.gemini.parts import arguments_of
from tierline.dialects.gemini.wire import NAME, AnswerBody
from tierline.dialects.json_body import Fields
from tierline.types.completion import (
    AnswerPart,
    Cited,
    Completion,
    CompletionChoice,
    Event,
    Finish,
    Finished,
    PartDelta,
    PartStarted,
    Signed,
    Started,
)
from tierline.types.conversation import Citation, Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import NO_USAGE
from tierline.types.request import Request

Wire = dict[str, Any]
STOP_REASONS: dict[Finish, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "stop_sequence": "STOP",
    "pause": "OTHER",
    "error": "OTHER",
}
"""Neutral stop reasons → Google's. A pause has none of its own: Google's CONTINUATION makes clients go on by a token that we have not."""
_answer = msgspec.json.Decoder(AnswerBody)
_fields = msgspec.json.Decoder(Fields)


def read(body: bytes) -> Completion:
    """A whole answer of an upstream; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    wire = answer.decoded(_answer, body)
    reading = Reading()
    try:
        found = reading.read(wire)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise ProviderFailure("malformed", f"the upstream's answer has another shape than Google's: {fault}") from None
    if not reading.choices:
        raise ProviderFailure("malformed", "the upstream's answer has no candidates")
    for choice in reading.choices.values():
        if not choice.finished:
            found.extend(choice.finish(None))
    begun = next(event for event in found if isinstance(event, Started))
    choices = [_choice([event for event in found if getattr(event, "choice", None) == index]) for index in sorted(reading.choices)]
    return Completion(NAME, begun.id, begun.model, tuple(choices), reading.usage or NO_USAGE, begun.created)


def render(completion: Completion, request: Request) -> bytes:
    """A whole answer as a client expects it; the model is named as the client named it."""
    wire: Wire = {
        "candidates": [_candidate(index, choice) for index, choice in enumerate(completion.choices)],
        "usageMetadata": answer.render_usage(completion.usage),
        "modelVersion": request.model,
        "responseId": completion.id or request.id,
    }
    if completion.created:
        wire["createTime"] = datetime.fromtimestamp(completion.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return msgspec.json.encode(wire)


def client_parts(part: AnswerPart) -> list[Wire]:
    """A part as a client gets it, none where Gemini has no form for it; what another dialect signed is carried (see `carried`)."""
    match part:
        case Text() | Refusal():
            return [{"text": part.text}] if part.text else []
        case Thinking():
            return thought(part)
        case ToolCall():
            arguments, _ = arguments_of(part.arguments)
            wire: Wire = {"functionCall": {**given(part.id), "name": part.name, "args": arguments}}
            return [{**wire, **_signature(part.by, Carried(part.by, signature=part.signature))}]
        case Media() if part.data:
            return [{"inlineData": {"mimeType": mime_of(part.kind, part.mime), "data": part.data}}]
        case Media() if part.url:
            return [{"fileData": {"mimeType": mime_of(part.kind, part.mime, part.url), "fileUri": part.url}}]
        case Foreign() if part.by == NAME:
            return [dict(_fields.decode(part.raw))]
    return []


def thought(part: Thinking) -> list[Wire]:
    """A thinking part: Google's own signature without words stands on an empty text, as Google writes it."""
    signed = _signature(part.by, Carried(part.by, part.id, part.signature, part.sealed))
    if part.by == NAME and signed and not part.text:
        return [{"text": "", **signed}]
    return [{"text": part.text, "thought": True, **signed}] if part.text or signed else []


def _signature(by: str, what: Carried) -> Wire:
    if not what.signature and not what.sealed:
        return {}
    return {"thoughtSignature": what.signature if by == NAME else packed(what)}


def _candidate(index: int, choice: CompletionChoice) -> Wire:
    parts = [wire for part in choice.parts for wire in client_parts(part)]
    wire: Wire = {"content": {"parts": parts, "role": "model"}, "finishReason": STOP_REASONS[choice.finish], "index": index}
    texts = [part for part in choice.parts if isinstance(part, Text)]
    if cited := [citation for text in texts for citation in text.citations]:
        wire["groundingMetadata"] = citations.written(cited, "".join([text.text for text in texts]))
    if choice.logprobs and (weights := logprobs.written(choice.logprobs)):
        wire["logprobsResult"] = weights
    return wire


def _choice(events: Iterable[Event]) -> CompletionChoice:
    """The events of one choice, joined."""
    parts: list[AnswerPart] = []
    weights: list[bytes] = []
    finish: Finish = "stop"
    for event in events:
        match event:
            case PartStarted():
                parts.append(event.part)
            case PartDelta():
                parts[-1] = _longer(parts[-1], event.text)
                weights.extend([event.logprobs] if event.logprobs else [])
            case Signed():
                parts[-1] = _with_signature(parts[-1], event.signature)
            case Cited():
                parts[-1] = _with_citation(parts[-1], event.citation)
            case Finished():
                finish = event.finish
    return CompletionChoice(tuple(parts), finish, logprobs=logprobs.joined(weights))


def _longer(part: AnswerPart, text: str) -> AnswerPart:
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments=part.arguments + text)
    return msgspec.structs.replace(part, text=part.text + text) if isinstance(part, Text | Thinking) else part


def _with_signature(part: AnswerPart, signature: str) -> AnswerPart:
    return msgspec.structs.replace(part, signature=signature) if isinstance(part, Thinking | ToolCall) else part


def _with_citation(part: AnswerPart, citation: Citation) -> AnswerPart:
    return msgspec.structs.replace(part, citations=(*part.citations, citation)) if isinstance(part, Text) else part
