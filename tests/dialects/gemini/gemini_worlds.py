"""What the tests of this dialect share: models, golden data, and bodies and answers at random."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from tierline.dialects.gemini import Gemini
from tierline.types.catalog import Model
from tierline.types.completion import Cited, Event, Finished, PartDelta, PartStarted, Signed
from tierline.types.request import Request

DIALECT = Gemini()
CASES = Path(__file__).parent.parent / "cases" / "gemini"
FLASH = Model("flash", "fast", "google", "gemini-2.5-flash")
PRO3 = Model("pro", "best", "google", "gemini-3-pro-preview")
HELLO = b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}'


def case_names(prefix: str) -> list[str]:
    """The golden cases whose name begins so."""
    found = sorted(path.name for path in CASES.iterdir() if path.name.startswith(prefix))
    assert found
    return found


def raw_case(name: str, file: str) -> bytes:
    return (CASES / name / file).read_bytes()


def case(name: str, file: str) -> Any:
    return json.loads(raw_case(name, file))


def parsed(body: Any) -> Request:
    return DIALECT.parse(json.dumps(body).encode())


def canonical(body: Any) -> Any:
    """The same body as it is written again: a schema as JSON Schema, and nothing that is said anyway."""
    config = dict(body.get("generationConfig", {}))
    if config.get("responseMimeType") == "application/json" and "responseSchema" in config:
        config["responseJsonSchema"] = {"type": config.pop("responseSchema")["type"].lower()}
    if config.get("responseModalities") == ["TEXT"]:
        del config["responseModalities"]
    return {key: value for key, value in body.items() if key != "generationConfig"} | ({"generationConfig": config} if config else {})


def asked(model: str = "auto") -> Request:
    """A request for `model`, as the server hands it on."""
    return msgspec.structs.replace(DIALECT.parse(HELLO), model=model, id="req_1")


def rendered(body: Any, model: Model = FLASH) -> Any:
    return json.loads(DIALECT.render_body(DIALECT.expand(parsed(body)), model).body)


def shown(value: Any) -> Any:
    """A neutral value as plain data: without defaults, JSON inside bytes read."""
    if isinstance(value, msgspec.Struct):
        tag = {"type": value.__struct_config__.tag} if value.__struct_config__.tag else {}
        defaults = dict(zip(reversed(value.__struct_fields__), reversed(value.__struct_defaults__), strict=False))
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return tag | {name: shown(field) for name, field in fields.items() if name not in defaults or field != defaults[name]}
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shown(inner) for inner in value]
    return json.loads(value) if isinstance(value, bytes) and value else value


def neutral(event: dict[str, Any]) -> Any:
    """Plain data as JSON gives it back."""
    return json.loads(json.dumps(event))


def as_stream(answers: Iterable[Any]) -> bytes:
    return b"".join([b"data: " + json.dumps(answer).encode() + b"\r\n\r\n" for answer in answers])


def joined(events: Sequence[Event], choice: int = 0) -> tuple[list[Any], str, list[Any]]:
    """Parts, stop reason and log probabilities of one choice of a stream; written apart from the dialect's own joining."""
    parts: list[Any] = []
    finish, weights = "", []
    for event in events:
        if getattr(event, "choice", None) != choice:
            continue
        if isinstance(event, PartStarted):
            assert event.index == len(parts)
            parts.append(shown(event.part))
        elif isinstance(event, PartDelta):
            assert event.index == len(parts) - 1
            field = {"tool_call": "arguments"}.get(parts[-1]["type"], "text")
            parts[-1][field] = parts[-1].get(field, "") + event.text
            weights.extend(json.loads(event.logprobs)["content"] if event.logprobs else [])
        elif isinstance(event, Signed):
            parts[-1]["signature"] = event.signature
        elif isinstance(event, Cited):
            parts[-1].setdefault("citations", []).append(shown(event.citation))
        elif isinstance(event, Finished):
            finish = event.finish
    return [{name: value for name, value in part.items() if (name, value) != ("arguments", "{}")} for part in parts], finish, weights


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
SIGNATURES = (
    st.binary(min_size=3, max_size=9).filter(lambda raw: not raw.startswith(b"tierline")).map(lambda raw: base64.b64encode(raw).decode())
)
OBJECTS = st.dictionaries(NAMES, st.integers(-5, 5) | WORDS | st.none() | st.lists(st.booleans(), max_size=2), max_size=3)
IDS = st.from_regex(r"call_[0-9a-f]{6}", fullmatch=True)


def fields(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


SIGNED = {"thoughtSignature": SIGNATURES}
USER_PARTS = st.one_of(
    fields({"text": WORDS}, SIGNED),
    fields(
        {"inlineData": fields({"mimeType": st.sampled_from(["image/png", "audio/wav", "application/pdf"]), "data": SIGNATURES}, {})}, SIGNED
    ),
    fields(
        {"inlineData": fields({"data": SIGNATURES}, {"mimeType": st.just("image/png"), "displayName": WORDS})}, {"partMetadata": OBJECTS}
    ),
    fields(
        {"fileData": fields({"fileUri": st.sampled_from(["gs://b/c", "https://x.example/y.pdf"])}, {"mimeType": st.just("video/mp4")})},
        {"videoMetadata": st.just({"fps": 2}), **SIGNED},
    ),
)
MODEL_PARTS = st.one_of(
    fields({"text": WORDS}, SIGNED),
    fields({"text": WORDS, "thought": st.just(True)}, SIGNED),
    fields({"functionCall": fields({"name": NAMES, "args": OBJECTS}, {"id": IDS})}, SIGNED),
    fields({"executableCode": fields({"language": st.just("PYTHON"), "code": WORDS}, {})}, SIGNED),
)
RESPONSES = st.one_of(
    fields({"output": WORDS}, {}), fields({"error": WORDS}, {}), fields({"error": OBJECTS}, {}), OBJECTS, fields({"result": OBJECTS}, {})
)
RESULT_PARTS = fields({"functionResponse": fields({"name": NAMES, "response": RESPONSES}, {"id": IDS, "willContinue": st.just(True)})}, {})
TURNS = st.one_of(
    fields({"role": st.just("user"), "parts": st.lists(USER_PARTS, min_size=1, max_size=3)}, {}),
    fields({"role": st.just("model"), "parts": st.lists(MODEL_PARTS, min_size=1, max_size=3)}, {}),
    fields({"role": st.just("user"), "parts": st.lists(RESULT_PARTS, min_size=1, max_size=3)}, {}),
)
SCHEMAS = st.sampled_from(
    [{"type": "object", "properties": {"a_b": {"type": "string"}}}, {"type": "object", "additionalProperties": False}]
)
OPEN_API = st.sampled_from(
    [{"type": "OBJECT", "properties": {"a_b": {"type": "STRING", "nullable": True, "maxLength": "9"}}}, {"type": "STRING"}]
)
DECLARATIONS = st.one_of(
    fields({"name": NAMES, "parametersJsonSchema": SCHEMAS}, {"description": WORDS}),
    fields({"name": NAMES}, {"description": WORDS, "parameters": OPEN_API, "behavior": st.just("BLOCKING")}),
)
TOOLS = st.one_of(
    st.lists(DECLARATIONS, min_size=1, max_size=2).map(lambda found: [{"functionDeclarations": found}]),
    st.just([{"googleSearch": {}}, {"codeExecution": {}}]),
    st.lists(DECLARATIONS, min_size=1, max_size=2).map(lambda found: [{"functionDeclarations": found}, {"urlContext": {}}]),
)
CALLING = st.one_of(
    st.sampled_from([{"mode": "ANY"}, {"mode": "NONE"}, {"mode": "VALIDATED"}, {"mode": "ANY", "allowedFunctionNames": ["a"]}]),
    st.just({"mode": "ANY", "allowedFunctionNames": ["a", "b"]}),
)
SETTINGS: dict[str, Any] = {
    "temperature": st.floats(0, 2),
    "topP": st.floats(0, 1),
    "topK": st.integers(1, 40),
    "candidateCount": st.integers(2, 8),
    "maxOutputTokens": st.integers(1, 9999),
    "stopSequences": st.lists(WORDS, min_size=1, max_size=5),
    "seed": st.integers(-(2**31), 2**31 - 1),
    "presencePenalty": st.floats(-2, 2),
    "frequencyPenalty": st.floats(-2, 2),
    "responseLogprobs": st.just(True),
    "logprobs": st.integers(1, 20),
    "thinkingConfig": fields({"includeThoughts": st.booleans()}, {"thinkingBudget": st.integers(-1, 9000)})
    | st.just({"thinkingLevel": "LOW"}),
    "responseModalities": st.sampled_from([["TEXT"], ["TEXT", "IMAGE"]]),
    "speechConfig": OBJECTS.filter(bool),
}
SHAPES = st.sampled_from(
    [
        {},
        {"responseMimeType": "application/json"},
        {"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}},
        {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}},
    ]
)
CONFIGS = st.builds(lambda config, shape: config | shape, fields({}, SETTINGS), SHAPES).filter(bool)


def not_in_a_row(contents: list[Any]) -> list[Any]:
    """Without a model's content behind another: such are one turn."""
    return [content for at, content in enumerate(contents) if not at or content["role"] == "user" or contents[at - 1]["role"] == "user"]


BODIES = fields(
    {"contents": st.lists(TURNS, min_size=1, max_size=4).map(not_in_a_row)},
    {
        "systemInstruction": fields({"parts": st.lists(fields({"text": WORDS}, {}), min_size=1, max_size=2)}, {}),
        "tools": TOOLS,
        "toolConfig": fields({"functionCallingConfig": CALLING}, {}),
        "generationConfig": CONFIGS,
        "safetySettings": st.just([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]),
        "cachedContent": st.just("cachedContents/1"),
        "labels": st.dictionaries(NAMES, WORDS, min_size=1, max_size=2),
    },
)
ANSWER_PARTS = st.lists(
    MODEL_PARTS | fields({"inlineData": fields({"mimeType": st.just("image/png"), "data": SIGNATURES}, {})}, SIGNED), min_size=1, max_size=5
)
REASONS = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY", "OTHER", "MALFORMED_FUNCTION_CALL"])
USAGES = fields(
    {"promptTokenCount": st.integers(0, 99), "candidatesTokenCount": st.integers(0, 99)},
    {"thoughtsTokenCount": st.integers(0, 99), "cachedContentTokenCount": st.integers(0, 9)},
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """A whole answer of one or two candidates, the first of them with sources now and then."""
    candidates = []
    for index in range(draw(st.integers(1, 2))):
        parts = draw(ANSWER_PARTS)
        candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": draw(REASONS), "index": index}
        words = "".join([part["text"] for part in parts if "text" in part and "thought" not in part]).encode()
        if words and draw(st.booleans()):
            support = {"segment": {"endIndex": len(words)}, "groundingChunkIndices": [0]}
            source = {"web": {"uri": "https://a.example", "title": "A"}}
            candidate["groundingMetadata"] = {"groundingChunks": [source], "groundingSupports": [support]}
        candidates.append(candidate)
    return {"candidates": candidates, "usageMetadata": draw(USAGES), "modelVersion": "gemini-2.5-flash", "responseId": draw(IDS)}


ANSWERS = answers()


def in_pieces(answer: dict[str, Any], size: int) -> list[Any]:
    """The same answer as Google streams it: each part of its own, words in pieces, everything else with the last one."""
    pieces = []
    for candidate in answer["candidates"]:
        ending = {key: value for key, value in candidate.items() if key != "content"}
        told = []
        for part in candidate["content"]["parts"]:
            words = part.get("text", "")
            bare = {"text", "thought"} >= part.keys()
            told.extend([{**part, "text": words[at : at + size]} for at in range(0, len(words), size)] if words and bare else [part])
        pieces.extend([{"candidates": [{"content": {"parts": [part], "role": "model"}, "index": candidate["index"]}]} for part in told])
        pieces.append({"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, **ending}]})
    whole = {key: value for key, value in answer.items() if key != "candidates"}
    return [{**piece, **whole} for piece in pieces]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
