"""Requests as the tests write them: messages as role and content, everything else by name."""

from __future__ import annotations

from typing import Any

from tierline.routing.extract import Extractor
from tierline.testing import builders
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.request import Media, Message, Params, Part, Request, Text, Tool, ToolCall, ToolResult

PLAIN = Extractor(builders.loaded())


def _part(content: dict[str, Any]) -> Part:
    kind, value = next(iter(content.items()))
    made: dict[str, Part] = {
        "text": Text(str(value)),
        "image": Media("image", url=str(value)),
        "audio": Media("audio", data=str(value)),
        "document": Media("document", data=str(value)),
        "tool_call": ToolCall("c1", "look_up", str(value)),
        "tool_result": ToolResult("c1", str(value)),
    }
    return made[kind]


def message(role: Any, content: Any) -> Message:
    """A message from text or from a list of parts such as {"image": "https://…"}."""
    return Message(role, (Text(content),) if isinstance(content, str) else tuple(_part(part) for part in content))


def request(*turns: str, **fields: Any) -> Request:
    """A request from user turns, answered in between, or from `messages`."""
    messages = fields.pop("messages", None)
    if messages is None:
        messages = [pair for turn in turns for pair in (("user", turn), ("assistant", "Certainly."))][:-1]
    params = Params(**fields.pop("params", {}))
    tools = tuple(Tool(**tool) for tool in fields.pop("tools", ()))
    hints = Hints(**fields.pop("hints", {}))
    made = {"id": "r-1", "dialect": "openai_chat", "model": "auto", "params": params, "tools": tools, "hints": hints, **fields}
    if "inputs" in made:
        made["inputs"] = tuple(made["inputs"])
    return Request(messages=tuple(message(role, content) for role, content in messages), **made)


def features(*turns: str, **fields: Any) -> Features:
    """The features of such a request, under a spec without signals or tasks."""
    return PLAIN(request(*turns, **fields))
