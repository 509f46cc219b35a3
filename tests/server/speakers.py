"""Four upstreams in one, each speaking its own format and saying the same: the path tells the format, the model how it behaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

from server.loopback import Loopback, request

TEXT = ("Hel", "lo ", "there.")
SAID = "".join(TEXT)
TOOL = ("look_up", '{"city":"Paris"}')
INPUT, OUTPUT = 11, 7
DIALECTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")


class Speakers(Loopback):
    """`seen` keeps (path, headers, body) of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                path, headers, body = await request(reader)
                self.seen.append((path, headers, body))
                if not await self._answer(path, body, writer):
                    break
        writer.close()

    async def _answer(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        name, speaker = next((name, speaker) for mark, name, speaker in _BY_PATH if mark in path)
        lie = re.search(r"/says/(\w+)/", path)
        if lie is not None:
            speaker = next(speaker for _, other, speaker in _BY_PATH if other == lie[1])
        model = path.rpartition("/")[2].partition(":")[0] if name == "gemini" else body["model"]
        if model.startswith("status-"):
            return await _send(writer, int(model.removeprefix("status-")), _error(name))
        streamed = body.get("stream") is True or "streamGenerateContent" in path
        tool = TOOL if body.get("tools") else None
        if not streamed:
            return await _send(writer, 200, json.dumps(speaker.whole(model, tool)).encode())
        pieces = speaker.events(model, tool)
        if model == "cut":
            pieces = pieces[: len(pieces) // 2]
        if model == "broken":
            pieces = [*pieces[: len(pieces) // 2], speaker.broken()]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if model == "cut":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


class Chat:
    @staticmethod
    def whole(model: str, tool: Any) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None if tool else SAID}
        if tool:
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": {"name": tool[0], "arguments": tool[1]}}]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
        usage = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
        return {"id": "c-1", "object": "chat.completion", "created": 1, "model": f"{model}-2026", "choices": [choice], "usage": usage}

    @staticmethod
    def events(model: str, tool: Any) -> list[bytes]:
        head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": f"{model}-2026"}

        def chunk(delta: Any, finish: str | None = None) -> bytes:
            return _data(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

        if tool:
            called = {"index": 0, "id": "call_1", "type": "function", "function": {"name": tool[0], "arguments": ""}}
            more = [{"index": 0, "function": {"arguments": piece}} for piece in (tool[1][:8], tool[1][8:])]
            deltas = [{"role": "assistant", "tool_calls": [called]}, *({"tool_calls": [piece]} for piece in more)]
        else:
            deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in TEXT)]
        usage = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
        ends = [chunk({}, "tool_calls" if tool else "stop"), _data(head | {"choices": [], "usage": usage}), b"data: [DONE]\n\n"]
        return [*map(chunk, deltas), *ends]

    @staticmethod
    def broken() -> bytes:
        return _data({"error": {"message": "overloaded", "type": "server_is_busy", "code": None}})


class Responses:
    @staticmethod
    def whole(model: str, tool: Any, status: str = "completed") -> dict[str, Any]:
        usage = {
            "input_tokens": INPUT,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": OUTPUT,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT + OUTPUT,
        }
        done = status == "completed"
        output = [Responses._item(tool, done=True)] if done else []
        told = {"output": output, "usage": usage if done else None}
        fixed = {"error": None, "incomplete_details": None, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        return {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": f"{model}-2026", **told, **fixed}

    @staticmethod
    def _item(tool: Any, *, done: bool) -> dict[str, Any]:
        status = "completed" if done else "in_progress"
        if tool:
            arguments = tool[1] if done else ""
            return {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": tool[0], "arguments": arguments, "status": status}
        content = [{"type": "output_text", "text": SAID, "annotations": []}] if done else []
        return {"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": content}

    @staticmethod
    def events(model: str, tool: Any) -> list[bytes]:
        at = {"item_id": "fc_1" if tool else "msg_1", "output_index": 0}
        said: list[dict[str, Any]] = [
            {"type": "response.created", "response": Responses.whole(model, tool, "in_progress")},
            {"type": "response.in_progress", "response": Responses.whole(model, tool, "in_progress")},
            {"type": "response.output_item.added", "output_index": 0, "item": Responses._item(tool, done=False)},
        ]
        if tool:
            said += [{"type": "response.function_call_arguments.delta", **at, "delta": piece} for piece in (tool[1][:8], tool[1][8:])]
            said += [{"type": "response.function_call_arguments.done", **at, "name": tool[0], "arguments": tool[1]}]
        else:
            at["content_index"] = 0
            part = {"type": "output_text", "text": "", "annotations": []}
            said += [{"type": "response.content_part.added", **at, "part": part}]
            said += [{"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in TEXT]
            said += [{"type": "response.output_text.done", **at, "text": SAID, "logprobs": []}]
            said += [{"type": "response.content_part.done", **at, "part": part | {"text": SAID}}]
        said += [{"type": "response.output_item.done", "output_index": 0, "item": Responses._item(tool, done=True)}]
        said += [{"type": "response.completed", "response": Responses.whole(model, tool)}]
        return [_named(event["type"], event | {"sequence_number": number}) for number, event in enumerate(said)]

    @staticmethod
    def broken() -> bytes:
        error = {"type": "error", "code": "server_error", "message": "overloaded", "param": None, "sequence_number": 99}
        return _named("error", error)


class Messages:
    @staticmethod
    def whole(model: str, tool: Any) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "text", "text": SAID}
        if tool:
            block = {"type": "tool_use", "id": "toolu_1", "name": tool[0], "input": json.loads(tool[1])}
        end = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
        usage = {"input_tokens": INPUT, "output_tokens": OUTPUT}
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": f"{model}-2026"}
        return head | {"content": [block], **end, "usage": usage}

    @staticmethod
    def events(model: str, tool: Any) -> list[bytes]:
        start = Messages.whole(model, tool) | {"content": [], "stop_reason": None, "usage": {"input_tokens": INPUT, "output_tokens": 1}}
        if tool:
            block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": tool[0], "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in (tool[1][:8], tool[1][8:])]
        else:
            block = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in TEXT]
        end = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
        said = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": OUTPUT}},
            {"type": "message_stop"},
        ]
        return [_named(str(event["type"]), event) for event in said]

    @staticmethod
    def broken() -> bytes:
        return _named("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


class Gemini:
    @staticmethod
    def whole(model: str, tool: Any) -> dict[str, Any]:
        return Gemini._piece(model, Gemini._call(tool) if tool else {"text": SAID}, last=True)

    @staticmethod
    def _call(tool: Any) -> dict[str, Any]:
        return {"functionCall": {"name": tool[0], "args": json.loads(tool[1])}}

    @staticmethod
    def _piece(model: str, part: dict[str, Any], *, last: bool) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
        usage = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT if last else 1, "totalTokenCount": INPUT + OUTPUT}
        if last:
            candidate["finishReason"] = "STOP"
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": f"{model}-2026", "responseId": "r-1"}

    @staticmethod
    def events(model: str, tool: Any) -> list[bytes]:
        parts: list[dict[str, Any]] = [Gemini._call(tool)] if tool else [{"text": piece} for piece in TEXT]
        return [_data(Gemini._piece(model, part, last=part is parts[-1])) for part in parts]

    @staticmethod
    def broken() -> bytes:
        return _data({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})


_BY_PATH: tuple[tuple[str, str, Any], ...] = (
    ("/chat/completions", "openai_chat", Chat),
    ("/responses", "openai_responses", Responses),
    ("/messages", "anthropic_messages", Messages),
    ("/models/", "gemini", Gemini),
)


def _error(name: str) -> bytes:
    words = "as asked"
    if name == "anthropic_messages":
        return json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": words}}).encode()
    if name == "gemini":
        return json.dumps({"error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}}).encode()
    return json.dumps({"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}).encode()


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _named(name: str, value: Any) -> bytes:
    return f"event: {name}\n".encode() + _data(value)


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> bool:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True
