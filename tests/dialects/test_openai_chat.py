"""The dialect openai_chat: golden cases, and the laws that hold for every body."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierline.dialects.openai_chat import OpenAIChat
from tierline.testing.checks import check_dialect
from tierline.types.catalog import Model
from tierline.types.errors import BadRequest, Forbidden, ProviderFailure, Unavailable, UnknownModel
from tierline.types.request import Kind, Request, Text, ToolResult

CASES = sorted(path for path in (Path(__file__).parent / "cases" / "openai_chat").iterdir() if path.is_dir())
MINI = Model(name="mini", tier="fast", provider="p", upstream="gpt-5-mini")
DIALECT = OpenAIChat()


def kind_of(case: Path) -> Kind:
    return "embeddings" if case.name.startswith("embeddings") else "chat"


NOT_OF_THE_BODY = ("raw", "hints", "sensitivity", "redacted")
"""What comes from headers and from governance, or is the body itself."""


def neutral(request: Request) -> dict[str, Any]:
    built = msgspec.to_builtins(msgspec.structs.replace(request, raw={}))
    for tool in built["tools"]:
        tool["parameters"] = json.loads(base64.b64decode(tool["parameters"]))
    return json.loads(json.dumps({key: value for key, value in built.items() if key not in NOT_OF_THE_BODY}))


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hi"}]} | fields).encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_client_body_reads_as_the_neutral_request(case: Path) -> None:
    request = DIALECT.parse((case / "client.json").read_bytes(), kind_of(case))
    assert neutral(request) == json.loads((case / "neutral.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_upstream_gets_the_clients_fields_with_only_what_must_change_changed(case: Path) -> None:
    request = DIALECT.parse((case / "client.json").read_bytes(), kind_of(case))
    assert json.loads(DIALECT.upstream_body(request, MINI)) == json.loads((case / "upstream.json").read_text())


def test_it_keeps_the_laws_of_a_dialect() -> None:
    chats = [(case / "client.json").read_bytes() for case in CASES if kind_of(case) == "chat"]
    inputs = [(case / "client.json").read_bytes() for case in CASES if kind_of(case) == "embeddings"]
    check_dialect(DIALECT, chats, [ANSWER])
    check_dialect(DIALECT, inputs, [b'{"object":"list","data":[{"embedding":[0.1]}],"model":"e"}'], kind="embeddings")


def test_paths_are_openais() -> None:
    assert DIALECT.upstream_path(DIALECT.parse(body()), MINI) == "/chat/completions"
    assert DIALECT.upstream_path(DIALECT.parse(b'{"model":"e","input":"a"}', "embeddings"), MINI) == "/embeddings"


@pytest.mark.parametrize(
    ("sent", "said", "param"),
    [
        (b'{"model": "auto", "messages": [', "line 1, column 32", None),
        (b'{"model": "auto",\n "messages": [{"role": "user" "content": "x"}]}', "line 2, column 31", None),
        (b'\xef\xbb\xbf{"model": "auto"}', "not valid JSON", None),
        (b'{"model": "au\xffto"}', "invalid byte at position 13", None),
        (b'{"model": NaN}', "NaN is no JSON value", None),
        (b"[]", "must be a JSON object", None),
        (b'{"a": ' + b"[" * 200_000, "nested too deeply", None),
        (b'{"messages": [{"role": "user", "content": "Hi"}]}', "model: is missing", "model"),
        (body(model=""), "model: is empty", "model"),
        (body(model=None), "model: expected str, got null", "model"),
        (body(messages=[]), "messages: send at least one", "messages"),
        (body(messages="Hi"), "messages: expected array, got str", "messages"),
        (
            body(messages=[{"role": "user", "content": "a"}, {"role": "user", "content": 7}]),
            "messages[1].content: expected",
            "messages[1].content",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}]),
            "messages[0].content[0].text: expected str | null, got int",
            "messages[0].content[0].text",
        ),
        (body(messages=[{"role": "bot", "content": "x"}]), "messages[0].role: 'bot' is no role", "messages[0].role"),
        (body(messages=[{"content": "x"}]), "messages[0].role: is missing", "messages[0].role"),
        (body(max_tokens="many"), "max_tokens: expected int | null, got str", "max_tokens"),
        (body(stream="yes"), "stream: expected bool | null, got str", "stream"),
        (body(response_format={"type": "xml"}), "response_format.type: 'xml' is none of", "response_format.type"),
        (body(tools={"type": "function"}), "tools: expected array | null, got object", "tools"),
    ],
)
def test_a_bad_body_is_refused_and_the_fault_named(sent: bytes, said: str, param: str | None) -> None:
    with pytest.raises(BadRequest) as refused:
        DIALECT.parse(sent)
    assert said in refused.value.message
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "send a text"), ("", "send a text"), ([1, "a"], "integers only"), (["a", 1], "mix no integers"), ({}, "expected")],
)
def test_bad_embedding_input_is_refused(given: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as refused:
        DIALECT.parse(json.dumps({"model": "e", "input": given}).encode(), "embeddings")
    assert refused.value.param == "input"


def test_what_msgspec_refuses_and_upstreams_take_passes_untouched() -> None:
    odd = (
        b'{"model":"auto", "messages":[{"role":"user","content":"\\ud83d and \\uDE00 \\n"}],'
        b'"seed":123456789012345678901234567890,"temperature":1e999,"user":"\\udfff"}'
    )
    request = DIALECT.parse(odd)
    assert request.messages[0].parts == (Text("? and ? \n"),)
    assert DIALECT.upstream_body(request, MINI) == odd.replace(b'"auto", ', b'"gpt-5-mini",')


def test_integers_of_any_size_pass_untouched() -> None:
    digits = b"9" * 6000
    request = DIALECT.parse(b'{"model":"auto","messages":[{"role":"user","content":"\\ud800"}],"seed":' + digits + b"}")
    assert digits in DIALECT.upstream_body(request, MINI)


def test_of_a_field_sent_twice_the_last_counts_for_routing_and_upstream_alike() -> None:
    request = DIALECT.parse(
        b'{"model":"a","model":"b","messages":[{"role":"user","content":"1"}],"messages":[{"role":"user","content":"2"}]}'
    )
    assert (request.model, request.messages[0].parts) == ("b", (Text("2"),))
    assert json.loads(DIALECT.upstream_body(request, MINI))["messages"][0]["content"] == "2"


def test_a_tool_result_without_content_is_empty() -> None:
    request = DIALECT.parse(body(messages=[{"role": "tool", "tool_call_id": "c", "content": None}]))
    assert request.messages[0].parts == (ToolResult("c", ""),)


@pytest.mark.parametrize("odd", ['"tierline"', '["tierline_task"]', '{"tierline_task": "\\ud800"}'])
def test_metadata_that_is_no_readable_object_is_left_to_the_upstream(odd: str) -> None:
    request = DIALECT.parse(body()[:-1] + b',"metadata":' + odd.encode() + b"}")
    assert odd.encode() in DIALECT.upstream_body(request, MINI)


@pytest.mark.parametrize(("effort", "needed"), [("low", True), ("none", False), (None, False)])
def test_reasoning_is_needed_where_an_effort_is_asked_for(effort: str | None, needed: bool) -> None:
    assert DIALECT.parse(body(reasoning_effort=effort)).params.reasoning is needed


# answers

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-5-mini-2026",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Four.", "annotations": []}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 5,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
).encode()
REQUEST = DIALECT.parse(body())


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(ANSWER) | fields).encode()


def test_an_answer_is_read_for_text_finish_model_and_usage() -> None:
    answer, usage = DIALECT.read_answer(REQUEST, ANSWER)
    assert (answer.text, answer.finish, answer.served_model, answer.body) == ("Four.", "stop", "gpt-5-mini-2026", ANSWER)
    assert usage is not None
    assert (usage.input, usage.output, usage.cached, usage.reasoning) == (11, 5, 3, 2)


@pytest.mark.parametrize("told", [None, {}, "12", {"prompt_tokens": "many"}, {"total_tokens": 3}])
def test_usage_that_is_absent_or_unreadable_is_none_and_the_answer_stands(told: Any) -> None:
    answer, usage = DIALECT.read_answer(REQUEST, changed(usage=told))
    assert (answer.text, usage) == ("Four.", None)


def test_negative_counts_are_read_as_zero() -> None:
    _, usage = DIALECT.read_answer(REQUEST, changed(usage={"prompt_tokens": -5, "completion_tokens": 2}))
    assert usage is not None
    assert (usage.input, usage.output) == (0, 2)


@pytest.mark.parametrize(
    ("message", "reason", "text", "finish"),
    [
        ({"content": None, "tool_calls": [{"id": "c"}]}, "tool_calls", "", "tool_calls"),
        ({"content": None, "refusal": "I cannot."}, "stop", "I cannot.", "stop"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "length", "ab", "length"),
        ({"content": "x"}, "eos_token", "x", "stop"),
        ({"content": "x"}, None, "x", "stop"),
    ],
)
def test_text_and_stop_reason_of_the_first_choice(message: dict[str, Any], reason: str | None, text: str, finish: str) -> None:
    answer, _ = DIALECT.read_answer(REQUEST, changed(choices=[{"message": message, "finish_reason": reason}]))
    assert (answer.text, answer.finish) == (text, finish)


def test_an_answer_with_a_lone_surrogate_is_read() -> None:
    answer, _ = DIALECT.read_answer(REQUEST, ANSWER.replace(b"Four.", b"Four\\ud83d"))
    assert answer.text == "Four?"


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"<!DOCTYPE html><html>Bad gateway</html>", "malformed"),
        (b"", "malformed"),
        (b"{}", "malformed"),
        (b'{"choices": []}', "malformed"),
        (b'{"choices": [{}]}', "malformed"),
        (b"[" * 200_000, "malformed"),
        (b'{"error": {"message": "slow down", "code": 429}}', "rate_limited"),
        (b'{"error": {"message": "x", "type": "insufficient_quota"}}', "rate_limited"),
        (b'{"error": {"message": "x", "code": "context_length_exceeded"}}', "context_exceeded"),
        (b'{"error": {"message": "x", "type": "overloaded_error"}}', "overloaded"),
        (b'{"error": {"message": "x", "code": "invalid_api_key"}}', "auth"),
        (b'{"error": "out of memory"}', "server"),
        (b'{"error": {"message": "x", "code": 503}, "choices": 7}', "overloaded"),
    ],
)
def test_a_body_that_is_no_answer_is_a_failure_of_its_class(sent: bytes, kind: str) -> None:
    with pytest.raises(ProviderFailure) as failed:
        DIALECT.read_answer(REQUEST, sent)
    assert failed.value.kind == kind


# errors


@pytest.mark.parametrize(
    ("status", "sent", "kind"),
    [
        (429, {"error": {"message": "x", "type": "rate_limit_error"}}, "rate_limited"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "overloaded"),
        (503, {}, "overloaded"),
        (500, {"error": {"message": "The engine is currently overloaded"}}, "overloaded"),
        (500, {"error": {"message": "x"}}, "server"),
        (502, {}, "server"),
        (504, {}, "timeout"),
        (408, {}, "timeout"),
        (401, {"error": {"code": "invalid_api_key"}}, "auth"),
        (402, {}, "auth"),
        (403, {}, "auth"),
        (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***1."}, "auth"),
        (404, {"error": {"code": "model_not_found"}}, "not_found"),
        (410, {"error": {"message": "this model was retired"}}, "not_found"),
        (498, {}, "overloaded"),
        (400, {"error": {"message": "Input is too long for requested model."}}, "context_exceeded"),
        (400, {"error": {"code": "model_not_found"}}, "not_found"),
        (400, {"error": {"code": "context_length_exceeded"}}, "context_exceeded"),
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9000}}, "context_exceeded"),
        (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400}, "context_exceeded"),
        (413, {}, "context_exceeded"),
        (400, {"error": {"code": "content_filter", "innererror": {}}}, "content_filter"),
        (400, {"error": {"message": "temperature is out of range"}}, "bad_request"),
        (422, {"detail": [{"loc": ["body"], "msg": "x", "input": "my secret prompt"}]}, "bad_request"),
        (302, {}, "malformed"),
    ],
)
def test_an_upstreams_error_has_its_class(status: int, sent: dict[str, Any], kind: str) -> None:
    error, message = DIALECT.read_error(status, json.dumps(sent).encode())
    assert error == kind
    assert message.startswith(f"status {status}")


@pytest.mark.parametrize(
    ("echoed", "kept"),
    [
        ("Invalid value: 'my mother has cancer'.", "Invalid value: '…'."),
        ("Invalid type for 'messages[0].content'", "Invalid type for 'messages[0].content'"),
        ('Failed to parse messages: messages = [\n {"content": "my mother"}]', "Failed to parse messages: messages = ["),
        ("Incorrect API key provided: sk-proj-abcd1234", "Incorrect API key provided: [secret]"),
        ("x" * 1000, "x" * 160 + "…"),
    ],
)
def test_messages_for_logs_hold_no_prompt_and_no_secret(echoed: str, kept: str) -> None:
    _, message = DIALECT.read_error(400, json.dumps({"error": {"message": echoed, "type": "t"}}).encode())
    assert message == f"status 400, t: {kept}"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (BadRequest("bad", param="messages"), "invalid_request_error", "invalid_request"),
        (Forbidden("no"), "permission_error", "forbidden"),
        (UnknownModel("who?"), "not_found_error", "model_not_found"),
        (Unavailable("later"), "server_error", "unavailable"),
    ],
)
def test_errors_are_rendered_in_openais_envelope(error: Any, kind: str, code: str) -> None:
    rendered = json.loads(DIALECT.render_error(error))
    assert rendered == {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}
    event = DIALECT.render_error_event(error)
    assert event.startswith(b"data: ")
    assert event.endswith(b"\n\n")
    assert json.loads(event[6:]) == rendered


def test_models_are_rendered_as_openais_list() -> None:
    rendered = json.loads(DIALECT.render_models([{"id": "auto", "created": 1, "owned_by": "tierline"}]))
    assert rendered == {"object": "list", "data": [{"object": "model", "id": "auto", "created": 1, "owned_by": "tierline"}]}


# laws

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
contents = st.text() | st.lists(st.builds(lambda text: {"type": "text", "text": text}, st.text()), max_size=3)
messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]), "content": contents}),
    min_size=1,
    max_size=5,
)
extras = st.dictionaries(st.text(min_size=1).filter(lambda key: key not in KNOWN), json_values, max_size=4)
KNOWN = {
    "model",
    "messages",
    "metadata",
    *msgspec.structs.asdict(REQUEST.params),
    *("tools", "functions", "function_call", "tool_choice", "stream"),
} | {
    "response_format",
    "max_completion_tokens",
    "reasoning_effort",
    "stream_options",
}


@settings(max_examples=150, deadline=None)
@given(messages, extras, st.booleans())
def test_what_passes_through_is_what_the_client_sent_but_for_the_model(turns: list[Any], extra: dict[str, Any], ascii_only: bool) -> None:
    document = {**extra, "model": "auto", "messages": turns}
    sent = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    request = DIALECT.parse(sent)
    passed = json.loads(DIALECT.upstream_body(request, MINI))
    assert passed == json.loads(sent) | {"model": "gpt-5-mini"}


@settings(max_examples=100, deadline=None)
@given(messages, st.sampled_from([None, 0, 1]))
def test_parsing_a_body_written_differently_gives_the_same_request(turns: list[Any], indent: int | None) -> None:
    one = DIALECT.parse(json.dumps({"model": "auto", "messages": turns}).encode())
    other = DIALECT.parse(json.dumps({"messages": turns, "model": "auto"}, indent=indent, ensure_ascii=False).encode())
    assert neutral(one) == neutral(other)


@settings(max_examples=200, deadline=None)
@given(
    st.binary()
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(sorted(KNOWN)), json_values).map(lambda v: json.dumps(v).encode())
)
def test_no_bytes_crash_a_reader(sent: bytes) -> None:
    for kind in ("chat", "embeddings"):
        try:
            request = DIALECT.parse(sent, kind)
            assert DIALECT.upstream_body(request, MINI)
        except BadRequest as refused:
            assert refused.message
    try:
        answer, _ = DIALECT.read_answer(REQUEST, sent)
        assert answer.body == sent
    except ProviderFailure as failed:
        assert failed.kind
    error, message = DIALECT.read_error(400, sent)
    assert error
    assert len(message) < 400


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_good_body_with_a_damaged_byte_is_read_or_refused(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    sent = bytearray((case / "client.json").read_bytes())
    sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = DIALECT.parse(bytes(sent), kind_of(case))
    except BadRequest as refused:
        assert refused.message
    else:
        assert request.dialect == "openai_chat"
