"""Anthropic's Python SDK, Messages."""

import anthropic
import pydantic
import told

client = anthropic.Anthropic(base_url=told.GATEWAY, api_key=told.KEY, max_retries=0, timeout=120)
HELLO = [{"role": "user", "content": told.HELLO}]


class Place(pydantic.BaseModel):
    name: str
    population: int


def chat() -> None:
    answer = client.messages.create(model=told.MODEL, max_tokens=64, system="Be kind.", messages=HELLO)
    assert answer.content[0].text, answer
    assert answer.model == told.MODEL, answer.model


def stream() -> None:
    with client.messages.stream(model=told.MODEL, max_tokens=64, messages=HELLO) as events:
        pieces = list(events.text_stream)
        final = events.get_final_message()
    told.streamed(pieces, final.content[0].text)
    assert final.stop_reason in {"end_turn", "max_tokens"}, final.stop_reason


def tools() -> None:
    asked = [{"role": "user", "content": told.WEATHER}]
    offered = [{"name": "get_weather", "description": "The weather in a city.", "input_schema": told.CITY}]
    answer = client.messages.create(model=told.MODEL, max_tokens=200, messages=asked, tools=offered)
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    told.called(call.name, call.input)
    assert answer.stop_reason == "tool_use", answer.stop_reason
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    more = [*asked, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    again = client.messages.create(model=told.MODEL, max_tokens=200, messages=more, tools=offered)
    assert again.content[0].text, again


def structured() -> None:
    asked = [{"role": "user", "content": told.PLACE}]
    answer = client.messages.parse(model=told.MODEL, max_tokens=200, messages=asked, output_format=Place)
    told.placed(answer.parsed_output)


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
