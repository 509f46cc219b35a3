"""Exchanges for the tests of validators: a request, an answer, and all that a validator looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tierline.types.ask import Exchange
from tierline.types.completion import AnswerPart, Completion, CompletionChoice, Finish
from tierline.types.conversation import Text as AnswerText
from tierline.types.features import Features
from tierline.types.request import Message, Params, Request, Text, Tool

_PLAIN = Params()
_FEATURES = Features(request_id="checked")


def exchange(
    answer: str = "",
    ask: str | Sequence[Message] = "Say hello.",
    *,
    parts: Sequence[AnswerPart] | None = None,
    finish: Finish = "stop",
    tools: Sequence[Tool] = (),
    params: Params = _PLAIN,
    raw: dict[str, Any] | None = None,
    features: Features = _FEATURES,
    logprobs: bytes = b"",
    model: str = "",
) -> Exchange:
    """What a validator sees when `ask` (the user's words, or a whole conversation) was answered with `answer`, or with `parts`. `raw` are
    top-level fields of the client's body, as values."""
    messages = (Message("user", (Text(ask),)),) if isinstance(ask, str) else tuple(ask)
    fields = {name: msgspec.json.encode(value) for name, value in (raw or {}).items()}
    request = Request("checked", "openai_chat", "auto", messages, tools=tuple(tools), params=params, raw=fields)
    given = tuple(parts) if parts is not None else (AnswerText(answer),)
    words = "".join(part.text for part in given if isinstance(part, AnswerText))
    choice = CompletionChoice(given, finish, logprobs=logprobs)
    return Exchange(request, features, Completion("openai_chat", "an-id", "a-model", (choice,)), words, finish, model)
