"""Turns → entries of `input`."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import custom_tools
from tierline.dialects.openai_responses import finer, tool_names
from tierline.dialects.openai_responses.expand_items import DEFAULT_TTL
from tierline.dialects.openai_responses.finer import NAME
from tierline.types.conversation import Foreign, Media, Part, Refusal, Role, Text, Thinking, ToolCall, ToolResult, Turn

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav"}
_TTLS = frozenset({DEFAULT_TTL, "30m", "12h"})


class Items:
    """Gathers entries. `own`: the conversation was made in this dialect; `files`: its file ids are this API's own. What cannot be
    carried is added to `dropped`."""

    __slots__ = ("_dropped", "_files", "_message", "_own", "_thinking", "rendered")

    def __init__(self, *, own: bool, files: bool, dropped: list[str]) -> None:
        self._own = own
        self._files = files
        self._dropped = dropped
        self._message: list[Any] | None = None
        self._thinking: dict[str, Any] | None = None
        self.rendered: list[Any] = []

    def turn(self, turn: Turn) -> None:
        """Adds one turn."""
        self._message = self._thinking = None
        if turn.name:
            self._dropped.append("name")
        before = len(self.rendered)
        for part in turn.parts:
            self._part(turn.role, part)
        if not turn.parts and len(self.rendered) == before and turn.role not in ("assistant", "tool"):
            self._content(turn.role)

    def _part(self, role: Role, part: Part) -> None:
        if not isinstance(part, Thinking):
            self._thinking = None
        match part:
            case Text() | Refusal() | Media():
                if (content := self._said(part) if role == "assistant" else self._given(part)) is not None:
                    more = {} if isinstance(part, Refusal) else finer.unpacked(part).get("message", {})
                    self._content(role, more).append(content)
            case Thinking():
                self._reasoning(part)
            case ToolCall():
                self._alone(self._call(part))
            case ToolResult():
                self._alone(self._result(part))
            case Foreign(by, kind, raw) if by == NAME:
                if kind.startswith("content."):
                    self._content(role).append(msgspec.Raw(raw))
                else:
                    self._alone(msgspec.Raw(raw))
            case Foreign():
                self._dropped.append(f"foreign:{part.kind}")

    def _alone(self, item: Any) -> None:
        self._message = None
        self.rendered.append(item)

    def _content(self, role: Role, more: dict[str, Any] | None = None) -> list[Any]:
        """The content of the message that is being written; a new one where the last entry is none, or the part begins one."""
        if self._message is None or more:
            self._message = []
            written = {"type": "message", "role": "user" if role == "tool" else role, "content": self._message}
            self.rendered.append({**written, **(more or {})})
        return self._message

    def _said(self, part: Text | Refusal | Media) -> dict[str, Any] | None:
        """A part of an assistant's message: words and refusals only."""
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        if isinstance(part, Media):
            self._dropped.append(part.kind)
            return None
        if part.cache:
            self._dropped.append("cache")
        annotations = [msgspec.Raw(citation.raw) for citation in part.citations if citation.by == NAME and citation.raw]
        if len(annotations) < len(part.citations):
            self._dropped.append("citations")
        return {"type": "output_text", "text": part.text} | ({"annotations": annotations} if annotations else {})

    def _given(self, part: Text | Refusal | Media) -> dict[str, Any] | None:
        """A part of what is given to the model."""
        if isinstance(part, Refusal):
            return {"type": "input_text", "text": part.text}
        if isinstance(part, Text):
            return self._cached({"type": "input_text", "text": part.text}, part.cache)
        if part.cite:
            self._dropped.append("citations")
        if part.file_id and not self._files:
            self._dropped.append("file_id")
            return None
        content = self._media(part)
        if content is None:
            self._dropped.append(part.kind)
            return None
        return self._cached(content, part.cache)

    def _media(self, part: Media) -> dict[str, Any] | None:
        match part.kind:
            case "image":
                url = f"data:{part.mime or 'image/png'};base64,{part.data}" if part.data else part.url
                return _filled({"type": "input_image", "image_url": url, "file_id": part.file_id, "detail": part.detail})
            case "document" if part.text:
                return {"type": "input_text", "text": f"{part.name}\n\n{part.text}" if part.name else part.text}
            case "document":
                data = part.data
                if data and (part.mime or not self._own):
                    data = f"data:{part.mime or 'application/pdf'};base64,{data}"
                name = part.name or ("document.pdf" if data and not self._own else "")
                held = {"file_data": data, "file_url": part.url, "file_id": part.file_id, "filename": name, "detail": part.detail}
                return _filled({"type": "input_file", **held})
            case "audio" if part.data and part.mime in _AUDIO_FORMATS:
                return {"type": "input_audio", "input_audio": {"data": part.data, "format": _AUDIO_FORMATS[part.mime]}}
            case _:
                return None

    def _cached(self, content: dict[str, Any], ttl: str) -> dict[str, Any]:
        """The content with its cache breakpoint. Other dialects' times to live are dropped: this API caches by itself."""
        if not ttl:
            return content
        if ttl not in _TTLS or not self._own:
            self._dropped.append("cache")
            return content
        return content | {"prompt_cache_breakpoint": {"mode": "explicit"} | ({} if ttl == DEFAULT_TTL else {"ttl": ttl})}

    def _reasoning(self, part: Thinking) -> None:
        """Reasoning of this API's own; that of others is left out. Parts of one item follow one another and share its id."""
        if part.by != NAME:
            self._dropped.extend(
                name for name, held in (("thinking", part.text), ("thinking.signature", part.signature or part.sealed)) if held
            )
            return
        item = self._thinking
        if item is None or item.get("id", "") != part.id or "encrypted_content" in item or (part.summary and "content" in item):
            self._thinking = item = {"type": "reasoning"} | ({"id": part.id} if part.id else {}) | {"summary": []}
            self._alone(item)
        if part.summary:
            item["summary"].append({"type": "summary_text", "text": part.text})
        elif part.text:
            item.setdefault("content", []).append({"type": "reasoning_text", "text": part.text})
        if part.sealed:
            item["encrypted_content"] = part.sealed

    def _call(self, call: ToolCall) -> dict[str, Any]:
        if call.signature:
            self._dropped.append("thinking.signature")
        if call.cache:
            self._dropped.append("cache")
        more = finer.unpacked(call)
        named = {"call_id": call.id, "name": tool_names.short(more.get("namespace", ""), call.name)}
        if more.get("type") == "custom_tool_call":
            return {**named, "input": custom_tools.as_text(call.arguments), **more}
        return {"type": "function_call", **named, "arguments": call.arguments or "{}", **more}

    def _result(self, result: ToolResult) -> dict[str, Any]:
        if result.failed:
            self._dropped.append("tool_result.failed")
        if result.cache:
            self._dropped.append("cache")
        output: Any
        match result.parts:
            case ():
                output = ""
            case (Text(text=text, cache=""),):
                output = text
            case _:
                output = [content for part in result.parts if (content := self._given(part)) is not None]
        return {"type": "function_call_output", "call_id": result.id, "output": output, **finer.unpacked(result)}


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
