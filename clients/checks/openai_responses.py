"""OpenAI's Python SDK, Responses."""

import json

import openai
import pydantic
import told

client = openai.OpenAI(base_url=f"{told.GATEWAY}/v1", api_key=told.KEY, max_retries=0, timeout=120)


class Place(pydantic.BaseModel):
    name: str
    population: int


def chat() -> None:
    answer = client.responses.create(model=told.MODEL, input=told.HELLO, instructions="Be kind.", max_output_tokens=64)
    assert answer.output_text, answer
    assert answer.model == told.MODEL, answer.model
    assert answer.usage is not None, "no usage"


def stream() -> None:
    with client.responses.stream(model=told.MODEL, input=told.HELLO, max_output_tokens=64) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        final = events.get_final_response()
    told.streamed(pieces, final.output_text)
    assert final.usage is not None, "no usage at the end"


def tools() -> None:
    offered = [
        {"type": "function", "name": "get_weather", "description": "The weather in a city.", "parameters": told.CITY, "strict": True}
    ]
    answer = client.responses.create(model=told.MODEL, input=told.WEATHER, tools=offered)
    (call,) = [item for item in answer.output if item.type == "function_call"]
    told.called(call.name, json.loads(call.arguments))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    more = [{"role": "user", "content": told.WEATHER}, *answer.output, result]
    again = client.responses.create(model=told.MODEL, input=more, tools=offered)
    assert again.output_text, again


def structured() -> None:
    answer = client.responses.parse(model=told.MODEL, input=told.PLACE, text_format=Place, max_output_tokens=200)
    told.placed(answer.output_parsed)


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
