"""Four clients, one for each wire format: how each asks the same question, and how it reads what it is told."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from server.harness import Running, Said

QUESTION = "What is the capital of France?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Read(NamedTuple):
    """What a client made of an answer."""

    text: str
    tool: tuple[str, Any] | None
    finish: str
    model: str
    usage: tuple[int, int]


class OpenAIChatClient:
    name = "openai_chat"
    path = "/v1/chat/completions"
    stops = ("stop", "tool_calls")

    def body(self, model: str, *, stream: bool, tools: bool, **more: Any) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": QUESTION}], **more}
        if tools:
            body["tools"] = [{"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}]
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return self.path, body

    def whole(self, said: dict[str, Any]) -> Read:
        choice, usage = said["choices"][0], said["usage"]
        calls = [call["function"] for call in choice["message"].get("tool_calls") or ()]
        tool = (calls[0]["name"], json.loads(calls[0]["arguments"])) if calls else None
        text = choice["message"].get("content") or ""
        return Read(text, tool, choice["finish_reason"], said["model"], (usage["prompt_tokens"], usage["completion_tokens"]))

    def streamed(self, body: bytes) -> Read:
        assert body.endswith(b"data: [DONE]\n\n")
        chunks = [event for _, event in events(body)]
        choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
        text = "".join(choice["delta"].get("content") or "" for choice in choices)
        calls = [call for choice in choices for call in choice["delta"].get("tool_calls") or ()]
        arguments = "".join(call["function"].get("arguments") or "" for call in calls)
        tool = (calls[0]["function"]["name"], json.loads(arguments)) if calls else None
        usage = next(chunk["usage"] for chunk in chunks if chunk.get("usage"))
        finish = next(choice["finish_reason"] for choice in choices if choice["finish_reason"])
        assert len({chunk["model"] for chunk in chunks}) == 1
        return Read(text, tool, finish, chunks[0]["model"], (usage["prompt_tokens"], usage["completion_tokens"]))

    def error(self, said: dict[str, Any]) -> str:
        return str(said["error"]["message"])


class OpenAIResponsesClient:
    name = "openai_responses"
    path = "/v1/responses"
    stops = ("completed", "completed")

    def body(self, model: str, *, stream: bool, tools: bool, **more: Any) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"model": model, "input": QUESTION, **more}
        if tools:
            body["tools"] = [{"type": "function", "name": "look_up", "parameters": SCHEMA, "strict": False}]
        return self.path, body | ({"stream": True} if stream else {})

    def whole(self, said: dict[str, Any]) -> Read:
        parts = [part for item in said["output"] if item["type"] == "message" for part in item["content"]]
        calls = [item for item in said["output"] if item["type"] == "function_call"]
        tool = (calls[0]["name"], json.loads(calls[0]["arguments"])) if calls else None
        text = "".join(part["text"] for part in parts)
        return Read(text, tool, said["status"], said["model"], (said["usage"]["input_tokens"], said["usage"]["output_tokens"]))

    def streamed(self, body: bytes) -> Read:
        told = events(body)
        assert all(name == event["type"] for name, event in told)
        assert [event["sequence_number"] for _, event in told] == sorted({event["sequence_number"] for _, event in told})
        assert told[0][0] == "response.created" and told[-1][0] == "response.completed"
        read = self.whole(told[-1][1]["response"])
        assert "".join(event["delta"] for name, event in told if name == "response.output_text.delta") == read.text
        return read

    def error(self, said: dict[str, Any]) -> str:
        return str(said["error"]["message"])


class AnthropicClient:
    name = "anthropic_messages"
    path = "/v1/messages?beta=true"
    stops = ("end_turn", "tool_use")

    def body(self, model: str, *, stream: bool, tools: bool, **more: Any) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": QUESTION}], **more}
        if tools:
            body["tools"] = [{"name": "look_up", "input_schema": SCHEMA}]
        return self.path, body | ({"stream": True} if stream else {})

    def whole(self, said: dict[str, Any]) -> Read:
        text = "".join(block["text"] for block in said["content"] if block["type"] == "text")
        calls = [block for block in said["content"] if block["type"] == "tool_use"]
        tool = (calls[0]["name"], calls[0]["input"]) if calls else None
        return Read(text, tool, said["stop_reason"], said["model"], (said["usage"]["input_tokens"], said["usage"]["output_tokens"]))

    def streamed(self, body: bytes) -> Read:
        told = events(body)
        assert all(name == event["type"] for name, event in told)
        assert told[0][0] == "message_start" and told[-1][0] == "message_stop"
        deltas = [event["delta"] for name, event in told if name == "content_block_delta"]
        blocks = [event["content_block"] for name, event in told if name == "content_block_start"]
        text = "".join(delta.get("text", "") for delta in deltas)
        arguments = "".join(delta.get("partial_json", "") for delta in deltas)
        calls = [block for block in blocks if block["type"] == "tool_use"]
        tool = (calls[0]["name"], json.loads(arguments)) if calls else None
        last = next(event for name, event in told if name == "message_delta")
        message = told[0][1]["message"]
        usage = message["usage"] | {key: value for key, value in last["usage"].items() if value is not None}
        return Read(text, tool, last["delta"]["stop_reason"], message["model"], (usage["input_tokens"], usage["output_tokens"]))

    def error(self, said: dict[str, Any]) -> str:
        assert said["type"] == "error"
        return str(said["error"]["message"])


class GeminiClient:
    name = "gemini"
    path = "/v1beta/models/{model}:{verb}"
    stops = ("STOP", "STOP")

    def body(self, model: str, *, stream: bool, tools: bool, **more: Any) -> tuple[str, dict[str, Any]]:
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}], **more}
        if tools:
            body["tools"] = [{"functionDeclarations": [{"name": "look_up", "parameters": SCHEMA}]}]
        return self.path.format(model=model, verb="streamGenerateContent?alt=sse" if stream else "generateContent"), body

    def whole(self, said: dict[str, Any]) -> Read:
        return self._joined([said])

    def streamed(self, body: bytes) -> Read:
        return self._joined([event for _, event in events(body)])

    def _joined(self, pieces: list[dict[str, Any]]) -> Read:
        candidates = [piece["candidates"][0] for piece in pieces if piece.get("candidates")]
        parts = [part for candidate in candidates for part in candidate.get("content", {}).get("parts", ())]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        finish = next(candidate["finishReason"] for candidate in candidates if candidate.get("finishReason"))
        tool = (calls[0]["name"], calls[0]["args"]) if calls else None
        usage = [piece["usageMetadata"] for piece in pieces if piece.get("usageMetadata")][-1]
        text = "".join(part.get("text", "") for part in parts)
        model = pieces[0]["modelVersion"]
        return Read(text, tool, finish, model, (usage["promptTokenCount"], usage["candidatesTokenCount"]))

    def error(self, said: dict[str, Any]) -> str:
        assert {"code", "message", "status"} <= set(said["error"])
        return str(said["error"]["message"])


Client = OpenAIChatClient | OpenAIResponsesClient | AnthropicClient | GeminiClient
CLIENTS: dict[str, Client] = {c.name: c for c in (OpenAIChatClient(), OpenAIResponsesClient(), AnthropicClient(), GeminiClient())}


def events(body: bytes) -> list[tuple[str, Any]]:
    """Name and data of every event."""
    found = []
    for event in body.decode().replace("\r\n", "\n").strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if lines.get("data", "[DONE]") != "[DONE]":
            found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found


def ask(
    running: Running, client: Client, model: str, *, stream: bool = False, tools: bool = False, headers: Any = None, **more: Any
) -> Said:
    path, body = client.body(model, stream=stream, tools=tools, **more)
    return running.ask("POST", path, body, headers)
