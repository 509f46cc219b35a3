"""Bodies, answers and streams of the Responses API, written here from its reference and not with the code under test."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from tierline.dialects.openai_responses import OpenAIResponses
from tierline.types.catalog import Model
from tierline.types.completion import Cited, Event, PartDelta, PartStarted, Signed
from tierline.types.conversation import Text, Thinking, ToolCall
from tierline.types.request import Request

DIALECT = OpenAIResponses()
MODEL = Model("mini", "fast", "openai", "gpt-5-mini")
ASKED = {"model": "auto", "input": "hello"}

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SOME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.text("abcdefghij0123456789", min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(SOME, JSON, max_size=3)


def _some(required: dict[str, Any], optional: dict[str, Any] | None = None) -> Any:
    return st.fixed_dictionaries(required, optional=optional or {})


BREAKPOINT = st.sampled_from([{"mode": "explicit"}, {"mode": "explicit", "ttl": "30m"}, {"mode": "explicit", "ttl": "12h"}])
INPUT_TEXT = _some({"type": st.just("input_text"), "text": WORDS}, {"prompt_cache_breakpoint": BREAKPOINT})
DETAIL = st.sampled_from(["low", "high", "auto", "original"])
INPUT_IMAGE = _some(
    {"type": st.just("input_image"), "image_url": st.sampled_from(["https://example.org/a.png", "data:image/jpeg;base64,/9j/4AA="])},
    {"detail": DETAIL, "prompt_cache_breakpoint": BREAKPOINT},
) | _some({"type": st.just("input_image"), "file_id": IDS}, {"detail": DETAIL})
INPUT_FILE = (
    _some({"type": st.just("input_file"), "file_data": st.just("data:application/pdf;base64,JVBERg=="), "filename": SOME})
    | _some({"type": st.just("input_file"), "file_url": st.just("https://example.org/a.pdf")}, {"detail": st.just("low")})
    | _some({"type": st.just("input_file"), "file_id": IDS})
)
INPUT_AUDIO = st.sampled_from(["mp3", "wav"]).map(lambda kind: {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": kind}})
GIVEN = INPUT_TEXT | INPUT_IMAGE | INPUT_FILE | INPUT_AUDIO
URL_CITATION = st.builds(
    lambda title, end: {"type": "url_citation", "url": "https://example.org", "title": title, "start_index": 0, "end_index": end},
    WORDS,
    st.integers(0, 9),
)
FILE_CITATION = IDS.map(lambda key: {"type": "file_citation", "file_id": key, "filename": "a.txt", "index": 0})
SAID = _some(
    {"type": st.just("output_text"), "text": WORDS}, {"annotations": st.lists(URL_CITATION | FILE_CITATION, min_size=1, max_size=2)}
)
REFUSED = _some({"type": st.just("refusal"), "refusal": SOME})
OWN_ITEMS = st.builds(
    lambda kind, key: {"type": kind, "id": key, "status": "completed"},
    st.sampled_from(["web_search_call", "file_search_call", "computer_call", "code_interpreter_call", "mcp_call", "local_shell_call"]),
    IDS,
) | st.builds(lambda key: {"type": "item_reference", "id": key}, IDS)
OWN_RESULTS = IDS.map(lambda key: {"type": "computer_call_output", "call_id": key, "output": {"type": "computer_screenshot"}})
REASONING = _some(
    {
        "type": st.just("reasoning"),
        "id": IDS.map("rs_{}".format),
        "summary": st.lists(SOME.map(lambda text: {"type": "summary_text", "text": text}), max_size=2),
    },
    {
        "content": st.lists(SOME.map(lambda text: {"type": "reasoning_text", "text": text}), min_size=1, max_size=2),
        "encrypted_content": IDS,
    },
)
CALL = _some(
    {"type": st.just("function_call"), "call_id": IDS, "name": IDS, "arguments": OBJECTS.map(json.dumps)},
    {"id": IDS.map("fc_{}".format), "status": st.just("completed")},
)
CUSTOM_CALL = _some({"type": st.just("custom_tool_call"), "call_id": IDS, "name": IDS, "input": WORDS}, {"id": IDS.map("ctc_{}".format)})
RESULT = _some(
    {
        "type": st.sampled_from(["function_call_output", "custom_tool_call_output"]),
        "call_id": IDS,
        "output": WORDS | st.lists(INPUT_TEXT | INPUT_IMAGE, min_size=1, max_size=2),
    },
    {"id": IDS, "status": st.just("completed")},
)
ASKING = _some({"role": st.sampled_from(["user", "system", "developer"]), "content": WORDS | st.lists(GIVEN, min_size=1, max_size=3)})
ANSWERED = _some({"role": st.just("assistant"), "content": WORDS}) | _some(
    {"type": st.just("message"), "role": st.just("assistant"), "content": st.lists(SAID | REFUSED, min_size=1, max_size=2)}
)
PHASED = st.builds(
    lambda text, key, phase: {
        "type": "message",
        "role": "assistant",
        "id": f"msg_{key}",
        "status": "completed",
        "phase": phase,
        "content": [{"type": "output_text", "text": text}],
    },
    WORDS,
    IDS,
    st.sampled_from(["commentary", "final_answer"]),
)
ITEMS = st.lists(
    ASKING | ANSWERED | PHASED | REASONING | CALL | CUSTOM_CALL | RESULT | OWN_ITEMS | OWN_RESULTS, min_size=1, max_size=6
).map(lambda items: [item for index, item in enumerate(items) if not (index and _merges(items[index - 1], item))])


def _merges(before: Any, item: Any) -> bool:
    """Two reasoning items under one id are no two items."""
    return bool(before.get("type") == "reasoning" == item.get("type"))


FUNCTION = _some(
    {"type": st.just("function"), "name": IDS, "parameters": OBJECTS.map(lambda more: {"type": "object", **more})},
    {"description": SOME, "strict": st.booleans(), "defer_loading": st.just(True)},
)
CUSTOM = _some(
    {"type": st.just("custom"), "name": IDS},
    {"description": SOME, "format": st.just({"type": "grammar", "syntax": "lark", "definition": "start: WORD"})},
)
OWN_TOOL = st.sampled_from(
    [{"type": "web_search"}, {"type": "mcp", "server_label": "m", "server_url": "https://example.org"}, {"type": "local_shell"}]
)
NAMESPACE = st.builds(
    lambda name, tools: {"type": "namespace", "name": name, "description": "d", "tools": tools},
    IDS,
    st.lists(FUNCTION, min_size=1, max_size=2),
)
TOOLS = st.lists(FUNCTION | CUSTOM | OWN_TOOL, max_size=3) | NAMESPACE.map(lambda space: [space])
CHOICES = st.sampled_from(["auto", "none", "required"]) | st.sampled_from(
    [
        {"type": "function", "name": "the_tool"},
        {"type": "web_search_preview"},
        {"type": "mcp", "server_label": "m", "name": "x"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
    ]
)
FORMATS = st.sampled_from(
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
        {"type": "json_schema", "name": "n", "schema": {"type": "array"}, "description": "d"},
    ]
)
EFFORTS = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])
BODIES = _some(
    {"model": st.just("auto"), "input": WORDS.filter(bool) | ITEMS},
    {
        "instructions": SOME,
        "tools": TOOLS,
        "tool_choice": CHOICES,
        "parallel_tool_calls": st.booleans(),
        "text": _some({"format": FORMATS}, {"verbosity": st.sampled_from(["low", "high"])}),
        "reasoning": _some({"effort": EFFORTS}, {"summary": st.sampled_from(["auto", "detailed"]), "context": st.just("all_turns")}),
        "include": st.lists(st.sampled_from(["reasoning.encrypted_content", "message.output_text.logprobs"]), max_size=2, unique=True),
        "max_output_tokens": st.integers(1, 9999),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_logprobs": st.integers(0, 20),
        "stream": st.just(True),
        "store": st.booleans(),
        "background": st.just(True),
        "conversation": st.just("conv_1"),
        "previous_response_id": st.just("resp_0"),
        "service_tier": st.just("flex"),
        "truncation": st.just("auto"),
        "prompt_cache_key": IDS,
        "safety_identifier": IDS,
        "user": IDS,
        "metadata": st.dictionaries(IDS, WORDS, max_size=2),
        "a_field_of_tomorrow": JSON.filter(lambda value: value is not None),
    },
)

LOGPROB = st.builds(
    lambda token: {"token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": [{"token": token, "logprob": -0.5, "bytes": [1]}]}, SOME
)
SAID_OUT = st.builds(
    lambda text, annotations, logprobs: {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs},
    SOME,
    st.lists(URL_CITATION | FILE_CITATION, max_size=2),
    st.lists(LOGPROB, max_size=2),
)
MESSAGE_OUT = st.builds(
    lambda key, content: {"type": "message", "id": f"msg_{key}", "role": "assistant", "status": "completed", "content": content},
    IDS,
    st.lists(SAID_OUT | REFUSED, min_size=1, max_size=2),
)
CALL_OUT = st.builds(
    lambda key, arguments: {
        "type": "function_call",
        "id": f"fc_{key}",
        "call_id": f"call_{key}",
        "name": "f",
        "arguments": arguments,
        "status": "completed",
    },
    IDS,
    OBJECTS.map(json.dumps),
)
CUSTOM_OUT = st.builds(
    lambda key, text: {"type": "custom_tool_call", "id": f"ctc_{key}", "call_id": f"call_{key}", "name": "c", "input": text}, IDS, WORDS
)
OWN_OUT = st.builds(
    lambda kind, key: {"type": kind, "id": key, "status": "completed", "action": {"type": "search", "query": "q"}},
    st.sampled_from(["web_search_call", "file_search_call", "mcp_call"]),
    IDS,
)
IMAGE_OUT = IDS.map(
    lambda key: {"type": "image_generation_call", "id": key, "status": "completed", "result": "iVBORw==", "output_format": "png"}
)
USAGE = st.builds(
    lambda read, written, cached, thought: {
        "input_tokens": read + cached,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": min(read, 3)},
        "output_tokens": written + thought,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + cached + written + thought,
    },
    *[st.integers(1, 500)] * 4,
)


def _answer(output: list[Any], usage: Any, reason: str | None) -> dict[str, Any]:
    for index, item in enumerate(output):
        item["id"] = f"{item['id']}_{index}"
        if "call_id" in item:
            item["call_id"] = f"{item['call_id']}_{index}"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "model": "gpt-5-mini-2025-08-07",
        "status": "incomplete" if reason else "completed",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": usage,
    }


ANSWERS = st.builds(
    _answer,
    st.lists(MESSAGE_OUT | CALL_OUT | CUSTOM_OUT | OWN_OUT | IMAGE_OUT | REASONING, max_size=4),
    USAGE,
    st.sampled_from([None, None, "max_output_tokens", "content_filter"]),
)


def parsed(body: Any) -> Request:
    """A client's body, parsed."""
    return DIALECT.parse(json.dumps(body).encode())


def rendered(body: Any) -> Any:
    """A client's body, expanded and rendered again."""
    return json.loads(DIALECT.render_body(DIALECT.expand(parsed(body)), MODEL).body)


def canonical(body: Any) -> Any:
    """A body in one of the ways to write it: defaults and nulls left out, short forms written out, lists without an order sorted."""
    body = json.loads(json.dumps(body))
    body["input"] = [_written_out(item) for item in _listed(body.get("input"))]
    defaults = {"tool_choice": "auto", "tools": [], "include": [], "metadata": {}, "text": {"format": {"type": "text"}}, "stream": False}
    if body.get("text", {}).get("format") == {"type": "text"}:
        del body["text"]["format"]
    if body.get("text") == {}:
        del body["text"]
    for name in ("include", "tools"):
        body[name] = sorted(body.get(name, []), key=lambda entry: json.dumps(entry, sort_keys=True))
    return {name: value for name, value in body.items() if value is not None and defaults.get(name) != value}


def _listed(given: Any) -> list[Any]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given or []


def _written_out(item: Any) -> Any:
    item = {name: value for name, value in item.items() if value is not None}
    if "role" in item:
        item["type"] = "message"
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        if isinstance(item["content"], str):
            item["content"] = [{"type": kind, "text": item["content"]}]
    if item.get("type", "").endswith("_output") and isinstance(item["output"], list) and len(item["output"]) == 1:
        (only,) = item["output"]
        item["output"] = only["text"] if set(only) == {"type", "text"} else item["output"]
    return item


def shown(value: Any) -> Any:
    """Neutral values as JSON: what holds JSON as bytes is shown as what it holds, and defaults are left out."""
    if isinstance(value, bytes):
        return json.loads(value) if value else ""
    if isinstance(value, list | tuple):
        return [shown(entry) for entry in value]
    if isinstance(value, dict):
        return {name: shown(entry) for name, entry in value.items()}
    if not isinstance(value, msgspec.Struct):
        return value
    tag = value.__struct_config__.tag
    fields = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
    defaults = {field.name: field.default for field in msgspec.structs.fields(value)}
    told = {name: shown(entry) for name, entry in fields.items() if entry != defaults[name] and entry not in ((), {})}
    return {**({"type": tag} if tag else {}), **told}


def joined(events: list[Event]) -> list[Any]:
    """The parts that events tell of."""
    parts: list[Any] = []
    for event in events:
        match event:
            case PartStarted():
                parts.append(event.part)
            case PartDelta(text=text):
                last = parts[-1]
                field = "arguments" if isinstance(last, ToolCall) else "text"
                parts[-1] = msgspec.structs.replace(last, **{field: getattr(last, field) + text})
            case Cited(citation=citation):
                assert isinstance(parts[-1], Text)
                parts[-1] = msgspec.structs.replace(parts[-1], citations=(*parts[-1].citations, citation))
            case Signed(signature=signature):
                assert isinstance(parts[-1], Thinking | ToolCall)
                parts[-1] = msgspec.structs.replace(parts[-1], signature=signature)
    return parts


class Stream:
    """Writes a response as the API streams it."""

    def __init__(self) -> None:
        self.text = ""
        self.number = 0

    def tell(self, kind: str, **fields: Any) -> None:
        self.text += f"event: {kind}\ndata: {json.dumps({'type': kind, **fields, 'sequence_number': self.number})}\n\n"
        self.number += 1

    def item(self, index: int, item: dict[str, Any]) -> None:
        bare = {"content": [], "summary": [], "arguments": "", "input": "", "result": None}
        begun = {name: bare.get(name, value) for name, value in item.items() if name != "encrypted_content"}
        at = {"output_index": index, "item_id": item["id"]}
        self.tell("response.output_item.added", output_index=index, item={**begun, "status": "in_progress"})
        match item["type"]:
            case "message":
                for place, content in enumerate(item["content"]):
                    self._content({**at, "content_index": place}, content)
            case "reasoning":
                for place, part in enumerate(item["summary"]):
                    self._thought("reasoning_summary", "reasoning_summary_part", {**at, "summary_index": place}, part)
                for place, part in enumerate(item.get("content", [])):
                    self._thought("reasoning", "content_part", {**at, "content_index": place}, part)
            case "function_call":
                self._pieces("function_call_arguments", "arguments", at, item["arguments"])
            case "custom_tool_call":
                self._pieces("custom_tool_call_input", "input", at, item["input"])
            case kind:
                self.tell(f"response.{kind}.in_progress", **at)
        self.tell("response.output_item.done", output_index=index, item=item)

    def _content(self, at: dict[str, Any], content: dict[str, Any]) -> None:
        if content["type"] == "refusal":
            self.tell("response.content_part.added", **at, part={"type": "refusal", "refusal": ""})
            self._pieces("refusal", "refusal", at, content["refusal"])
        else:
            self.tell("response.content_part.added", **at, part={"type": "output_text", "text": "", "annotations": []})
            half = len(content["text"]) // 2
            for piece, logprobs in ((content["text"][:half], content["logprobs"]), (content["text"][half:], [])):
                self.tell("response.output_text.delta", **at, delta=piece, logprobs=logprobs)
            for place, annotation in enumerate(content["annotations"]):
                self.tell("response.output_text.annotation.added", **at, annotation_index=place, annotation=annotation)
            self.tell("response.output_text.done", **at, text=content["text"], logprobs=content["logprobs"])
        self.tell("response.content_part.done", **at, part=content)

    def _thought(self, words: str, part: str, at: dict[str, Any], thought: dict[str, Any]) -> None:
        self.tell(f"response.{part}.added", **at, part={**thought, "text": ""})
        self._pieces(f"{words}_text", "text", at, thought["text"])
        self.tell(f"response.{part}.done", **at, part=thought)

    def _pieces(self, kind: str, field: str, at: dict[str, Any], text: str) -> None:
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            self.tell(f"response.{kind}.delta", **at, delta=piece)
        self.tell(f"response.{kind}.done", **at, **{field: text})


def streamed(answer: dict[str, Any]) -> bytes:
    """The stream that ends in such a response."""
    stream = Stream()
    begun = {**answer, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    stream.tell("response.created", response=begun)
    stream.tell("response.in_progress", response=begun)
    for index, item in enumerate(answer["output"]):
        stream.item(index, item)
    stream.tell(f"response.{answer['status']}", response=answer)
    return stream.text.encode()
