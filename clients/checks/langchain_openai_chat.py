"""LangChain's ChatOpenAI."""

import pydantic
import told
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url=f"{told.GATEWAY}/v1", api_key=told.KEY, model=told.MODEL, max_tokens=200, max_retries=0, timeout=120)


class Place(pydantic.BaseModel):
    name: str
    population: int


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def chat() -> None:
    assert model.invoke(told.HELLO).text, "an empty text"


def stream() -> None:
    pieces = [chunk.text for chunk in model.stream(told.HELLO) if chunk.text]
    told.streamed(pieces, "".join(pieces))


def tools() -> None:
    asked = HumanMessage(told.WEATHER)
    able = model.bind_tools([get_weather])
    answer = able.invoke([asked])
    (call,) = answer.tool_calls
    told.called(call["name"], call["args"])
    result = ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
    assert able.invoke([asked, answer, result]).text, "an empty text after the tool"


def structured() -> None:
    told.placed(model.with_structured_output(Place).invoke(told.PLACE))


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
