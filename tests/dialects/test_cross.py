"""Every pair of dialects: what one says reaches the other, and what does not is named.

A pair is tried as the gateway would use it: a client's body of the one is expanded, rendered for an upstream of the other, and read there
again; an upstream's answer goes the other way, whole and streamed.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierline import plugins
from tierline.dialects.events import events_of, joined
from tierline.interfaces import Dialect
from tierline.testing.neutral import decoded
from tierline.types.catalog import Model
from tierline.types.completion import Completion, CompletionChoice, Ended, Started
from tierline.types.conversation import (
    Conversation,
    Foreign,
    Media,
    Output,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSpec,
    Turn,
)
from tierline.types.outcome import Usage
from tierline.types.request import Request

DIALECTS: dict[str, Dialect] = {name: plugins.find("dialects", name)() for name in plugins.names("dialects")}
PAIRS = [*itertools.product(sorted(DIALECTS), repeat=2)]
MODELS = {"anthropic_messages": "claude-sonnet-4-6", "gemini": "gemini-3-pro-preview"}
PAIRED = pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=[f"{client}-{upstream}" for client, upstream in PAIRS])

CITY = b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLAIN = Conversation(
    by="nobody",
    turns=(
        Turn("system", (Text("You are a guide."),)),
        Turn("user", (Text("Where was this taken?"), Media("image", data=PIXEL, mime="image/png"))),
        Turn("assistant", (Text("In Rome."),)),
        Turn("user", (Text("How warm is it there, and in Oslo?"),)),
        Turn("assistant", (ToolCall("call_1", "weather", '{"city":"Rome"}'), ToolCall("call_2", "weather", '{"city":"Oslo"}'))),
        Turn("tool", (ToolResult("call_1", (Text("31 degrees"),), "weather"), ToolResult("call_2", (Text("3 degrees"),), "weather"))),
        Turn("assistant", (Text("Rome 31, Oslo 3."),)),
        Turn("user", (Text("Name the warmer one."),)),
    ),
    tools=(ToolSpec("weather", "Tells the weather of a city.", CITY), ToolSpec("now", "Tells the time.")),
    tool_choice=ToolChoice("auto"),
    output=Output("json_schema", CITY, "city"),
    sampling=Sampling(max_tokens=500, temperature=0.5, top_p=0.9),
    user="u-1",
)
FULL = msgspec.structs.replace(
    PLAIN,
    tool_choice=ToolChoice("one", "weather", parallel=False),
    sampling=Sampling(500, 0.5, 0.9, 40, ("END",), 7, 0.1, 0.2, 2, True, 3),
    stream=True,
)
ALWAYS = {"turns", "tools", "json_schema", "max_tokens", "temperature", "tool_choice"}
"""What every pair carries."""


def model_of(name: str) -> Model:
    return Model("m", "fast", "p", MODELS.get(name, "gpt-4.1"), max_output=8000, capabilities=("chat", "tools", "vision", "json_schema"))


def own(name: str, conversation: Conversation) -> tuple[Request, Conversation]:
    """The request that a client of that dialect would have sent to say this, and how it expands."""
    body = DIALECTS[name].render_body(conversation, model_of(name)).body
    request = msgspec.structs.replace(DIALECTS[name].parse(body), id="req-1", model="auto", stream=conversation.stream)
    return request, DIALECTS[name].expand(request)


def told(conversation: Conversation) -> dict[str, Any]:
    """What a conversation says, by the names under which its parts may be dropped; unmarked are those that every dialect has."""
    sampling = conversation.sampling
    return {
        "turns": _turns(conversation),
        "tools": [(tool.name, tool.description, msgspec.json.decode(tool.parameters)) for tool in conversation.tools],
        "json_schema": msgspec.json.decode(conversation.output.schema or b"null"),
        "tool_choice": (conversation.tool_choice.mode, conversation.tool_choice.name),
        "parallel_tool_calls": conversation.tool_choice.parallel is False,
        "user": conversation.user,
        **{field: getattr(sampling, field) for field in sampling.__struct_fields__},
    }


def _turns(conversation: Conversation) -> list[Any]:
    """The turns; those of one side in a row count as one, as some dialects have no other."""
    found: list[Any] = []
    for turn in conversation.turns:
        said = [_part(part) for part in turn.parts]
        if found and found[-1][0] == turn.role:
            found[-1][1].extend(said)
        elif said:
            found.append((turn.role, said))
    return found


def _part(part: Any) -> Any:
    match part:
        case Text():
            return part.text
        case Media():
            return part.kind, part.data, part.url or part.mime
        case ToolCall():
            return "call", part.id, part.name, json.loads(part.arguments)
        case ToolResult():
            return "result", part.id, [_part(piece) for piece in part.parts]
    raise AssertionError(f"nobody said {type(part).__name__}")


@PAIRED
def test_a_plain_conversation_reaches_the_upstream_as_the_client_meant_it(client: str, upstream: str) -> None:
    _, asked = own(client, PLAIN)
    rendered = DIALECTS[upstream].render_body(asked, model_of(upstream))
    again = DIALECTS[upstream].expand(DIALECTS[upstream].parse(rendered.body))
    assert {name: value for name, value in told(again).items() if name in ALWAYS} == {
        name: value for name, value in told(PLAIN).items() if name in ALWAYS
    }


@PAIRED
def test_what_does_not_reach_the_upstream_is_named(client: str, upstream: str) -> None:
    _, asked = own(client, FULL)
    rendered = DIALECTS[upstream].render_body(asked, model_of(upstream))
    before, after = told(asked), told(DIALECTS[upstream].expand(DIALECTS[upstream].parse(rendered.body)))
    lost = {name for name in before if before[name] != after[name]}
    assert lost <= set(rendered.dropped) | ({"top_logprobs"} if "logprobs" in rendered.dropped else set())
    assert not lost & ALWAYS


@PAIRED
def test_within_a_dialect_nothing_is_lost(client: str, upstream: str) -> None:
    if client == upstream:
        _, asked = own(client, FULL)
        assert DIALECTS[client].render_body(asked, model_of(client)).dropped == ()
    else:
        assert DIALECTS[upstream].render_body(own(client, PLAIN)[1], model_of(upstream)).body


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=12)
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers(-99, 99) | st.booleans(), max_size=2).map(json.dumps)
IMAGES = st.sampled_from([Media("image", data=PIXEL, mime="image/png"), Media("image", url="https://x.example/a.png")])


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """A conversation as clients have it: system, then user and assistant in turn, calls always answered."""
    turns = [Turn("system", (Text(draw(WORDS)),))]
    for at in range(draw(st.integers(1, 3))):
        turns.append(Turn("user", (Text(draw(WORDS)), *draw(st.lists(IMAGES, max_size=1)))))
        given_ids = [f"call_{at}_{number}" for number in range(draw(st.integers(0, 2)))]
        if given_ids:
            calls = tuple([ToolCall(id, "weather", draw(ARGUMENTS)) for id in given_ids])
            turns.append(Turn("assistant", (*([Text(draw(WORDS))] if draw(st.booleans()) else []), *calls)))
            turns.append(Turn("tool", tuple([ToolResult(id, (Text(draw(WORDS)),), "weather") for id in given_ids])))
        turns.append(Turn("assistant", (Text(draw(WORDS)),)))
    turns.append(Turn("user", (Text(draw(WORDS)),)))
    return msgspec.structs.replace(PLAIN, turns=tuple(turns), output=draw(st.sampled_from([PLAIN.output, Output()])))


@PAIRED
@settings(max_examples=12, deadline=None)
@given(conversation=conversations())
def test_any_conversation_survives_the_way_through_both_dialects(client: str, upstream: str, conversation: Conversation) -> None:
    _, asked = own(client, conversation)
    rendered = DIALECTS[upstream].render_body(asked, model_of(upstream))
    again = told(DIALECTS[upstream].expand(DIALECTS[upstream].parse(rendered.body)))
    assert (again["turns"], again["json_schema"]) == (told(conversation)["turns"], told(conversation)["json_schema"])


# answers

USAGE = Usage(input=120, output=40, cached=30, reasoning=12)
ANSWER = Completion(
    "nobody",
    "answer-1",
    "m-1",
    (
        CompletionChoice(
            (
                Thinking("The user wants the weather."),
                Text("Let me look it up – at once."),
                ToolCall("call_8", "weather", '{"city":"Rome"}'),
                ToolCall("call_9", "weather", '{"city":"Oslo"}'),
            ),
            "tool_calls",
        ),
    ),
    USAGE,
    1_700_000_000,
)


def kernel(completion: Completion) -> Any:
    """Thoughts, words, calls and the stop reason; signatures are the business of the dialect that made them."""
    choice = completion.choices[0]
    thoughts = "".join([part.text for part in choice.parts if isinstance(part, Thinking)])
    words = "".join([part.text for part in choice.parts if isinstance(part, Text)])
    calls = [_part(part) for part in choice.parts if isinstance(part, ToolCall)]
    strange = [part for part in choice.parts if isinstance(part, Foreign) and part.by]
    return thoughts, words, calls, choice.finish, strange


def answered(name: str, completion: Completion, request: Request) -> tuple[bytes, bytes]:
    """The answer as an upstream of that dialect would have sent it: whole, and as a stream."""
    encoder = DIALECTS[name].encoder(request)
    return DIALECTS[name].render_completion(completion, request), b"".join([encoder.encode(event) for event in events_of(completion)])


@PAIRED
def test_an_answer_reaches_the_client_whole(client: str, upstream: str) -> None:
    asked, sent = own(client, FULL)[0], own(upstream, FULL)[0]
    body, _ = answered(upstream, ANSWER, sent)
    rendered = DIALECTS[client].render_completion(DIALECTS[upstream].read_completion(body), asked)
    again = DIALECTS[client].read_completion(rendered)
    assert kernel(again) == kernel(ANSWER)
    assert (again.usage.input, again.usage.output, again.usage.cached) == (120, 40, 30)


@PAIRED
def test_an_answer_reaches_the_client_as_a_stream(client: str, upstream: str) -> None:
    asked, sent = own(client, FULL)[0], own(upstream, FULL)[0]
    _, stream = answered(upstream, ANSWER, sent)
    encoder = DIALECTS[client].encoder(asked)
    events = decoded(DIALECTS[upstream], [stream])
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)
    again = decoded(DIALECTS[client], [b"".join([encoder.encode(event) for event in events])])
    assert kernel(joined(again, client)) == kernel(ANSWER)
    assert joined(again, client).usage.output == 40


@PAIRED
@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls", "content_filter"])
def test_every_common_stop_reason_reaches_the_client(client: str, upstream: str, finish: Any) -> None:
    asked, sent = own(client, PLAIN)[0], own(upstream, PLAIN)[0]
    parts = (Text("So."), *((ToolCall("call_8", "weather", "{}"),) if finish == "tool_calls" else ()))
    body, stream = answered(upstream, msgspec.structs.replace(ANSWER, choices=(CompletionChoice(parts, finish),)), sent)
    whole = DIALECTS[client].render_completion(DIALECTS[upstream].read_completion(body), asked)
    encoder = DIALECTS[client].encoder(asked)
    told_stream = b"".join([encoder.encode(event) for event in decoded(DIALECTS[upstream], [stream])])
    ends = {
        DIALECTS[client].read_completion(whole).choices[0].finish,
        joined(decoded(DIALECTS[client], [told_stream]), "").choices[0].finish,
    }
    assert ends <= ({finish, "refusal"} if finish == "content_filter" else {finish})


@settings(max_examples=10, deadline=None)
@given(text=WORDS, thought=WORDS, arguments=ARGUMENTS)
@PAIRED
def test_any_answer_survives_whole_and_streamed(client: str, upstream: str, text: str, thought: str, arguments: str) -> None:
    parts = (Thinking(thought), Text(text), ToolCall("call_7", "weather", arguments))
    answer = msgspec.structs.replace(ANSWER, choices=(CompletionChoice(parts, "tool_calls"),))
    asked, sent = own(client, PLAIN)[0], own(upstream, PLAIN)[0]
    body, stream = answered(upstream, answer, sent)
    whole = DIALECTS[client].render_completion(DIALECTS[upstream].read_completion(body), asked)
    encoder = DIALECTS[client].encoder(asked)
    told_stream = b"".join([encoder.encode(event) for event in decoded(DIALECTS[upstream], [stream])])
    assert kernel(DIALECTS[client].read_completion(whole)) == kernel(answer)
    assert kernel(joined(decoded(DIALECTS[client], [told_stream]), client)) == kernel(answer)


SIGNATURE = "EqQBCkYIBBgCIkDc"


@PAIRED
def test_what_an_upstream_signed_comes_back_to_it_through_a_chat_client_and_reaches_no_other(client: str, upstream: str) -> None:
    """`client` stands for the dialect that the next turn goes to: the signer's own or another."""
    chat, signs = DIALECTS["openai_chat"], upstream != "openai_chat"
    parts = (
        Thinking("Hm.", SIGNATURE, by=upstream),
        Thinking(sealed=SIGNATURE, id="rs_1", by=upstream),
        ToolCall("call_1", "weather", '{"city":"Rome"}', signature=SIGNATURE, by=upstream),
    )
    asked = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
    completion = Completion(upstream, "a", "m", (CompletionChoice(parts, "tool_calls"),))
    answer = json.loads(chat.render_completion(completion, chat.parse(json.dumps(asked).encode())))
    said = [*asked["messages"], answer["choices"][0]["message"], {"role": "tool", "tool_call_id": "call_1", "content": "31"}]
    again = chat.expand(chat.parse(json.dumps({**asked, "messages": said}).encode()))
    body = DIALECTS[client].render_body(again, model_of(client)).body
    assert (SIGNATURE.encode() in body) is (signs and client == upstream)
