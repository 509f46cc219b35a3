"""A whole answer ↔ the neutral form."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import answer
from tierline.dialects.anthropic_messages.blocks import Wire, block_of, tool_id
from tierline.dialects.anthropic_messages.carried import Carried, packed
from tierline.dialects.anthropic_messages.parts import part_of, signed
from tierline.dialects.anthropic_messages.wire import NAME
from tierline.types.completion import AnswerPart, Completion, CompletionChoice, Finish
from tierline.types.conversation import Citation, Foreign, Media, Part, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import NO_USAGE
from tierline.types.request import Request

STOP_REASONS: dict[Finish, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
    "pause": "pause_turn",
}
"""Neutral stop reasons → Anthropic's; `error` has none, and is told as null."""


def read(body: bytes) -> Completion:
    """A whole answer of an upstream; raises ProviderFailure: malformed, or the class of an error sent with status 200."""
    wire = answer.decoded(body)
    try:
        parts = tuple([answer_part(part) for part in signed([part_of(bytes(raw)) for raw in wire.content or ()])])
    except (msgspec.DecodeError, RecursionError) as fault:
        raise ProviderFailure("malformed", f"the upstream's answer has another shape than Anthropic's: {fault}") from None
    finish = answer.FINISH.get(wire.stop_reason or "end_turn", "stop")
    choice = CompletionChoice(parts, finish, wire.stop_sequence or "")
    return Completion(NAME, wire.id, wire.model or "", (choice,), answer.usage(wire.usage) or NO_USAGE)


def render(completion: Completion, request: Request) -> bytes:
    """A whole answer as a client expects it: the first choice, the model named as the client named it."""
    choice = completion.choices[0] if completion.choices else CompletionChoice(())
    content: list[Wire] = []
    for part in choice.parts:
        content.extend(client_blocks(part, f"{completion.id}_{len(content)}"))
    called = any(isinstance(part, ToolCall) for part in choice.parts)
    return msgspec.json.encode(
        {
            "id": completion.id or f"msg_{request.id}",
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": content,
            **stopped(choice.finish, choice.stop_sequence, called),
            "usage": answer.render_usage(completion.usage),
        }
    )


def answer_part(part: Part) -> AnswerPart:
    """A block of an answer as a part of one; a tool's result in it is the server's own, and stays Anthropic's."""
    if isinstance(part, AnswerPart):
        return part
    return Foreign(NAME, "tool_result", msgspec.json.encode(block_of(part, {})))


def stopped(finish: Finish, stop_sequence: str, called: bool) -> dict[str, Any]:
    """`stop_reason` and `stop_sequence`. Some upstreams say that they just stopped when they called a tool (`called`)."""
    reason = STOP_REASONS.get("tool_calls" if called and finish == "stop" else finish)
    return {"stop_reason": reason, "stop_sequence": stop_sequence or None}


def client_blocks(part: AnswerPart, name: str) -> list[Wire]:
    """A part as the blocks a client gets, none where it has no form for them; `name` makes an id for a tool call without one.

    What another dialect signed is carried (see `carried`)."""
    match part:
        case Thinking() if part.by != NAME:
            return [foreign_thinking(part)]
        case ToolCall():
            wire = block_of(with_id(part, name), {})
            carrier = call_carrier(with_id(part, name))
            return [block for block in (wire, carrier) if block is not None]
        case Text():
            cited = [told for citation in part.citations if (told := client_citation(citation)) is not None]
            wire = block_of(msgspec.structs.replace(part, citations=()), {})
            return [{**wire, **({"citations": cited} if cited else {})}] if wire is not None else []
        case Media():
            return []
    wire = block_of(part, {})
    return [] if wire is None else [wire]


def with_id(call: ToolCall, name: str) -> ToolCall:
    """The call with an id that Anthropic's clients take."""
    return msgspec.structs.replace(call, id=tool_id(call.id or f"toolu_{name}"))


def foreign_thinking(part: Thinking) -> Wire:
    """Another dialect's thinking as a block, its signature carried."""
    carrier = packed(Carried(part.by, part.id, part.signature, part.sealed))
    if part.text or not part.sealed:
        return {"type": "thinking", "thinking": part.text, "signature": carrier}
    return {"type": "redacted_thinking", "data": carrier}


def call_carrier(call: ToolCall) -> Wire | None:
    """The block that carries the signature of a tool call."""
    if not call.signature or call.by in ("", NAME):
        return None
    return {"type": "redacted_thinking", "data": packed(Carried(call.by, signature=call.signature, call=call.id))}


def client_citation(citation: Citation) -> Any:
    """A citation as a client gets it: Anthropic's own untouched, another's by its address; None where it has none."""
    if citation.by == NAME and citation.raw:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "cited_text": citation.quoted,
        "encrypted_index": packed(Carried(citation.by)),
    }
