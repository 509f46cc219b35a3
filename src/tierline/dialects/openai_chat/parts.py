"""Content parts ↔ the words and media of a conversation."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.openai_chat import finer
from tierline.dialects.openai_chat.finer import NAME, Object, read
from tierline.dialects.openai_chat.wire import ImageUrl, InputAudio, InputFile
from tierline.types.conversation import Foreign, Media, Refusal, Text

Said = Text | Media | Refusal | Foreign
Wire = dict[str, Any]

_image = msgspec.json.Decoder(ImageUrl | str)
_audio = msgspec.json.Decoder(InputAudio)
_file = msgspec.json.Decoder(InputFile)
_mark = msgspec.json.Decoder(Object | None)
_AUDIO_MIMES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav"}
_MARKS = ("cache_control", "prompt_cache_breakpoint")
_INNER = {
    "image_url": frozenset({"url", "detail"}),
    "input_audio": frozenset({"data", "format"}),
    "file": frozenset({"file_data", "file_id", "filename"}),
    "video_url": frozenset({"url"}),
}
DEFAULT_TTL = "5m"
"""What a cache marker without a time to live is called."""


def part_of(entry: Object, where: str) -> Said:
    """A content part; those of unknown types become Foreign. Raises BadRequest."""
    kind = read(finer.word, entry.get("type"), f"{where}.type") or ("text" if "text" in entry else "")
    if kind == "text" and finer.said(entry.get("text")):
        own = finer.left(entry, frozenset({"type", "text"}))
        return Text(read(finer.word, entry["text"], f"{where}.text") or "", cache_of(entry, where), **finer.packed(own))
    if kind == "refusal" and finer.said(entry.get("refusal")):
        return Refusal(read(finer.word, entry["refusal"], f"{where}.refusal") or "")
    if kind in _INNER and finer.said(entry.get(kind)):
        return _media(kind, entry, where)
    return Foreign(NAME, kind, msgspec.json.encode(entry))


def cache_of(entry: Object, where: str) -> str:
    """The time to live of the part's cache marker, OpenAI's own or that of compatible servers; empty without one."""
    for name in _MARKS:
        mark = read(_mark, entry.get(name), f"{where}.{name}")
        if mark is not None:
            return read(finer.word, mark.get("ttl"), f"{where}.{name}.ttl") or DEFAULT_TTL
    return ""


def _media(kind: str, entry: Object, where: str) -> Media:
    inside, at = entry[kind], f"{where}.{kind}"
    media = _READERS[kind](inside, at)
    own: Wire = {**finer.left(entry, frozenset({"type", kind}))}
    if bytes(inside).lstrip().startswith(b"{") and (more := finer.left(read(finer.object_, inside, at) or {}, _INNER[kind])):
        own[kind] = more
    by = {"by": NAME} if media.file_id else {}
    return msgspec.structs.replace(media, cache=cache_of(entry, where), **{**by, **finer.packed(own)})


def _read_image(inside: msgspec.Raw, where: str) -> Media:
    given = read(_image, inside, where)
    image = ImageUrl(given) if isinstance(given, str) else given
    detail = read(finer.word, (_fields(inside)).get("detail"), f"{where}.detail") or ""
    return msgspec.structs.replace(_at(Media("image"), image.url), detail=detail)


def _read_audio(inside: msgspec.Raw, where: str) -> Media:
    audio = read(_audio, inside, where)
    return Media("audio", data=audio.data, mime=_AUDIO_MIMES.get(audio.format) or (f"audio/{audio.format}" if audio.format else ""))


def _read_file(inside: msgspec.Raw, where: str) -> Media:
    file = read(_file, inside, where)
    return _at(Media("document", file_id=file.file_id, name=file.filename), file.file_data, inline=True)


def _read_video(inside: msgspec.Raw, where: str) -> Media:
    given = read(_image, inside, where)
    return _at(Media("video"), given if isinstance(given, str) else given.url)


_READERS = {"image_url": _read_image, "input_audio": _read_audio, "file": _read_file, "video_url": _read_video}


def _fields(inside: msgspec.Raw) -> Object:
    return read(finer.object_, inside, "") or {} if bytes(inside).lstrip().startswith(b"{") else {}


def _at(media: Media, address: str, inline: bool = False) -> Media:
    """The medium at an address: inline as a data URL (or, where `inline` says so, as bare Base64), or elsewhere."""
    head, comma, data = address.partition(",")
    if address.startswith("data:") and comma and head.endswith(";base64"):
        return msgspec.structs.replace(media, data=data, mime=head[5:].removesuffix(";base64"))
    if inline and address and "://" not in address[:16]:
        return msgspec.structs.replace(media, data=address)
    return msgspec.structs.replace(media, url=address)


def text_part(part: Text | Refusal) -> Wire:
    """Words as a content part; cache markers of other dialects are left out."""
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    return {"type": "text", "text": part.text, **finer.unpacked(part)}


def media_part(part: Media, own: bool) -> Wire | None:
    """A medium as a content part; None where this dialect has no such part. `own`: the conversation was made in this dialect."""
    more: Wire = {**finer.unpacked(part)}
    match part.kind:
        case "image" if part.url or part.data:
            detail = {"detail": part.detail} if part.detail else {}
            wire: Wire = {"type": "image_url", "image_url": {"url": part.url or _data_url(part, "image/png"), **detail}}
        case "audio" if part.data and (own or part.mime in _AUDIO_FORMATS):
            form = _AUDIO_FORMATS.get(part.mime) or part.mime.removeprefix("audio/")
            wire = {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
        case "document" if part.text and not part.data:
            return {"type": "text", "text": f"{part.name}\n\n{part.text}" if part.name else part.text}
        case "document" if part.data or part.file_id or (own and part.url):
            wire = {"type": "file", "file": _document(part, own)}
        case "video" if own and (part.url or part.data):
            wire = {"type": "video_url", "video_url": {"url": part.url or _data_url(part, "video/mp4")}}
        case _:
            return None
    kind = wire["type"]
    if kind in more:
        wire[kind] |= finer.object_.decode(more.pop(kind))
    return wire | more


def _document(part: Media, own: bool) -> Wire:
    if part.file_id:
        held: Wire = {"file_id": part.file_id}
    elif own and not part.mime:
        held = {"file_data": part.data or part.url}
    else:
        held = {"file_data": _data_url(part, "application/pdf")}
    name = part.name or ("document.pdf" if part.data and not own else "")
    return {**held, **({"filename": name} if name else {})}


def _data_url(part: Media, default: str) -> str:
    return f"data:{part.mime or default};base64,{part.data}"
