"""The entries of `input` → turns: what one side says in a row stands in one turn, as the other dialects have it."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.openai_responses import finer, seal, tool_names
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.parse import content_of, data_url, kind_of, role_of, text_of
from tierline.dialects.openai_responses.wire import Content, Item, Raw
from tierline.types.conversation import Citation, Foreign, Media, Part, Refusal, Role, Text, Thinking, ToolCall, ToolResult, Turn

DEFAULT_TTL = "5m"
"""What a cache breakpoint without a time to live is called."""

_item = msgspec.json.Decoder(Item)
_raws = msgspec.json.Decoder(list[Raw] | str | None)
_contents = msgspec.json.Decoder(list[Content] | None)
_AUDIO_MIME = {"mp3": "audio/mpeg"}
_MESSAGE = frozenset({"type", "role", "content"})
_CALL = frozenset({"type", "call_id", "name", "arguments"})
_CUSTOM_CALL = frozenset({"call_id", "name", "input"})
_RESULT = frozenset({"type", "call_id", "output"})
_CUSTOM_RESULT = frozenset({"call_id", "output"})
_encode = msgspec.json.Encoder().encode


class Annotation(msgspec.Struct):
    """An entry of `annotations`."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


_annotations = msgspec.json.Decoder(list[Raw] | None)
_annotation = msgspec.json.Decoder(Annotation)


def turns(instructions: str, items: list[Raw]) -> tuple[Turn, ...]:
    """The conversation; `instructions` are its first turn. Raises BadRequest."""
    gathered = _Turns()
    if instructions:
        gathered.add("system", [Text(instructions, extra=finer.INSTRUCTIONS, by=NAME)], joins=False)
    for index, raw in enumerate(items):
        item = lenient.decode(_item, raw)
        match kind_of(item):
            case "message":
                role = role_of(index, item.role)
                gathered.message(msgspec.convert(role, Role), _message_parts(index, item, raw))
            case "reasoning":
                gathered.reasoning(item)
            case "function_call" | "custom_tool_call":
                gathered.call(_call(item, raw))
            case "function_call_output" | "custom_tool_call_output":
                gathered.result(_result(index, item, raw))
            case kind:
                role = "tool" if kind.endswith("_output") or kind == "mcp_approval_response" else "assistant"
                gathered.add(msgspec.convert(role, Role), [Foreign(NAME, kind, bytes(raw))])
    return gathered.finished()


class _Turns:
    """Gathers parts into turns: what the assistant says joins until another side speaks or it begins another message right after one."""

    __slots__ = ("_names", "_parts", "_role", "_said", "_turns")

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._role: Role = "system"
        self._parts: list[Part] | None = None
        self._said = False
        self._names: dict[str, str] = {}

    def message(self, role: Role, parts: list[Part]) -> None:
        self.add(role, parts, joins=role == "assistant" and not self._said)
        self._said = role == "assistant"

    def call(self, call: ToolCall) -> None:
        self._names[call.id] = call.name
        self.add("assistant", [call])

    def result(self, result: ToolResult) -> None:
        name = result.name or self._names.get(result.id, "")
        self.add("tool", [msgspec.structs.replace(result, name=name)])

    def reasoning(self, item: Item) -> None:
        """A reasoning item: this API's own, or what another dialect thought; one that holds the seal of a tool call gives that call
        its signature."""
        sealed = seal.open_(item.encrypted_content or "")
        if sealed is None:
            self.add("assistant", [*thinking_of(item)])
        elif not sealed.call:
            text = "\n\n".join(_texts(item.summary))
            self.add("assistant", [Thinking(text, sealed.signature, sealed.sealed, by=sealed.by)])
        else:
            self._sign(sealed)

    def _sign(self, sealed: seal.Seal) -> None:
        for at, part in enumerate(self._parts or ()):
            if isinstance(part, ToolCall) and part.id == sealed.call and self._parts is not None:
                self._parts[at] = msgspec.structs.replace(part, signature=sealed.signature, by=sealed.by, extra=b"")

    def add(self, role: Role, parts: list[Any], *, joins: bool = True) -> None:
        if self._parts is not None and role == self._role and joins:
            self._parts.extend(parts)
        else:
            self._close()
            self._role, self._parts = role, parts
        self._said = False

    def finished(self) -> tuple[Turn, ...]:
        self._close()
        return tuple(self._turns)

    def _close(self) -> None:
        if self._parts is not None:
            self._turns.append(Turn(self._role, tuple(self._parts)))


def call_of(item: Item) -> ToolCall:
    """A function call, or the call of a custom tool."""
    name = tool_names.full(item.namespace, item.name or "")
    if item.type == "custom_tool_call":
        return ToolCall(item.call_id or "", name, custom_tools.as_arguments(text_of(item.input)))
    return ToolCall(item.call_id or "", name, text_of(item.arguments))


def _call(item: Item, raw: Raw) -> ToolCall:
    return msgspec.structs.replace(call_of(item), **finer.packed(finer.left(raw, _CALL if item.type == "function_call" else _CUSTOM_CALL)))


def thinking_of(item: Item) -> list[Thinking]:
    """A reasoning item of this API's: each part of its summary and of its content, then what is encrypted."""
    summary, content = _texts(item.summary), _texts(item.content)
    parts = [Thinking(text, id=item.id or "", by=NAME, summary=True) for text in summary]
    parts += [Thinking(text, id=item.id or "", by=NAME) for text in content]
    if item.encrypted_content or not parts:
        parts.append(Thinking(sealed=item.encrypted_content or "", id=item.id or "", by=NAME))
    return parts


def said_of(content: Content, raw: Raw | bytes) -> Text | Refusal | Foreign:
    """One part of an assistant's message; `raw` is its own JSON."""
    if content.type == "refusal" and content.refusal is not None:
        return Refusal(content.refusal)
    if content.text is not None:
        return Text(content.text, citations=citations_of(content.annotations))
    return Foreign(NAME, f"content.{content.type}", bytes(raw))


def citations_of(raw: Raw) -> tuple[Citation, ...]:
    """What `annotations` cite; those that cannot be read are left out."""
    try:
        entries = _annotations.decode(raw) if bytes(raw) else None
    except msgspec.DecodeError:
        return ()
    return tuple([found for entry in entries or () if (found := citation_of(entry)) is not None])


def citation_of(raw: Raw) -> Citation | None:
    """One annotation; None for what cannot be read."""
    try:
        wire = _annotation.decode(raw)
    except msgspec.DecodeError:
        return None
    return Citation(
        url=wire.url or "",
        title=wire.title or wire.filename or "",
        start=-1 if wire.start_index is None else wire.start_index,
        end=-1 if wire.end_index is None else wire.end_index,
        raw=bytes(raw),
        by=NAME,
    )


def _message_parts(index: int, item: Item, raw: Raw) -> list[Part]:
    parts = _contents_of(index, item)
    more = finer.left(raw, _MESSAGE)
    if more and parts and isinstance(parts[0], Text | Media):
        parts[0] = msgspec.structs.replace(parts[0], **finer.packed({"message": more}))
    return parts


def _contents_of(index: int, item: Item) -> list[Part]:
    content = content_of(index, item.content)
    if isinstance(content, str):
        return [Text(content)]
    raws = lenient.decode(_raws, item.content)
    pairs = list(zip(content, raws if isinstance(raws, list) else [], strict=False))
    if item.role == "assistant":
        return [said_of(part, raw) for part, raw in pairs]
    return [given_of(part) or Foreign(NAME, f"content.{part.type}", bytes(raw)) for part, raw in pairs]


def given_of(content: Content) -> Text | Media | None:
    """One part of what is given to the model; None for types nobody knows."""
    cache = "" if content.prompt_cache_breakpoint is None else content.prompt_cache_breakpoint.ttl or DEFAULT_TTL
    match content.type:
        case "input_image":
            mime, data = data_url(content.image_url or "")
            url = "" if data else content.image_url or ""
            return Media("image", url, content.file_id or "", data=data, mime=mime, detail=content.detail or "", cache=cache)
        case "input_file":
            mime, data = data_url(content.file_data or "")
            name, detail = content.filename or "", content.detail or ""
            data = data or content.file_data or ""
            return Media(
                "document", content.file_url or "", content.file_id or "", data=data, mime=mime, name=name, detail=detail, cache=cache
            )
        case "input_audio" if content.input_audio is not None:
            sound = content.input_audio
            return Media("audio", data=sound.data, mime=_AUDIO_MIME.get(sound.format, f"audio/{sound.format}"), cache=cache)
        case _:
            return None if content.text is None else Text(content.text, cache)


def _result(index: int, item: Item, raw: Raw) -> ToolResult:
    content = content_of(index, item.output, "output")
    parts = (Text(content),) if isinstance(content, str) else tuple([_result_part(part) for part in content])
    name = tool_names.full(item.namespace, item.name or "")
    more = finer.left(raw, _RESULT if item.type == "function_call_output" else _CUSTOM_RESULT)
    return ToolResult(item.call_id or "", parts, name, **finer.packed(more))


def _result_part(content: Content) -> Text | Media:
    return given_of(content) or Text(_encode(content).decode())


def _texts(raw: Raw) -> list[str]:
    """The words of a summary or of a reasoning item's content."""
    try:
        parts = _contents.decode(raw) if bytes(raw) else None
    except msgspec.DecodeError:
        return []
    return [part.text or "" for part in parts or ()]
