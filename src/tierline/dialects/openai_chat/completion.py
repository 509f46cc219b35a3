"""Whole answers: an upstream's → the neutral completion, and that → a client's."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import custom_tools
from tierline.dialects.openai_chat import answer, call_ids, finer
from tierline.dialects.openai_chat.carried import FIELD, Carrier
from tierline.dialects.openai_chat.citations import annotation_of, cited
from tierline.dialects.openai_chat.client import Client
from tierline.dialects.openai_chat.finer import NAME, Object
from tierline.dialects.openai_chat.parts import Wire
from tierline.types.completion import AnswerPart, Completion, CompletionChoice, Finish
from tierline.types.conversation import Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Request

Raw = msgspec.Raw
_NULL = (b"", b"null")


class Function(msgspec.Struct):
    """What was called; `input` is the plain text of a custom tool."""

    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class Call(msgspec.Struct):
    """An entry of `tool_calls`, whole or in a delta."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None
    custom: Function | None = None


class Content(msgspec.Struct):
    """A part of content that came as a list; `thinking` is how some servers send reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    thinking: list[Any] | str | None = None


class ImageUrl(msgspec.Struct, frozen=True):
    """`image_url` of a picture."""

    url: str = ""


class Image(msgspec.Struct):
    """A picture that the model made, as compatible servers send it."""

    image_url: ImageUrl = ImageUrl()


class Message(msgspec.Struct):
    """The message of a choice, or its delta in a stream."""

    content: str | list[Content] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None
    annotations: list[Object] | None = None
    images: list[Image] | None = None
    audio: Raw = Raw(b"null")


class _Choice(msgspec.Struct):
    """One choice; `stop_reason` is the stop sequence, where a server tells it."""

    message: Message
    finish_reason: str | None = None
    logprobs: Raw = Raw(b"null")
    stop_reason: Any = None


class _Answer(msgspec.Struct):
    """A chat completion."""

    choices: list[_Choice] = []
    id: str | None = None
    model: str | None = None
    created: float | None = None
    usage: Raw = Raw(b"null")
    error: Raw = Raw(b"null")


_answer = msgspec.json.Decoder(_Answer)
_FINISH: dict[Finish, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "stop_sequence": "stop",
    "pause": "stop",
    "error": "error",
}


def read(body: bytes) -> Completion:
    """An upstream's whole answer; raises ProviderFailure."""
    wire = answer.decoded(_answer, body)
    if not wire.choices:
        raise ProviderFailure("malformed", "the upstream's answer has no choices")
    choices = tuple([_choice(choice, index, wire.id or "") for index, choice in enumerate(wire.choices)])
    return Completion(NAME, wire.id or "", wire.model or "", choices, answer.usage(wire.usage) or NO_USAGE, int(wire.created or 0))


def _choice(wire: _Choice, index: int, id: str) -> CompletionChoice:
    parts = _parts(wire.message, index, id)
    stopped = wire.stop_reason if isinstance(wire.stop_reason, str) else ""
    finish = neutral_finish(wire.finish_reason or "stop", refused=any(isinstance(part, Refusal) for part in parts), sequence=stopped)
    logprobs = b"" if bytes(wire.logprobs) in _NULL else bytes(wire.logprobs)
    return CompletionChoice(parts, finish, stopped if finish == "stop_sequence" else "", logprobs)


def neutral_finish(reason: str, *, refused: bool, sequence: str = "") -> Finish:
    """The neutral stop reason. `refused`: the answer is marked as a refusal; `sequence`: the stop sequence, where it was told."""
    finish: Any = answer.FINISH.get(reason, "stop")
    if finish == "stop" and refused:
        return "refusal"
    return "stop_sequence" if finish == "stop" and sequence else finish


def wire_finish(finish: Finish, *, refused: bool, legacy: bool = False) -> str:
    """OpenAI's stop reason. A refusal that is not marked as one counts as filtered; `legacy`: the client speaks of functions."""
    if finish == "refusal":
        return "stop" if refused else "content_filter"
    return "function_call" if legacy and finish == "tool_calls" else _FINISH[finish]


def _parts(message: Message, index: int, id: str) -> tuple[AnswerPart, ...]:
    parts: list[AnswerPart] = []
    if thought := message.reasoning_content or message.reasoning:
        parts.append(Thinking(thought, by=NAME))
    parts += words_of(message.content)
    if message.refusal:
        parts.append(Refusal(message.refusal))
    parts = cited(parts, message.annotations or ())
    parts += [media for image in message.images or () if (media := media_of(image)) is not None]
    if bytes(message.audio) not in _NULL:
        parts.append(Foreign(NAME, "audio", bytes(message.audio)))
    parts += [call_of(call, call_ids.made(id, index, at)) for at, call in enumerate(message.tool_calls or ())]
    if message.function_call is not None:
        parts.append(call_of(Call(function=message.function_call), call_ids.made(id, index, 0)))
    return tuple(parts)


def words_of(content: str | list[Content] | None) -> list[AnswerPart]:
    """The words of a content: all text is one part, for a client reads it as one."""
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    thoughts = [_thought(part.thinking) for part in content]
    texts = [part.text for part in content if part.text]
    refusals = [part.refusal for part in content if part.refusal]
    found: list[AnswerPart] = [Thinking(text, by=NAME) for text in thoughts if text]
    if texts:
        found.append(Text("".join(texts)))
    return [*found, *([Refusal("".join(refusals))] if refusals else [])]


def _thought(thinking: list[Any] | str | None) -> str:
    if thinking is None or isinstance(thinking, str):
        return thinking or ""
    return "".join([str(part.get("text") or "") for part in thinking if isinstance(part, dict)])


def media_of(image: Image) -> Media | None:
    """A picture; None where it is nowhere."""
    head, comma, data = image.image_url.url.partition(",")
    if not image.image_url.url.startswith("data:"):
        return Media("image", url=image.image_url.url) if image.image_url.url else None
    return Media("image", data=data, mime=head[5:].partition(";")[0]) if comma else None


def call_of(call: Call, default_id: str) -> ToolCall:
    """A call; one without an id gets `default_id`."""
    if call.custom is not None:
        arguments = custom_tools.as_arguments(call.custom.input or "")
        return ToolCall(call.id or default_id, call.custom.name or "", arguments, **finer.packed({"type": finer.CUSTOM}))
    function = call.function or Function()
    return ToolCall(call.id or default_id, function.name or "", function.arguments or "{}")


def render(completion: Completion, request: Request) -> bytes:
    """A client's whole answer, its model named as the client named it."""
    client = Client(request)
    body: Wire = {
        "id": completion.id or f"chatcmpl-{request.id}",
        "object": "chat.completion",
        "created": completion.created,
        "model": request.model,
        "choices": [_rendered(choice, index, client) for index, choice in enumerate(completion.choices)],
    }
    if completion.usage != NO_USAGE:
        body["usage"] = usage_of(completion.usage)
    return msgspec.json.encode(body)


def _rendered(choice: CompletionChoice, index: int, client: Client) -> Wire:
    refused = any(isinstance(part, Refusal) for part in choice.parts)
    reason = wire_finish(choice.finish, refused=refused, legacy=client.legacy)
    stopped = {"stop_reason": choice.stop_sequence} if choice.stop_sequence else {}
    logprobs = Raw(choice.logprobs) if choice.logprobs else None
    return {"index": index, "message": _message(choice, index, client), "logprobs": logprobs, "finish_reason": reason, **stopped}


def _message(choice: CompletionChoice, index: int, client: Client) -> Wire:
    said = [part.text for part in choice.parts if isinstance(part, Text)]
    refusals = [part.text for part in choice.parts if isinstance(part, Refusal)]
    thoughts = [part.text for part in choice.parts if isinstance(part, Thinking) and part.text]
    message: Wire = {"role": "assistant", "content": "".join(said) if said else None, "refusal": "".join(refusals) if refusals else None}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if details := _details(choice, index, client):
        message[FIELD] = details
    if annotations := _annotations(choice):
        message["annotations"] = annotations
    if images := [image_of(part) for part in choice.parts if isinstance(part, Media) and part.kind == "image"]:
        message["images"] = images
    message.update({part.kind: Raw(part.raw) for part in choice.parts if isinstance(part, Foreign) and part.by == NAME})
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    if calls and client.legacy:
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments or "{}"}
    elif calls:
        message["tool_calls"] = [client.call(call, index, at) for at, call in enumerate(calls)]
    return message


def _details(choice: CompletionChoice, index: int, client: Client) -> list[Wire]:
    """What others signed, for the client to bring back."""
    carrier = Carrier()
    found: list[Wire] = []
    called = 0
    for part in choice.parts:
        if isinstance(part, Thinking):
            found += carrier.thought(part, len(part.text), part.signature)
        elif isinstance(part, ToolCall):
            found += carrier.call(part, client.id_of(part, index, called), part.signature)
            called += 1
    return found


def _annotations(choice: CompletionChoice) -> list[Any]:
    found: list[Any] = []
    offset = 0
    for part in choice.parts:
        if isinstance(part, Text):
            told = [annotation_of(citation, offset, len(part.text)) for citation in part.citations]
            found += [annotation for annotation in told if annotation is not None]
            offset += len(part.text)
    return found


def image_of(part: Media) -> Wire:
    """A picture as compatible servers send it."""
    url = part.url or f"data:{part.mime or 'image/png'};base64,{part.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def usage_of(usage: Usage) -> Wire:
    """The counts in OpenAI's words."""
    written = {"cache_write_tokens": usage.cache_written} if usage.cache_written else {}
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, **written},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
