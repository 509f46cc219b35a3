"""What a request asks in plain words, where words are all it asks for."""

from __future__ import annotations

from tierline.types.request import Request, Text


def question(request: Request) -> str:
    """The last message's words; empty where a text is no answer: to tool results, to pictures, for a prescribed shape, call or number."""
    if request.kind != "chat" or not request.messages:
        return ""
    params, last = request.params, request.messages[-1]
    if last.role != "user" or params.response_format != "text" or params.tool_choice not in ("auto", "none") or params.n != 1:
        return ""
    if not all(isinstance(part, Text) for part in last.parts):
        return ""
    return "\n".join([part.text for part in last.parts if isinstance(part, Text)]).strip()
