"""OpenAI's own SDK reads what this dialect writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import openai
import pydantic
import pytest

from tierline.types.completion import (
    Broken,
    Completion,
    CompletionChoice,
    Counted,
    Ended,
    Event,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
)
from tierline.types.conversation import Refusal, Text, Thinking, ToolCall
from tierline.types.outcome import Usage

from .worlds import DIALECT

httpx = pytest.importorskip(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
USAGE = Usage(20, 9, 5, 0, 4)


class Order(pydantic.BaseModel):
    number: int


def client(answer: Callable[[bytes], tuple[str, bytes]]) -> openai.OpenAI:
    """The SDK, with a gateway of one page behind it."""

    def handle(request: httpx.Request) -> httpx.Response:
        kind, body = answer(request.read())
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    return openai.OpenAI(
        api_key="x", base_url="http://gateway/v1", http_client=openai.DefaultHttpxClient(transport=httpx.MockTransport(handle))
    )


def whole(*choices: CompletionChoice) -> openai.OpenAI:
    completion = Completion("anthropic_messages", "msg_1", "claude", choices, USAGE, 1760000000)
    return client(lambda body: ("application/json", DIALECT.render_completion(completion, DIALECT.parse(body))))


def streaming(events: Sequence[Event]) -> openai.OpenAI:
    def answer(body: bytes) -> tuple[str, bytes]:
        encoder = DIALECT.encoder(DIALECT.parse(body))
        return "text/event-stream", b"".join([encoder.encode(event) for event in events])

    return client(answer)


def told(index: int, part: Text | Refusal | Thinking | ToolCall, *words: str) -> list[Event]:
    return [PartStarted(index, part), *[PartDelta(index, text) for text in words], PartEnded(index)]


ORDER_STREAM: list[Event] = [
    Started("msg_1", "claude", 1760000000),
    *told(0, Thinking(by="anthropic_messages"), "hm"),
    *told(1, Text(""), '{"num', 'ber": 7}'),
    *told(2, ToolCall("toolu_1", "get", ""), '{"a"', ": 1}"),
    Finished("tool_calls"),
    Counted(USAGE),
    Ended(),
]


def test_create_reads_a_whole_answer() -> None:
    parts = (Thinking("hm", "sig", by="anthropic_messages"), Text("Hello"), ToolCall("toolu_1", "get", '{"a":1}'))
    response = whole(CompletionChoice(parts, "tool_calls")).responses.create(model="auto", input="hi")
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert (response.output_text, response.status, response.model) == ("Hello", "completed", "auto")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens, response.usage.total_tokens) == (20, 5, 29)
    type(response).model_validate(response.to_dict())


def test_create_reads_an_incomplete_answer_and_a_refusal() -> None:
    cut = whole(CompletionChoice((Text("Hel"),), "length")).responses.create(model="auto", input="hi")
    assert cut.incomplete_details is not None
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    refused = whole(CompletionChoice((Refusal("No."),), "refusal")).responses.create(model="auto", input="hi")
    assert refused.output[0].to_dict()["content"] == [{"type": "refusal", "refusal": "No."}]


def test_parse_gives_the_object_asked_for() -> None:
    response = whole(CompletionChoice((Text('{"number": 7}'),))).responses.parse(model="auto", input="hi", text_format=Order)
    assert response.output_parsed == Order(number=7)


def test_create_with_stream_gives_events_that_hold_to_the_reference() -> None:
    seen = list(streaming(ORDER_STREAM).responses.create(model="auto", input="hi", stream=True))
    assert [event.type for event in seen[:2]] == ["response.created", "response.in_progress"]
    assert "".join([event.delta for event in seen if event.type == "response.output_text.delta"]) == '{"number": 7}'
    for event in seen:
        type(event).model_validate(event.to_dict())
    assert seen[-1].type == "response.completed"


def test_the_stream_helper_gathers_the_answer() -> None:
    with streaming(ORDER_STREAM).responses.stream(model="auto", input="hi", text_format=Order) as stream:
        types = [event.type for event in stream]
        final = stream.get_final_response()
    assert types.count("response.function_call_arguments.delta") == 2
    assert final.output_parsed == Order(number=7)
    call = final.output[2]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"a": 1}


def test_a_broken_stream_raises() -> None:
    events: list[Event] = [Started("x", "m"), PartStarted(0, Text("")), PartDelta(0, "Hel"), Broken("overloaded", "the upstream is busy")]
    with pytest.raises(openai.APIError, match="the upstream is busy"):
        list(streaming(events).responses.create(model="auto", input="hi", stream=True))
