"""How much to think: `thinking` and `output_config.effort` ↔ neutral reasoning, and what a model of each generation takes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tierline.dialects.anthropic_messages.blocks import Dropped
from tierline.dialects.anthropic_messages.generation import ADAPTIVE, FIXED, ON_BY_DEFAULT, ONE_OF_TWO, THINKS, Generation
from tierline.dialects.anthropic_messages.wire import NAME, ThinkingConfig
from tierline.types.conversation import Effort, Reasoning

Wire = dict[str, Any]
LEAST_BUDGET = 1024
"""Fewer tokens of thinking Anthropic does not take."""
BUDGETS: dict[str, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
"""The budget that stands for an effort where a model knows no efforts; never more than four fifths of `max_tokens`."""
_REFUSED = ("temperature", "top_p", "top_k")
_EFFORTS: dict[str, Effort] = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
_SHOWN = {"summarized": True, "omitted": False}
_thinking = msgspec.json.Decoder(ThinkingConfig | None)


def read(thinking: bytes, effort: str | None) -> Reasoning:
    """What a request says of thinking. Adaptive thinking without an effort counts as `high`: Anthropic's own default."""
    wire = _thinking.decode(thinking) if thinking else None
    if wire is None and effort is None:
        return Reasoning()
    extra: Wire = {} if effort is None else {"effort": effort}
    if wire is None:
        return Reasoning(_EFFORTS.get(effort or "", ""), extra=msgspec.json.encode(extra), by=NAME)
    extra["thinking"] = msgspec.Raw(thinking)
    known: Effort = _EFFORTS.get(effort or "", "")
    show: bool | None = _SHOWN.get(wire.display or "", True)
    budget = None
    if wire.type == "disabled":
        show, budget = None, 0
    elif wire.type == "enabled":
        budget = wire.budget_tokens
    else:
        known = known or ("low" if wire.type == "between_tools" else "high")
    return Reasoning(known, budget, show, msgspec.json.encode(extra), NAME)


def written(wanted: Reasoning, version: Generation | None, max_tokens: int) -> Wire:
    """The fields `thinking` and `effort` for that wish, each left out where it is not needed."""
    if wanted.by == NAME and wanted.extra:
        return msgspec.json.decode(wanted.extra, type=dict[str, Any])
    shown: Wire = {} if wanted.show is None else {"display": "summarized" if wanted.show else "omitted"}
    if wanted.effort == "none" or wanted.budget == 0:
        return {"thinking": {"type": "disabled"}} if version is not None and version >= ON_BY_DEFAULT else {}
    if version is not None and version >= ADAPTIVE and (wanted.effort or wanted.budget or wanted.show):
        effort = wanted.effort or (None if wanted.budget is None else effort_of(wanted.budget))
        return {"thinking": {"type": "adaptive", **shown}, **({"effort": "low" if effort == "minimal" else effort} if effort else {})}
    budget = wanted.budget or BUDGETS.get(wanted.effort, 0)
    if not budget:
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": _within(budget, max_tokens)}}


def effort_of(budget: int) -> str:
    """The effort that a budget of so many tokens stands for."""
    for effort in ("low", "medium", "high"):
        if budget <= BUDGETS[effort]:
            return effort
    return "xhigh"


def fit(fields: Wire, version: Generation | None, max_tokens: int, unsuited: Callable[[], bool], dropped: Dropped) -> None:
    """Rewrites `thinking`, `output_config.effort`, `tool_choice` and the sampling fields as a model of that generation takes them.

    `unsuited` is asked, where adaptive thinking must become a budget, whether a budget is out of place in this request."""
    if version is None:
        return
    thinking = fields.get("thinking") or {}
    match thinking.get("type"):
        case "enabled" if version >= FIXED:
            _freed(fields, thinking)
        case "disabled" if version >= ON_BY_DEFAULT:
            _fit_off(fields, version, dropped)
        case "between_tools" if version >= ADAPTIVE and not version.thinks_between_tools:
            _instead(fields, {"type": "adaptive"}, "low")
        case "adaptive" | "between_tools" if version < ADAPTIVE:
            _budgeted(fields, version, max_tokens, unsuited, dropped)
        case "enabled" if version < THINKS:
            del fields["thinking"]
            dropped["reasoning"] = None
    if version.always_thinks and fields.get("tool_choice", {}).get("type") in ("any", "tool"):
        fields["tool_choice"] = {**{key: value for key, value in fields["tool_choice"].items() if key != "name"}, "type": "auto"}
        dropped["tool_choice"] = None
    if (fields.get("output_config") or {}).get("effort") is not None:
        _fit_effort(fields, version, dropped)
    refused = _REFUSED if version >= FIXED else ("top_p",) if version >= ONE_OF_TWO and fields.get("temperature") is not None else ()
    for name in refused:
        if fields.pop(name, None) is not None:
            dropped[name] = None


def _freed(fields: Wire, thinking: Wire) -> None:
    """A budget becomes an effort."""
    rest = {key: value for key, value in thinking.items() if key not in ("type", "budget_tokens")}
    budget = thinking.get("budget_tokens")
    _instead(fields, {"type": "adaptive", **rest}, effort_of(budget) if isinstance(budget, int) else "")


def _fit_off(fields: Wire, version: Generation, dropped: Dropped) -> None:
    """No thinking, as far as the model can do without."""
    if version.always_thinks:
        _instead(fields, None, "low")
        dropped["reasoning"] = None
    elif version.thinks_between_tools:
        fields["thinking"] = {"type": "between_tools"}
    elif (fields.get("output_config") or {}).get("effort") in ("xhigh", "max"):
        fields["output_config"] = {**fields["output_config"], "effort": "high"}


def _instead(fields: Wire, thinking: Wire | None, effort: str) -> None:
    """Another way to think, and an effort unless the client has named one."""
    if thinking is None:
        del fields["thinking"]
    else:
        fields["thinking"] = thinking
    output = fields.get("output_config") or {}
    if effort and output.get("effort") is None:
        fields["output_config"] = {**output, "effort": effort}


def _budgeted(fields: Wire, version: Generation, max_tokens: int, unsuited: Callable[[], bool], dropped: Dropped) -> None:
    """An effort becomes a budget, where one fits."""
    if version < THINKS or max_tokens <= LEAST_BUDGET or unsuited():
        del fields["thinking"]
        dropped["reasoning"] = None
        return
    effort = (fields.get("output_config") or {}).get("effort") or "high"
    fields["thinking"] = {"type": "enabled", "budget_tokens": _within(BUDGETS.get(effort, 0), max_tokens)}


def _fit_effort(fields: Wire, version: Generation, dropped: Dropped) -> None:
    output = fields["output_config"]
    effort = output["effort"]
    if version.takes_effort:
        too_much = (effort == "max" and version < ADAPTIVE) or (effort == "xhigh" and version < FIXED)
        fields["output_config"] = {**output, "effort": "high" if too_much else effort}
        return
    if fields.get("thinking") is None:
        dropped["reasoning"] = None
    fields["output_config"] = rest = {key: value for key, value in output.items() if key != "effort"}
    if not rest:
        del fields["output_config"]


def _within(budget: int, max_tokens: int) -> int:
    return max(min(budget, max_tokens * 4 // 5), LEAST_BUDGET)
