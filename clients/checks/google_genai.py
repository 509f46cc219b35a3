"""Google's Python SDK, generateContent."""

import pydantic
import told
from google import genai
from google.genai import types

client = genai.Client(api_key=told.KEY, http_options=types.HttpOptions(base_url=told.GATEWAY, timeout=120_000))


class Place(pydantic.BaseModel):
    name: str
    population: int


def chat() -> None:
    config = types.GenerateContentConfig(max_output_tokens=64, system_instruction="Be kind.")
    answer = client.models.generate_content(model=told.MODEL, contents=told.HELLO, config=config)
    assert answer.text, answer
    assert answer.usage_metadata is not None, "no usage"


def stream() -> None:
    config = types.GenerateContentConfig(max_output_tokens=64)
    chunks = list(client.models.generate_content_stream(model=told.MODEL, contents=told.HELLO, config=config))
    pieces = [chunk.text for chunk in chunks if chunk.text]
    told.streamed(pieces, "".join(pieces))
    assert chunks[-1].candidates[0].finish_reason in {types.FinishReason.STOP, types.FinishReason.MAX_TOKENS}, chunks[-1]


def tools() -> None:
    declared = types.FunctionDeclaration(name="get_weather", description="The weather in a city.", parameters_json_schema=told.CITY)
    off = types.AutomaticFunctionCallingConfig(disable=True)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])], automatic_function_calling=off)
    answer = client.models.generate_content(model=told.MODEL, contents=told.WEATHER, config=config)
    (call,) = answer.function_calls
    told.called(call.name, call.args)
    asked = types.Content(role="user", parts=[types.Part(text=told.WEATHER)])
    response = types.FunctionResponse(id=call.id, name="get_weather", response={"result": "sunny"})
    result = types.Content(role="user", parts=[types.Part(function_response=response)])
    again = client.models.generate_content(model=told.MODEL, contents=[asked, answer.candidates[0].content, result], config=config)
    assert again.text, again


def structured() -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Place, max_output_tokens=200)
    answer = client.models.generate_content(model=told.MODEL, contents=told.PLACE, config=config)
    told.placed(answer.parsed)


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
