"""What of a client's request shapes its answer: what names its tools have, and whether it still speaks of functions."""

from __future__ import annotations

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.openai_chat import call_ids
from tierline.dialects.openai_chat.finer import Object
from tierline.dialects.openai_chat.parts import Wire
from tierline.dialects.openai_chat.upstream import client_wants_usage
from tierline.types.conversation import ToolCall
from tierline.types.request import Request


class _Named(msgspec.Struct):
    """The name of a tool."""

    name: str = ""


class _Tool(msgspec.Struct):
    """A tool that may be a custom one."""

    custom: _Named | None = None


_tools = msgspec.json.Decoder(list[_Tool] | None)
_functions = msgspec.json.Decoder(list[Object] | None)


class Client:
    """`legacy`: it gave `functions` and no tools; `wants_usage`: it asked for the usage of a stream; `custom`: the names of its tools that
    take plain text."""

    __slots__ = ("_id", "custom", "legacy", "wants_usage")

    def __init__(self, request: Request) -> None:
        self._id = request.id
        self.wants_usage = client_wants_usage(request)
        tools = lenient.decode(_tools, request.raw.get("tools", b"null")) or []
        self.custom = frozenset([tool.custom.name for tool in tools if tool.custom is not None])
        self.legacy = not tools and "functions" in request.raw and bool(lenient.decode(_functions, request.raw["functions"]))

    def id_of(self, call: ToolCall, choice: int, at: int) -> str:
        """The id of a call; one is made for calls of dialects that have none."""
        return call.id or call_ids.made(self._id, choice, at)

    def call(self, call: ToolCall, choice: int, at: int) -> Wire:
        """An entry of `tool_calls`, whole."""
        id = self.id_of(call, choice, at)
        if call.name in self.custom:
            return {"id": id, "type": "custom", "custom": {"name": call.name, "input": custom_tools.as_text(call.arguments)}}
        return {"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
