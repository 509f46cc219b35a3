"""The dialect gemini where client and provider agree: bodies pass, paths and errors are Google's."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dialects.gemini.gemini_worlds import DIALECT, FLASH, HELLO, PRO3, asked, case_names, parsed, raw_case
from tierline.dialects.gemini.carried import Carried, packed, unpacked
from tierline.plugins import find
from tierline.testing.checks import check_dialect, read_stream
from tierline.types.catalog import Model
from tierline.types.errors import BadRequest, Forbidden, NoEligibleModel, ProviderFailure, Unavailable, UnknownModel
from tierline.types.request import Media, ToolCall, ToolResult


def test_it_keeps_the_laws_of_a_dialect() -> None:
    bodies = [raw_case(name, "client.json") for name in case_names("request_") if name != "request_streamed_history"]
    check_dialect(DIALECT, bodies, [raw_case(name, "upstream.json") for name in case_names("answer_")])
    texts = [b'{"content":{"parts":[{"text":"a"}]}}', b'{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]}}]}']
    check_dialect(DIALECT, texts, [b'{"embedding":{"values":[0.1]}}', b'{"embeddings":[{"values":[0.1]}]}'], kind="embeddings")


@pytest.mark.parametrize(
    ("upstream", "path"),
    [
        ("gemini-2.5-flash", "/models/gemini-2.5-flash:generateContent"),
        ("models/gemini-2.5-flash", "/models/gemini-2.5-flash:generateContent"),
        ("tunedModels/mine", "/tunedModels/mine:generateContent"),
        ("publishers/google/models/gemini-2.5-pro", "/publishers/google/models/gemini-2.5-pro:generateContent"),
        ("odd name?x", "/models/odd%20name%3Fx:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(upstream: str, path: str) -> None:
    assert DIALECT.upstream_path(asked(), Model("m", "fast", "p", upstream)) == path


def test_a_stream_is_asked_for_as_events_and_embeddings_one_or_many() -> None:
    stream = msgspec.structs.replace(asked(), stream=True)
    one = DIALECT.parse(b'{"content":{"parts":[{"text":"a"}]},"outputDimensionality":8}', "embeddings")
    many = DIALECT.parse(b'{"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]},"taskType":"T"}]}', "embeddings")
    assert DIALECT.upstream_path(stream, FLASH) == "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert DIALECT.upstream_path(one, FLASH) == "/models/gemini-2.5-flash:embedContent"
    assert DIALECT.upstream_path(many, FLASH) == "/models/gemini-2.5-flash:batchEmbedContents"
    assert (many.model, many.inputs) == ("x", ("a",))
    assert json.loads(DIALECT.upstream_body(many, FLASH))["requests"] == [
        {"model": "models/gemini-2.5-flash", "content": {"parts": [{"text": "a"}]}, "taskType": "T"}
    ]


def test_a_body_needs_no_model_and_one_that_names_it_has_it_replaced() -> None:
    request = DIALECT.parse(HELLO[:-1] + b',"model":"models/auto"}')
    assert (DIALECT.parse(HELLO).model, request.model) == ("", "auto")
    assert json.loads(DIALECT.upstream_body(request, FLASH))["model"] == "models/gemini-2.5-flash"


def test_unknown_fields_pass_byte_for_byte() -> None:
    body = b'{"contents":[{"parts":[{"text":"a","newThing":{"x":1e400}}],"role":"user"}],"laterField":[1.10,"\\u00e9"]}'
    assert DIALECT.upstream_body(DIALECT.parse(body), FLASH) == body


def test_routing_reads_text_media_calls_and_results() -> None:
    request = DIALECT.parse(raw_case("request_tools", "client.json"))
    assert [message.role for message in request.messages] == ["user", "assistant", "tool"]
    calls = [part for part in request.messages[1].parts if isinstance(part, ToolCall)]
    assert [(call.id, call.name, json.loads(call.arguments)) for call in calls] == [
        ("weather", "weather", {"city": "Paris"}),
        ("weather", "weather", {"city": "Rome"}),
        ("given-1", "clock", {}),
    ]
    result = request.messages[2].parts[0]
    assert isinstance(result, ToolResult)
    assert (result.id, json.loads(result.text)) == ("weather", {"output": "sunny"})
    assert [tool.name for tool in request.tools] == ["weather", "clock", "strict"]
    media = DIALECT.parse(raw_case("request_media", "client.json")).messages[0].parts
    assert [part.kind for part in media if isinstance(part, Media)] == [
        "image",
        "document",
        "audio",
        "document",
        "document",
        "document",
        "document",
    ]


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        ({"maxOutputTokens": 5}, "max_tokens", 5),
        ({"maxOutputTokens": 0}, "max_tokens", None),
        ({"responseMimeType": "application/json"}, "response_format", "json_object"),
        ({"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}}, "response_format", "json_schema"),
        ({"responseJsonSchema": {}}, "response_format", "json_schema"),
        ({"thinkingConfig": {"thinkingBudget": 0}}, "reasoning", False),
        ({"thinkingConfig": {"thinkingBudget": -1}}, "reasoning", True),
        ({"thinkingConfig": {"thinkingLevel": "low"}}, "reasoning", True),
        ({"candidateCount": 3}, "n", 3),
        ({"responseLogprobs": True}, "logprobs", True),
    ],
)
def test_routing_reads_the_generation_config(config: Any, field: str, value: Any) -> None:
    params = parsed({"contents": [{"parts": [{"text": "a"}]}], "generationConfig": config}).params
    assert getattr(params, field) == value


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({}, "auto"),
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "VALIDATED"}, "auto"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "ANY"}, "required"),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, "f"),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, "required"),
    ],
)
def test_routing_reads_the_choice_of_functions(calling: Any, choice: str) -> None:
    body = {"contents": [{"parts": [{"text": "a"}]}], "toolConfig": {"functionCallingConfig": calling}}
    assert parsed(body).params.tool_choice == choice


@pytest.mark.parametrize(
    ("body", "said", "param"),
    [
        ({}, "contents: send at least one content", "contents"),
        ({"contents": []}, "contents: send at least one content", "contents"),
        ({"contents": "Hi"}, "contents: expected", "contents"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text: expected str | null, got int", "contents[0].parts[0].text"),
        ({"contents": [{"role": "bot", "parts": []}]}, "contents[0].role: 'bot' is no role", "contents[0].role"),
        ({"contents": [{}], "generation_config": {"top_k": "x"}}, "generationConfig.topK: expected float | null", "generationConfig.topK"),
        (
            {"contents": [{}], "toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}},
            "'MAYBE' is none of AUTO, ANY, NONE, VALIDATED",
            "toolConfig.functionCallingConfig.mode",
        ),
    ],
)
def test_a_bad_body_is_refused_and_the_fault_named(body: Any, said: str, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parsed(body)
    assert said in refused.value.message
    assert refused.value.param == param


def test_a_bad_part_is_named_when_it_is_expanded() -> None:
    request = parsed({"contents": [{"parts": [{"text": "a"}, {"functionResponse": {"name": "f", "response": "plain"}}]}]})
    with pytest.raises(BadRequest) as refused:
        DIALECT.expand(request)
    assert refused.value.param == "contents[0].parts[1]"


@pytest.mark.parametrize("body", [{"content": None}, {"requests": []}, {"requests": [{"model": "models/x"}]}])
def test_nothing_to_embed_is_refused(body: Any) -> None:
    with pytest.raises(BadRequest, match="send a content to embed"):
        DIALECT.parse(json.dumps(body).encode(), "embeddings")


def test_tierlines_labels_stay_here() -> None:
    body = {"contents": [{"parts": [{"text": "a"}]}], "labels": {"tierline_task": "x", "team": "maps"}}
    assert json.loads(DIALECT.upstream_body(parsed(body), FLASH))["labels"] == {"team": "maps"}
    assert DIALECT.expand(parsed(body)).metadata == {"team": "maps"}
    assert "labels" not in json.loads(DIALECT.upstream_body(parsed({**body, "labels": {"tierline_task": "x"}}), FLASH))


def test_another_dialects_signature_never_reaches_google_and_its_calls_are_excused() -> None:
    sent = json.loads(DIALECT.upstream_body(DIALECT.parse(raw_case("request_streamed_history", "client.json")), PRO3))
    assert b"dGllcmxpbmU6" not in json.dumps(sent).encode()
    calls = [part for content in sent["contents"] for part in content["parts"] if "functionCall" in part]
    assert [part["thoughtSignature"] for part in calls] == ["skip_thought_signature_validator"]


def test_what_is_carried_comes_back_and_nonsense_is_nobodys() -> None:
    what = Carried("anthropic_messages", "id", "sig>>>???", "")
    url_safe = packed(what).translate(str.maketrans("+/", "-_")).rstrip("=")
    assert unpacked(packed(what)) == unpacked(url_safe) == what
    assert unpacked("dGllcmxpbmU6xxxx") == Carried("")
    assert unpacked("R29vZ2xl") is None


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"status": "INVALID_ARGUMENT", "message": "Bad field 'x'."}, "bad_request"),
        (400, {"status": "INVALID_ARGUMENT", "message": "API key not valid. Please pass a valid API key."}, "auth"),
        (400, {"message": "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."}, "context_exceeded"),
        (401, {"status": "UNAUTHENTICATED", "message": "no"}, "auth"),
        (403, {"status": "PERMISSION_DENIED", "message": "no"}, "auth"),
        (403, {"status": "PERMISSION_DENIED", "message": "Requests to this API x method y are blocked."}, "auth"),
        (400, {"status": "FAILED_PRECONDITION", "message": "User location is not supported for the API use."}, "auth"),
        (400, {"status": "INVALID_ARGUMENT", "message": "The prompt was blocked for safety."}, "content_filter"),
        (499, {"status": "CANCELLED", "message": "The operation was cancelled."}, "server"),
        (404, {"status": "NOT_FOUND", "message": "models/x is not found for API version v1beta"}, "not_found"),
        (429, {"status": "RESOURCE_EXHAUSTED", "message": "quota"}, "rate_limited"),
        (500, {"status": "INTERNAL", "message": "An internal error has occurred."}, "server"),
        (503, {"status": "UNAVAILABLE", "message": "The model is overloaded."}, "overloaded"),
        (504, {"status": "DEADLINE_EXCEEDED", "message": "late"}, "timeout"),
    ],
)
def test_upstream_errors_have_a_class(status: int, error: Any, kind: str) -> None:
    plain = DIALECT.read_error(status, json.dumps({"error": {"code": status, **error}}).encode())
    assert plain == DIALECT.read_error(status, json.dumps([{"error": {"code": status, **error}}]).encode())
    assert plain[0] == kind


def test_an_errors_message_quotes_no_prompt_and_no_key() -> None:
    said = "Invalid value at 'contents[0]': \"my secret prompt\" with key AIzaSyD-123456 {'text': 'my secret prompt'}"
    _, message = DIALECT.read_error(400, json.dumps({"error": {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}}).encode())
    assert "secret prompt" not in message
    assert "AIza" not in message
    assert "contents[0]" in message


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BadRequest("x", param="contents"), 400, "INVALID_ARGUMENT"),
        (Forbidden("x"), 403, "PERMISSION_DENIED"),
        (UnknownModel("x"), 404, "NOT_FOUND"),
        (NoEligibleModel("x", 402), 402, "FAILED_PRECONDITION"),
        (NoEligibleModel("x", 418), 418, "INVALID_ARGUMENT"),
        (Unavailable("x"), 503, "UNAVAILABLE"),
    ],
)
def test_errors_are_told_in_googles_envelope(error: Any, code: int, status: str) -> None:
    told = json.loads(DIALECT.render_error(error))["error"]
    assert (told["code"], told["message"], told["status"]) == (code, "x", status)
    assert told["details"][0]["reason"] == error.code
    event = DIALECT.render_error_event(error)
    assert event.startswith(b"data: ")
    assert event.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("body", [b"{}", b'{"candidates":[]}', b'{"candidates":5}', b"<html>", b'{"error":{"code":429,"message":"x"}}'])
def test_a_body_that_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailure) as whole:
        DIALECT.read_answer(asked(), body)
    with pytest.raises(ProviderFailure) as read:
        DIALECT.read_completion(body)
    assert whole.value.kind == read.value.kind == ("rate_limited" if b"429" in body else "malformed")


def test_an_answers_words_are_the_first_candidates_without_thoughts() -> None:
    answer, usage = DIALECT.read_answer(asked(), raw_case("answer_tools", "upstream.json"))
    assert (answer.text, answer.finish, answer.served_model) == ("Looking.", "tool_calls", "gemini-2.5-flash")
    assert usage is not None
    assert (usage.input, usage.output, usage.cached, usage.reasoning) == (20, 10, 16, 3)
    assert DIALECT.read_answer(asked(), raw_case("answer_blocked_prompt", "upstream.json"))[0].finish == "content_filter"


def test_a_counts_request_is_read_and_sent_as_it_came() -> None:
    plain = DIALECT.parse_count(HELLO)
    wrapped = DIALECT.parse_count(
        b'{"generateContentRequest":{"model":"models/auto",' + HELLO[1:-1] + b',"systemInstruction":{"parts":[]}}}'
    )
    assert DIALECT.count_path(plain, FLASH) == "/models/gemini-2.5-flash:countTokens"
    assert plain.messages == wrapped.messages[1:] == DIALECT.parse(HELLO).messages
    assert DIALECT.count_body(plain, FLASH) == HELLO
    assert json.loads(DIALECT.count_body(wrapped, FLASH))["generateContentRequest"]["model"] == "models/gemini-2.5-flash"
    assert (DIALECT.read_count(b'{"totalTokens":7}'), json.loads(DIALECT.render_count(7))) == (7, {"totalTokens": 7})
    with pytest.raises(ProviderFailure, match="no count of tokens"):
        DIALECT.read_count(b"{}")


def test_an_array_of_responses_is_a_stream_too() -> None:
    stream = raw_case("stream_tools", "upstream.txt")
    writer = DIALECT.array_writer()
    array = b"".join([writer.feed(stream[at : at + 7]) for at in range(0, len(stream), 7)]) + writer.finished()
    assert len(json.loads(array)) == stream.count(b"data: ")
    assert read_stream(DIALECT.reader(asked()), [array])[1:] == read_stream(DIALECT.reader(asked()), [stream])[1:]
    assert DIALECT.array_writer().finished() == b"[]"


def test_it_is_registered() -> None:
    assert find("dialects", "gemini").name == "gemini"
