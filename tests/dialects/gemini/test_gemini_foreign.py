"""Conversations and answers of other dialects in Gemini's form: what is carried, and what is named as dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialects.gemini.gemini_worlds import DIALECT, FLASH, PRO3, asked, joined, neutral, shown
from tierline.types.catalog import Model
from tierline.types.completion import (
    Broken,
    Cited,
    Completion,
    CompletionChoice,
    Counted,
    Ended,
    Event,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Ping,
    Signed,
    Started,
)
from tierline.types.conversation import (
    Citation,
    Conversation,
    Foreign,
    Media,
    Output,
    Part,
    Reasoning,
    Refusal,
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

ASK = Turn("user", (Text("Hi"),))


def sent(*turns: Turn, model: Model = FLASH, by: str = "openai_chat", **more: Any) -> tuple[Any, tuple[str, ...]]:
    """The body for a conversation, and what it dropped."""
    rendered = DIALECT.render_body(Conversation(by, turns, **more), model)
    return json.loads(rendered.body), rendered.dropped


def parts_of(*parts: Part, model: Model = FLASH) -> tuple[list[Any], tuple[str, ...]]:
    body, dropped = sent(Turn("user", parts), model=model)
    return [part for content in body["contents"] for part in content["parts"]], dropped


def test_system_prompts_are_gathered_in_front_and_a_late_one_is_named() -> None:
    body, dropped = sent(Turn("system", (Text("a"),)), ASK, Turn("developer", (Text("b"),)), ASK)
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]}]
    assert dropped == ("system.position",)
    assert sent(Turn("system", (Text("a"),)), ASK)[1] == ()


def test_a_system_prompt_alone_is_asked_as_the_user() -> None:
    body, dropped = sent(Turn("system", (Text("a"),)))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "a"}]}]}
    assert dropped == ("system.position",)


def test_parallel_calls_stand_in_one_turn_and_their_results_in_the_next_in_the_same_order() -> None:
    body, dropped = sent(
        ASK,
        Turn("assistant", (Text("Looking."),)),
        Turn("assistant", (ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", ""))),
        Turn("tool", (ToolResult("c2", (Text('{"n":2}'),)),)),
        Turn("tool", (ToolResult("c1", (Text("one"),), failed=True),)),
        tools=(ToolSpec("f", "F.", b'{"type":"object"}'), ToolSpec("g")),
    )
    assert body["contents"][1]["parts"] == [
        {"text": "Looking."},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "c2", "name": "g", "args": {}}},
    ]
    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "f", "response": {"error": "one"}}},
        {"functionResponse": {"id": "c2", "name": "g", "response": {"n": 2}}},
    ]
    assert body["tools"] == [
        {"functionDeclarations": [{"name": "f", "description": "F.", "parametersJsonSchema": {"type": "object"}}, {"name": "g"}]}
    ]
    assert dropped == ()


def test_calls_without_ids_are_matched_by_name_and_order() -> None:
    body, _ = sent(
        ASK,
        Turn("assistant", (ToolCall("", "f"), ToolCall("", "f"))),
        Turn("tool", (ToolResult("", (Text("1"),), "f"), ToolResult("", (Text("2"),)))),
    )
    names = [part["functionResponse"]["name"] for part in body["contents"][2]["parts"]]
    assert names == ["f", "f"]
    assert "id" not in json.dumps(body)


def test_arguments_that_are_no_object_stay_readable() -> None:
    parts, dropped = parts_of(ToolCall("c", "f", '{"a":'))
    assert parts[0]["functionCall"]["args"] == {"arguments": '{"a":'}
    assert dropped == ("arguments",)


@pytest.mark.parametrize(
    ("part", "wire", "dropped"),
    [
        (Media("image", data="QQ==", mime="image/webp"), {"inlineData": {"mimeType": "image/webp", "data": "QQ=="}}, ()),
        (Media("image", url="https://x/y.jpg?z"), {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x/y.jpg?z"}}, ()),
        (Media("document", url="https://x/y"), {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/y"}}, ()),
        (Media("document", text="words", name="a.txt"), {"inlineData": {"mimeType": "text/plain", "data": "d29yZHM="}}, ("name",)),
        (Media("image", data="QQ==", detail="high"), {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}, ("detail",)),
        (Media("audio", data="QQ==", cache="5m"), {"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}}, ("cache",)),
        (Refusal("No."), {"text": "No."}, ()),
        (Text("a", cache="1h", citations=(Citation("https://x"),)), {"text": "a"}, ("cache", "citations")),
    ],
)
def test_a_part_is_carried(part: Part, wire: Any, dropped: tuple[str, ...]) -> None:
    assert parts_of(part) == ([wire], dropped)


@pytest.mark.parametrize(
    ("part", "dropped"),
    [
        (Media("document", file_id="file-1", by="openai_chat"), ("file_id",)),
        (Thinking("hm", "sig", by="anthropic_messages"), ("thinking", "thinking.signature")),
        (Thinking(sealed="xx", by="openai_responses"), ("thinking.signature",)),
        (Foreign("anthropic_messages", "server_tool_use", b"{}"), ("foreign:server_tool_use",)),
        (Text(""), ()),
    ],
)
def test_what_gemini_has_no_form_for_is_named(part: Part, dropped: tuple[str, ...]) -> None:
    assert parts_of(part, Text("a")) == ([{"text": "a"}], dropped)


def test_no_signature_of_another_dialect_is_sent() -> None:
    body, dropped = sent(ASK, Turn("assistant", (ToolCall("c", "f", "{}", "secret-sig", "openai_responses"),)), model=PRO3)
    assert "secret-sig" not in json.dumps(body)
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"
    assert dropped == ("thinking.signature",)


def test_gemini_gets_its_own_signatures_back_from_any_client() -> None:
    mine = Turn("assistant", (Thinking("hm", "U0lH", by="gemini"), Text("so"), Thinking(signature="VFhU", by="gemini")))
    call = Turn("assistant", (ToolCall("c", "f", "{}", "Q0FM", "gemini"), ToolCall("d", "f")))
    body, dropped = sent(ASK, mine, call, model=PRO3, by="anthropic_messages")
    assert body["contents"][1]["parts"] == [
        {"text": "hm", "thought": True, "thoughtSignature": "U0lH"},
        {"text": "so", "thoughtSignature": "VFhU"},
        {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "Q0FM"},
        {"functionCall": {"id": "d", "name": "f", "args": {}}},
    ]
    assert dropped == ()


def test_media_in_a_result_stand_inside_it_only_where_the_model_takes_that() -> None:
    result = ToolResult("c", (Text("see"), Media("image", data="QQ==", mime="image/png")), "f")
    (old, image), _ = parts_of(result)
    assert "parts" not in old["functionResponse"]
    assert image == {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}
    (new,), _ = parts_of(result, model=PRO3)
    assert new["functionResponse"]["parts"] == [image]


def test_sampling_is_carried_and_what_goes_too_far_is_named() -> None:
    wanted = Sampling(9, 0.5, 0.9, 40, ("a", "b", "c", "d", "e", "f"), 2**40 + 3, 0.1, 0.2, 9, True, 3)
    body, dropped = sent(ASK, sampling=wanted)
    assert body["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["a", "b", "c", "d", "e"],
        "seed": 3,
        "frequencyPenalty": 0.1,
        "presencePenalty": 0.2,
        "candidateCount": 8,
        "responseLogprobs": True,
        "logprobs": 3,
    }
    assert dropped == ("stop", "n")


def test_a_shape_is_asked_for_as_json_schema_but_not_beside_functions_of_older_models() -> None:
    shape = Output("json_schema", b'{"type":"object"}', "o", strict=True)
    both = {"output": shape, "tools": (ToolSpec("f"),)}
    assert sent(ASK, output=shape) == (
        {
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
        },
        (),
    )
    assert sent(ASK, output=Output("json_object"))[0]["generationConfig"] == {"responseMimeType": "application/json"}
    assert sent(ASK, **both)[1] == ("json_schema",)
    assert sent(ASK, **both, model=PRO3)[1] == ()


@pytest.mark.parametrize(
    ("upstream", "wanted", "config"),
    [
        ("gemini-2.5-flash", Reasoning("none"), {"thinkingBudget": 0}),
        ("gemini-2.5-flash", Reasoning("low", show=True), {"thinkingBudget": 1024, "includeThoughts": True}),
        ("gemini-2.5-flash", Reasoning(budget=99999), {"thinkingBudget": 24576}),
        ("gemini-2.5-flash-lite", Reasoning(budget=10), {"thinkingBudget": 512}),
        ("gemini-2.5-pro", Reasoning("none"), {"thinkingBudget": 128}),
        ("gemini-2.5-pro", Reasoning("xhigh"), {"thinkingBudget": 32768}),
        ("gemini-2.5-flash", Reasoning(show=True), {"includeThoughts": True}),
        ("gemini-3-pro-preview", Reasoning("none"), {"thinkingLevel": "LOW"}),
        ("gemini-3-pro-preview", Reasoning("medium"), {"thinkingLevel": "HIGH"}),
        ("gemini-3.1-pro", Reasoning("medium"), {"thinkingLevel": "MEDIUM"}),
        ("gemini-3-flash", Reasoning("minimal", show=False), {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
        ("gemini-flash-latest", Reasoning(budget=4000), {"thinkingLevel": "MEDIUM"}),
        ("gemini-flash-latest", Reasoning("xhigh"), {"thinkingLevel": "HIGH"}),
        ("gemini-2.5-flash", Reasoning(), None),
    ],
)
def test_thinking_is_asked_for_as_the_generation_takes_it(upstream: str, wanted: Reasoning, config: Any) -> None:
    body, dropped = sent(ASK, model=Model("m", "fast", "p", upstream), reasoning=wanted)
    assert body.get("generationConfig", {}).get("thinkingConfig") == config
    assert dropped == ()


@pytest.mark.parametrize("upstream", ["gemini-2.0-flash", "gemma-3-27b-it"])
def test_a_model_that_does_not_think_is_not_asked_to(upstream: str) -> None:
    model = Model("m", "fast", "p", upstream)
    assert sent(ASK, model=model, reasoning=Reasoning("high"))[1] == ("reasoning",)
    assert sent(ASK, model=model, reasoning=Reasoning("none"))[1] == ()


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice(), None),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("one", "f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_the_choice_of_functions_is_carried(choice: ToolChoice, config: Any) -> None:
    body, _ = sent(ASK, tools=(ToolSpec("f"),), tool_choice=choice)
    assert body.get("toolConfig", {}).get("functionCallingConfig") == config
    assert "toolConfig" not in sent(ASK, tool_choice=choice)[0]


def test_every_field_without_a_form_is_named_once() -> None:
    _, dropped = sent(
        ASK,
        Turn("user", (Text("a"),), "anna"),
        tools=(ToolSpec("f", strict=True, cache="5m"),),
        foreign_tools=(Foreign("anthropic_messages", "web_search_20250305", b"{}"),),
        tool_choice=ToolChoice(parallel=False),
        output=Output("json_schema", b"{}", "o", "An o."),
        user="u",
        metadata={"a": "b"},
        previous="resp_1",
        extra={"service_tier": b'"flex"'},
        model=PRO3,
    )
    assert set(dropped) == {
        *("name", "strict", "cache", "foreign:web_search_20250305", "parallel_tool_calls", "json_schema.description"),
        *("user", "metadata", "previous", "service_tier"),
    }
    assert len(dropped) == len(set(dropped))


ANTHROPICS = Completion(
    "anthropic_messages",
    "msg_1",
    "claude",
    (
        CompletionChoice(
            (
                Thinking("I think", "sig==", by="anthropic_messages"),
                Thinking(sealed="sealed", by="anthropic_messages"),
                Text("Köln!", citations=(Citation("https://a", "A", start=0, end=4), Citation(title="d.pdf", quoted="Köln", document=0))),
                ToolCall("toolu_1", "f", '{"a": 1}', "rs", "openai_responses"),
                Foreign("anthropic_messages", "server_tool_use", b"{}"),
                Media("image", data="QQ==", mime="image/png"),
            ),
            "tool_calls",
        ),
    ),
    Usage(10, 20, 4, 2, 5),
)


def events_of(completion: Completion) -> list[Event]:
    """A completion as another dialect's decoder would tell it, in small pieces."""
    events: list[Event] = [Started(completion.id, completion.model), Ping()]
    for index, part in enumerate(completion.choices[0].parts):
        match part:
            case Text():
                events += [PartStarted(index, Text("")), *[PartDelta(index, letter) for letter in part.text]]
                events += [Cited(index, citation) for citation in part.citations]
            case Thinking() if part.text:
                events += [PartStarted(index, Thinking(by=part.by)), PartDelta(index, part.text[:3]), PartDelta(index, part.text[3:])]
                events += [Signed(index, part.signature)]
            case ToolCall():
                bare = ToolCall(part.id, part.name, "", by=part.by)
                events += [PartStarted(index, bare), PartDelta(index, part.arguments[:3]), PartDelta(index, part.arguments[3:])]
                events += [Signed(index, part.signature)]
            case _:
                events.append(PartStarted(index, part))
        events.append(PartEnded(index))
    return [*events, Finished(completion.choices[0].finish), Counted(completion.usage), Ended()]


def encoded(events: list[Event]) -> list[Any]:
    encoder = DIALECT.encoder(asked())
    sent_bytes = b"".join([encoder.encode(event) for event in events])
    return [json.loads(event.removeprefix(b"data: ")) for event in sent_bytes.split(b"\r\n\r\n") if event]


def test_another_dialects_answer_is_told_and_its_signatures_are_carried() -> None:
    wire = json.loads(DIALECT.render_completion(ANTHROPICS, asked("auto/best")))
    parts = wire["candidates"][0]["content"]["parts"]
    assert (wire["modelVersion"], wire["responseId"], wire["candidates"][0]["finishReason"]) == ("auto/best", "msg_1", "STOP")
    assert [sorted(part) for part in parts] == [
        ["text", "thought", "thoughtSignature"],
        ["text", "thought", "thoughtSignature"],
        ["text"],
        ["functionCall", "thoughtSignature"],
        ["inlineData"],
    ]
    assert wire["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 15,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 30,
    }
    assert wire["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"retrievedContext": {"title": "d.pdf", "text": "Köln"}}],
        "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 5, "text": "Köln"}, "groundingChunkIndices": [0]}],
    }


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_client_returns_gives_the_signer_its_own_back(streamed: bool) -> None:
    whole = json.loads(DIALECT.render_completion(ANTHROPICS, asked()))["candidates"][0]["content"]
    pieces = [response["candidates"][0]["content"] for response in encoded(events_of(ANTHROPICS))]
    history = [{"role": "user", "parts": [{"text": "Hi"}]}, *(pieces if streamed else [whole])]
    conversation = DIALECT.expand(DIALECT.parse(json.dumps({"contents": history}).encode()))
    assert len(conversation.turns) == 2
    assert neutral(shown(conversation.turns[1].parts)) == [
        {"type": "thinking", "text": "I think", "signature": "sig==", "by": "anthropic_messages"},
        {"type": "thinking", "sealed": "sealed", "by": "anthropic_messages"},
        {"type": "text", "text": "Köln!"},
        {"type": "tool_call", "id": "toolu_1", "name": "f", "arguments": '{"a":1}', "signature": "rs", "by": "openai_responses"},
        {"type": "media", "kind": "image", "data": "QQ==", "mime": "image/png"},
    ]


def test_a_stream_tells_words_at_once_and_everything_else_when_it_is_whole() -> None:
    encoder = DIALECT.encoder(asked())
    told = [
        encoder.encode(event) for event in [Started("id"), PartStarted(0, Text("")), PartDelta(0, "a"), PartDelta(0, "b"), PartEnded(0)]
    ]
    assert [bool(sent_bytes) for sent_bytes in told] == [False, False, True, True, False]
    call = [PartStarted(1, ToolCall("c", "f", "")), PartDelta(1, '{"a"'), PartDelta(1, ":1}"), PartEnded(1)]
    assert [bool(encoder.encode(event)) for event in call] == [False, False, False, True]
    assert [bool(encoder.encode(event)) for event in [Ping(), Finished("stop"), Counted(Usage(1, 2)), Ended()]] == [
        False,
        False,
        True,
        False,
    ]


def test_a_stream_joined_is_the_whole_answer_for_the_client() -> None:
    whole = DIALECT.read_completion(DIALECT.render_completion(ANTHROPICS, asked()))
    decoder, encoder = DIALECT.decoder(), DIALECT.encoder(asked())
    events = decoder.feed(b"".join([encoder.encode(event) for event in events_of(ANTHROPICS)])) + decoder.finished()
    parts, finish, _ = joined(events)
    expected = shown(whole.choices[0].parts)
    told = [citation for part in parts + expected for citation in part.pop("citations", [])]
    assert sorted(map(str, told[:2])) == sorted(map(str, told[2:]))
    empty = {"type": "text", "text": ""}
    assert [part for part in parts if part != empty] == [part for part in expected if part != empty]
    assert (finish, events[-2]) == ("tool_calls", Counted(whole.usage))


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        *[("stop", "STOP"), ("length", "MAX_TOKENS"), ("tool_calls", "STOP"), ("content_filter", "SAFETY")],
        *[("refusal", "SAFETY"), ("stop_sequence", "STOP"), ("pause", "OTHER"), ("error", "OTHER")],
    ],
)
def test_every_stop_reason_has_a_word(finish: Any, reason: str) -> None:
    completion = Completion("openai_chat", "c", "m", (CompletionChoice((Text("a"),), finish),))
    assert json.loads(DIALECT.render_completion(completion, asked()))["candidates"][0]["finishReason"] == reason
    ending = encoded([Started(), PartStarted(0, Text("")), PartEnded(0), Finished(finish), Ended()])[-1]
    assert ending["candidates"][0]["finishReason"] == reason


def test_a_broken_stream_ends_with_googles_error_and_no_stop_reason() -> None:
    told = encoded([Started("id"), PartStarted(0, Text("")), PartDelta(0, "a"), Broken("rate_limited", "slow down")])
    assert [sorted(response) for response in told] == [["candidates", "modelVersion", "responseId"], ["error"]]
    assert told[-1] == {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    assert "finishReason" not in json.dumps(told)
