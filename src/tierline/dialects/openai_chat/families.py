"""What sets OpenAI's own models apart from those that others serve in this dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tierline.types.catalog import Model

_OPENAI = re.compile(r"(?:^|/)(?:gpt-(?!oss|neo|j)|chatgpt|codex|o[1-9](?:-|$))")
_REASONER = re.compile(r"(?:^|/)(?:o[1-9](?:-|$)|gpt-5(?:-(?!chat)|$))")
_LATER = re.compile(r"(?:^|/)gpt-(?:5\.[1-9]|[6-9])(?!\S*-chat)")

_EFFORTS: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    (re.compile(r"(?:^|/)o[1-9]"), {"none": "low", "minimal": "low", "xhigh": "high"}),
    (re.compile(r"(?:^|/)gpt-5(?:-|$)"), {"none": "minimal", "xhigh": "high"}),
    (re.compile(r"(?:^|/)gpt-5\.1(?!-codex-max)"), {"minimal": "low", "xhigh": "high"}),
    (re.compile(r"(?:^|/)(?:gpt-(?:5\.|[6-9])|codex)"), {"minimal": "low"}),
)
"""Which efforts a family does not take, and what it gets instead; families that do not reason are missing."""


def is_openai(model: Model) -> bool:
    """Whether it is one of OpenAI's own: they know the role `developer` and `max_completion_tokens`, and refuse fields they do not know."""
    return _OPENAI.search(model.upstream) is not None


def refuses_sampling(model: Model, effort: str) -> bool:
    """Whether it is a reasoning model that takes no temperature, penalties or log probabilities: the first ones never, those since
    GPT-5.1 when they are told to reason."""
    if _REASONER.search(model.upstream) is not None:
        return True
    return effort not in ("", "none") and _LATER.search(model.upstream) is not None


def effort_for(model: Model, effort: str) -> str:
    """The effort that such a model takes and that comes closest; empty where it takes none."""
    if not effort:
        return ""
    if not is_openai(model):
        return "" if effort == "none" and "reasoning" not in model.capabilities else effort
    family = next((taken for pattern, taken in _EFFORTS if pattern.search(model.upstream)), {})
    return family.get(effort, effort if family else "")
