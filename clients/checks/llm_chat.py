"""Simon Willison's `llm`, with the gateway as an extra OpenAI model."""

import json
import os
import tempfile
from pathlib import Path

import told

folder = tempfile.mkdtemp()
os.environ["LLM_USER_PATH"] = folder
named = {"model_id": "gateway", "model_name": told.MODEL, "api_base": f"{told.GATEWAY}/v1", "supports_tools": True, "supports_schema": True}
Path(folder, "extra-openai-models.yaml").write_text(json.dumps([named]))

import llm  # noqa: E402  # it reads its folder when it is imported

model = llm.get_model("gateway")


def _ask(text: str, **more: object) -> llm.Response:
    return model.prompt(text, key=told.KEY, max_tokens=200, **more)


def chat() -> None:
    assert _ask(told.HELLO, stream=False).text(), "an empty text"


def stream() -> None:
    response = _ask(told.HELLO, stream=True)
    pieces = [piece for piece in response if piece]
    told.streamed(pieces, response.text())


def tools() -> None:
    cities = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "sunny"

    answer = model.chain(told.WEATHER, tools=[get_weather], key=told.KEY).text()
    assert len(cities) == 1 and cities[0], f"{len(cities)} calls"
    assert answer, "an empty text after the tool"


def structured() -> None:
    told.placed(json.loads(_ask(told.PLACE, schema=told.PLACE_SCHEMA, stream=False).text()))


told.tell(chat=chat, stream=stream, tools=tools, structured=structured)
