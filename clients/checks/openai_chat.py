"""OpenAI's Python SDK, Chat Completions."""

import json

import openai
import pydantic
import told

client = openai.OpenAI(base_url=f"{told.GATEWAY}/v1", api_key=told.KEY, max_retries=0, timeout=120)
HELLO = [{"role": "user", "content": told.HELLO}]


class Place(pydantic.BaseModel):
    name: str
    population: int


def chat() -> None:
    answer = client.chat.completions.create(model=told.MODEL, messages=HELLO, max_tokens=64)
    assert answer.choices[0].message.content, answer
    assert answer.model == told.MODEL, answer.model
    assert answer.usage is not None, "no usage"


def stream() -> None:
    with client.chat.completions.stream(model=told.MODEL, messages=HELLO, max_tokens=64, stream_options={"include_usage": True}) as events:
        pieces = [event.delta for event in events if event.type == "content.delta"]
        final = events.get_final_completion()
    told.streamed(pieces, final.choices[0].message.content or "")
    assert final.usage is not None, "no usage at the end"


def tools() -> None:
    asked = [{"role": "user", "content": told.WEATHER}]
    offered = [{"type": "function", "function": {"name": "get_weather", "description": "The weather in a city.", "parameters": told.CITY}}]
    answer = client.chat.completions.create(model=told.MODEL, messages=asked, tools=offered)
    (call,) = answer.choices[0].message.tool_calls
    told.called(call.function.name, json.loads(call.function.arguments))
    assert answer.choices[0].finish_reason == "tool_calls", answer.choices[0].finish_reason
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    again = client.chat.completions.create(model=told.MODEL, messages=[*asked, answer.choices[0].message, result], tools=offered)
    assert again.choices[0].message.content, again


def structured() -> None:
    asked = [{"role": "user", "content": told.PLACE}]
    answer = client.chat.completions.parse(model=told.MODEL, messages=asked, response_format=Place, max_tokens=200)
    told.placed(answer.choices[0].message.parsed)


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
