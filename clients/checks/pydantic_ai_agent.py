"""What both checks of pydantic-ai do with an agent's model: words, a stream, a tool loop, a typed output."""

import asyncio
from typing import Any

import pydantic
import told
from pydantic_ai import Agent


class Place(pydantic.BaseModel):
    name: str
    population: int


def check(model: Any, output: Any) -> None:
    """Check a model of pydantic-ai; `output` is the kind of typed output that it is asked for."""
    settings = {"max_tokens": 200}

    def chat() -> None:
        assert Agent(model, model_settings=settings).run_sync(told.HELLO).output, "an empty text"

    async def _stream() -> None:
        async with Agent(model, model_settings=settings).run_stream(told.HELLO) as result:
            pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
            told.streamed(pieces, "".join(pieces))

    def tools() -> None:
        agent = Agent(model, model_settings=settings)
        calls = []

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            calls.append(city)
            return "sunny"

        answer = agent.run_sync(told.WEATHER).output
        assert len(calls) == 1 and calls[0], f"{len(calls)} calls"
        assert answer, "an empty text after the tool"

    def structured() -> None:
        told.placed(Agent(model, output_type=output, model_settings=settings).run_sync(told.PLACE).output)

    told.tell(chat=chat, stream=lambda: asyncio.run(_stream()), tools=tools, structured=structured)
