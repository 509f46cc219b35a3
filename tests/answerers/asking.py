"""Requests and specs for the tests of answerers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tierline.config.loaded import Loaded
from tierline.dialects.openai_chat import OpenAIChat
from tierline.interfaces import Answerer
from tierline.testing.builders import loaded
from tierline.types.access import Source
from tierline.types.features import Features
from tierline.types.request import Request

T = TypeVar("T")

CHAT = OpenAIChat()
FEATURES = Features("r-1")


def spec(folder: Path = Path(), **sources: Source) -> Loaded:
    """A loaded spec in that folder, with such sources."""
    return msgspec.structs.replace(loaded(), path=folder / "tierline.yaml", sources=sources)


def asks(words: str, **changes: Any) -> Request:
    """A chat that ends in these words; `changes` go into its body, or into the request where they are fields of it."""
    of_request = {name: changes.pop(name) for name in ("key", "route", "hints") if name in changes}
    body = {"model": "auto", "messages": [{"role": "user", "content": words}], **changes}
    return msgspec.structs.replace(CHAT.parse(msgspec.json.encode(body)), id="r-1", **of_request)


def run(story: Awaitable[T]) -> T:
    """Run one story on a loop of its own."""

    async def told() -> T:
        return await story

    return asyncio.run(told())


def answers(tool: Answerer, words: str, **changes: Any) -> str | None:
    """What a tool says to these words; None where it does not know. It is closed afterwards."""

    async def story() -> str | None:
        try:
            hit = await tool.answer(asks(words, **changes), FEATURES)
        finally:
            await tool.close()
        return None if hit is None else hit.text

    return run(story())
