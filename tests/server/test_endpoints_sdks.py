"""The official SDKs of OpenAI, Anthropic and Google against a fleet that speaks OpenAI's chat format: chat, stream, tools."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from server.harness import Running

QUESTION = "What is the capital of France?"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def responses(fleet: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fleet.url, api_key="none needed", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(fleet: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=fleet.url.removesuffix("/v1"), api_key="none needed", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module", params=["v1", "v1beta"])
def google(fleet: Running, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=fleet.url.removesuffix("/v1"), api_version=request.param)
    client = genai.Client(api_key="none needed", http_options=options)
    yield client
    client.close()


def test_openais_responses_whole_and_streamed_agree(responses: openai.OpenAI) -> None:
    whole = responses.responses.create(model="big", input=QUESTION)
    assert whole.output_text and whole.model == "big" and whole.usage is not None and whole.usage.output_tokens > 0
    with responses.responses.stream(model="big", input=QUESTION) as stream:
        deltas = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert deltas == final.output_text == whole.output_text
    assert final.usage == whole.usage


def test_openais_responses_call_tools(responses: openai.OpenAI) -> None:
    tool = {"type": "function", "name": "look_up", "parameters": CITY, "strict": False}
    answer = responses.responses.create(model="big", input=QUESTION, tools=[tool])
    (called,) = [item for item in answer.output if item.type == "function_call"]
    again = responses.responses.create(
        model="big",
        input=[
            {"role": "user", "content": QUESTION},
            called,
            {"type": "function_call_output", "call_id": called.call_id, "output": "Paris"},
        ],
    )
    assert called.name == "look_up" and again.output_text


def test_anthropics_messages_whole_and_streamed_agree(claude: anthropic.Anthropic) -> None:
    asked = {"model": "big", "max_tokens": 500, "messages": [{"role": "user", "content": QUESTION}]}
    whole = claude.messages.create(**asked)
    assert whole.content[0].text and whole.model == "big" and whole.stop_reason == "end_turn" and whole.usage.output_tokens > 0
    with claude.messages.stream(**asked) as stream:
        deltas = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert deltas == final.content[0].text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens


def test_anthropics_messages_call_tools(claude: anthropic.Anthropic) -> None:
    tools = [{"name": "look_up", "input_schema": CITY}]
    asked = [{"role": "user", "content": QUESTION}]
    answer = claude.messages.create(model="big", max_tokens=500, messages=asked, tools=tools)
    (called,) = [block for block in answer.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": called.id, "content": "Paris"}
    more = [*asked, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    again = claude.beta.messages.create(model="big", max_tokens=500, messages=more, betas=["context-1m-2025-08-07"])
    assert (called.name, answer.stop_reason) == ("look_up", "tool_use") and again.content[0].text


def test_anthropics_errors_counts_and_models_are_its_own(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="claude-none", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
    assert claude.messages.count_tokens(model="auto", messages=[{"role": "user", "content": QUESTION}]).input_tokens > 3
    assert "auto" in {model.id for model in claude.models.list()}
    assert claude.models.retrieve("mini").id == "mini"


def test_googles_content_whole_and_streamed_agree(google: genai.Client) -> None:
    whole = google.models.generate_content(model="big", contents=QUESTION)
    assert whole.text and whole.model_version == "big" and whole.usage_metadata.candidates_token_count > 0
    pieces = list(google.models.generate_content_stream(model="big", contents=QUESTION))
    assert "".join(piece.text or "" for piece in pieces) == whole.text
    assert pieces[-1].usage_metadata.candidates_token_count == whole.usage_metadata.candidates_token_count


def test_googles_content_calls_tools(google: genai.Client) -> None:
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="look_up", parameters_json_schema=CITY)])
    config = types.GenerateContentConfig(tools=[tool], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))
    answer = google.models.generate_content(model="big", contents=QUESTION, config=config)
    (called,) = answer.function_calls
    history = [
        types.Content(role="user", parts=[types.Part(text=QUESTION)]),
        answer.candidates[0].content,
        types.Content(role="user", parts=[types.Part.from_function_response(name="look_up", response={"city": "Paris"})]),
    ]
    again = google.models.generate_content(model="big", contents=history)
    assert called.name == "look_up" and again.text


def test_googles_errors_counts_and_models_are_its_own(google: genai.Client) -> None:
    with pytest.raises(genai.errors.ClientError) as told:
        google.models.generate_content(model="gemini-none", contents="Hi")
    assert told.value.code == 404
    assert google.models.count_tokens(model="auto", contents=QUESTION).total_tokens > 3
