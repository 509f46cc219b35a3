"""What sets OpenAI's own models apart from those that others serve in this dialect."""

from __future__ import annotations

import re

from tierline.types.catalog import Model

_OPENAI = re.compile(r"(?:^|/)(?:gpt-(?!oss|neo|j)|chatgpt|codex|o[1-9](?:-|$))")
_REASONER = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-5(?:-(?!chat)|$))")
_LATER = re.compile(r"(?:^|/)gpt-(?:5\.[1-9]|[6-9])(?!\S*-chat)")


def is_openai(model: Model) -> bool:
    """Whether it is one of OpenAI's own: they know the role `developer` and `max_completion_tokens`, and refuse fields they do not know."""
    return _OPENAI.search(model.upstream) is not None


def refuses_sampling(model: Model, effort: str) -> bool:
    """Whether it is a reasoning model that takes no temperature, penalties or log probabilities: the first ones never, those since
    GPT-5.1 when they are told to reason."""
    if _REASONER.search(model.upstream) is not None:
        return True
    return effort not in ("", "none") and _LATER.search(model.upstream) is not None
