"""A content's parts ↔ the parts of a conversation.

What a part says beyond its neutral form stays with it as `extra`, laid over the part when it is written again. Gemini signs any part; a
signature on words or media becomes a thinking part without words behind them, and returns to the part before it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec

from tierline.dialects.gemini.calls import OpenCalls, compact, given
from tierline.dialects.gemini.carried import unpacked
from tierline.dialects.gemini.media import kind_of, mime_of
from tierline.dialects.gemini.wire import NAME, Blob, FileData, FunctionCall, FunctionResponse, WirePart, told
from tierline.dialects.json_body import Fields
from tierline.types.conversation import Foreign, Media, Part, Refusal, Text, Thinking, ToolCall, ToolResult

Wire = dict[str, Any]
Dropped = dict[str, None]
"""The names of what could not be carried, each once and in the order they were met."""

_part = msgspec.json.Decoder(WirePart)
_fields = msgspec.json.Decoder(Fields)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode
_HELD = {"text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse"}
_INSIDE = {
    "inlineData": {"mimeType", "data"},
    "fileData": {"mimeType", "fileUri"},
    "functionCall": {"id", "name", "args"},
    "functionResponse": {"id", "name", "response", "parts"},
}
_GOOGLES = ("gs://", "https://generativelanguage.googleapis.com/")


def parts_of(raw: bytes, calls: OpenCalls) -> list[Part]:
    """A part as neutral ones: itself, and its signature where that stands alone. Raises msgspec.ValidationError for a wrong type."""
    wire = _part.decode(raw)
    own = _beyond(_fields.decode(raw))
    signature = wire.thought_signature or ""
    if wire.function_call is not None:
        return [_call(wire.function_call, signature, own, calls)]
    if wire.function_response is not None:
        return [_result(wire.function_response, own, calls)]
    if wire.text is not None and wire.thought:
        return [_thinking(wire.text, signature)]
    if signature and not wire.text and not own and wire.inline_data is None and wire.file_data is None:
        return [_thinking("", signature)]
    if wire.text is not None:
        part: Part = Text(wire.text, **_finer(own))
    elif wire.inline_data is not None or wire.file_data is not None:
        part = _media(wire.inline_data, wire.file_data, own)
    else:
        return [Foreign(NAME, next(iter(own), "part"), raw)]
    return [part, _thinking("", signature)] if signature else [part]


def _beyond(fields: Fields) -> Fields:
    """What a part and the object inside it say beyond their neutral form."""
    own = {key: value for key, value in fields.items() if key not in _HELD and told(value)}
    for key, held in _INSIDE.items():
        if key in fields and told(fields[key]):
            rest = {name: value for name, value in _fields.decode(fields[key]).items() if name not in held and told(value)}
            if rest:
                own[key] = msgspec.Raw(_encode(rest))
    return own


def _finer(own: Fields) -> dict[str, Any]:
    return {"extra": _encode(own), "by": NAME} if own else {}


def _thinking(text: str, signature: str) -> Thinking:
    carried = unpacked(signature)
    if carried is not None:
        return Thinking(text, carried.signature, carried.sealed, carried.id, carried.by)
    return Thinking(text, signature, by=NAME)


def _call(wire: FunctionCall, signature: str, own: Fields, calls: OpenCalls) -> ToolCall:
    arguments = compact(wire.args)
    carried = unpacked(signature)
    by = NAME if signature or own else ""
    if carried is not None:
        signature, by = carried.signature, carried.by
    extra = _encode(own) if own and by == NAME else b""
    return ToolCall(calls.called(wire.id, wire.name), wire.name, arguments, signature, by, extra=extra)


def _media(blob: Blob | None, file: FileData | None, own: Fields) -> Media:
    finer = _finer(own)
    if blob is not None:
        name, mime = blob.display_name or "", blob.mime_type or ""
        return Media(kind_of(mime), data=blob.data or "", mime=mime, name=name, **finer)
    told_file = file or FileData()
    uri, mime, name = told_file.file_uri or "", told_file.mime_type or "", told_file.display_name or ""
    if uri.startswith(_GOOGLES):
        return Media(kind_of(mime), file_id=uri, mime=mime, name=name, **{**finer, "by": NAME})
    return Media(kind_of(mime, uri), url=uri, mime=mime, name=name, **finer)


def _result(wire: FunctionResponse, own: Fields, calls: OpenCalls) -> ToolResult:
    text, failed = _read_response(compact(wire.response).encode())
    media = [_media(part.inline_data, part.file_data, {}) for part in wire.parts or ()]
    part = ToolResult(calls.answered(wire.id, wire.name), (Text(text), *media), wire.name, failed)
    return msgspec.structs.replace(part, **_finer(own))


def _read_response(response: bytes) -> tuple[str, bool]:
    """A function's response as words, and whether it tells of a failure. `{"output": …}` and `{"error": …}` are Google's own wrapping."""
    fields = _object.decode(response)
    if len(fields) == 1 and (key := next(iter(fields))) in ("output", "error"):
        inside = bytes(fields[key])
        if inside.startswith(b'"'):
            words = msgspec.json.decode(inside, type=str)
            if not _is_object(words):
                return words, key == "error"
        elif key == "error" and inside.startswith(b"{"):
            return inside.decode(), True
    return response.decode(), False


def written_response(words: str, failed: bool) -> Wire:
    """A tool's words as the object that Google wants."""
    inside: Any = msgspec.Raw(words.encode(errors="replace")) if _is_object(words) else words
    if failed:
        return {"error": inside}
    return _object.decode(words) if isinstance(inside, msgspec.Raw) else {"output": inside}


def _is_object(words: str) -> bool:
    if not words.lstrip().startswith("{"):
        return False
    try:
        _object.decode(words.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def arguments_of(arguments: str) -> tuple[Any, bool]:
    """The arguments as an object, and whether they were one; a model's broken JSON stays readable, as one string in an object."""
    if not arguments.strip():
        return {}, True
    try:
        if isinstance(found := json.loads(arguments), dict):
            return (msgspec.Raw(arguments.encode()) if _is_object(arguments) else found), True
    except (ValueError, RecursionError):
        pass
    return {"arguments": arguments}, False


class PartWriter:
    """Writes the parts of one turn, and names what Gemini has no form for. `own`: the conversation came from this dialect; `signs`: the
    model wants calls signed; `shows`: it takes media inside a function's response; `names` are the functions' names by call id."""

    __slots__ = ("_dropped", "_names", "_own", "_shows", "_skip", "wires")

    def __init__(self, names: dict[str, str], dropped: Dropped, *, own: bool, skip: str, shows: bool) -> None:
        self._names = names
        self._dropped = dropped
        self._own = own
        self._skip = skip
        self._shows = shows
        self.wires: list[Wire] = []

    def write(self, part: Part) -> None:
        """Adds one part."""
        if getattr(part, "cache", ""):
            self._dropped["cache"] = None
        match part:
            case Text():
                self._text(part)
            case Media():
                self._media(part)
            case ToolCall():
                self._call(part)
            case ToolResult():
                self._result(part)
            case Thinking():
                self._thinking(part)
            case Refusal():
                self.wires.append({"text": part.text})
            case Foreign() if part.by == NAME:
                self.wires.append(dict(_fields.decode(part.raw)))
            case Foreign():
                self._dropped[f"foreign:{part.kind}"] = None

    def _text(self, part: Text) -> None:
        if part.citations:
            self._dropped["citations"] = None
        if part.text or self._own:
            self.wires.append(_over(part, {"text": part.text}))

    def _thinking(self, part: Thinking) -> None:
        if part.by != NAME:
            if part.text:
                self._dropped["thinking"] = None
            if part.signature or part.sealed:
                self._dropped["thinking.signature"] = None
            return
        last = self.wires[-1] if self.wires else {}
        if part.text or not part.signature:
            signed = {"thoughtSignature": part.signature} if part.signature else {}
            self.wires.append({"text": part.text, "thought": True, **signed})
        elif "thoughtSignature" not in last and "thought" not in last and {"text", "inlineData", "fileData"} & last.keys():
            last["thoughtSignature"] = part.signature
        else:
            self.wires.append({"text": "", "thoughtSignature": part.signature})

    def _call(self, part: ToolCall) -> None:
        arguments, whole = arguments_of(part.arguments)
        if not whole:
            self._dropped["arguments"] = None
        wire: Wire = {"functionCall": {**given(part.id), "name": part.name, "args": arguments}}
        signature = part.signature if part.by == NAME else ""
        if part.signature and not signature:
            self._dropped["thinking.signature"] = None
        if not signature and not any("functionCall" in wire for wire in self.wires):
            signature = self._skip
        if signature:
            wire["thoughtSignature"] = signature
        self.wires.append(_over(part, wire))

    def _result(self, part: ToolResult) -> None:
        words = "\n".join([piece.text for piece in part.parts if isinstance(piece, Text)])
        name = part.name or self._names.get(part.id, "") or part.id
        inside: Wire = {**given(part.id), "name": name, "response": written_response(words, part.failed)}
        media = [piece for piece in part.parts if isinstance(piece, Media)]
        wire: Wire = {"functionResponse": inside}
        self.wires.append(wire)
        if media and (self._own or self._shows):
            inside["parts"] = [found for piece in media if (found := self._medium(piece)) is not None]
        else:
            for piece in media:
                self._media(piece)
        _over(part, wire)

    def _media(self, part: Media) -> None:
        wire = self._medium(part)
        if wire is not None:
            self.wires.append(_over(part, wire))

    def _medium(self, part: Media) -> Wire | None:
        lost = {"detail": part.detail not in ("", "auto"), "citations": part.cite, "name": part.name and not self._own}
        self._dropped.update(dict.fromkeys([name for name, asked in lost.items() if asked]))
        if part.file_id:
            if part.by == NAME:
                return {"fileData": {"fileUri": part.file_id, **({"mimeType": part.mime} if part.mime else {})}}
            self._dropped["file_id"] = None
            return None
        if part.url:
            mime = part.mime if self._own else mime_of(part.kind, part.mime, part.url)
            return {"fileData": {**({"mimeType": mime} if mime else {}), "fileUri": part.url}}
        if part.text and not part.data:
            return {"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(part.text.encode(errors="replace")).decode()}}
        mime = part.mime if self._own else mime_of(part.kind, part.mime)
        return {"inlineData": {**({"mimeType": mime} if mime else {}), "data": part.data}}


def _over(part: Text | Media | ToolCall | ToolResult, wire: Wire) -> Wire:
    """The part with what this dialect had written beyond its neutral form."""
    if part.extra and part.by == NAME:
        for key, value in _fields.decode(part.extra).items():
            if key in _INSIDE and key in wire:
                wire[key].update(_fields.decode(value))
            else:
                wire[key] = value
    return wire
