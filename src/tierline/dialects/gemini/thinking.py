"""How much to think: `thinkingConfig` ↔ neutral reasoning, and what a model of each generation takes of it."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.gemini.generation import BUDGETED, LEVELLED, MEDIUM_OF_PRO, Generation
from tierline.dialects.gemini.parts import Dropped
from tierline.dialects.gemini.wire import NAME, ThinkingConfig
from tierline.types.conversation import Effort, Reasoning

Wire = dict[str, Any]
DYNAMIC = -1
BUDGETS: dict[Effort, int] = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768}
"""The budget that stands for an effort where a model knows no levels."""
_BOUNDS = {"pro": (128, 32768), "flash": (0, 24576), "lite": (512, 24576)}
_EFFORTS: dict[str, Effort] = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high", "XHIGH": "xhigh"}


def read(wire: ThinkingConfig, raw: bytes) -> Reasoning:
    """What a request says of thinking. A budget of -1, as the model likes, counts as `medium`."""
    effort: Effort = _EFFORTS.get((wire.thinking_level or "").upper(), "")
    budget = wire.thinking_budget
    if budget is not None and budget < 0:
        effort, budget = effort or "medium", None
    return Reasoning(effort, budget, wire.include_thoughts, raw, NAME)


def written(wanted: Reasoning, version: Generation | None, dropped: Dropped) -> Any:
    """`thinkingConfig` for that wish and model; None where there is nothing to say."""
    if wanted.by == NAME and wanted.extra:
        return msgspec.Raw(wanted.extra)
    if not wanted.effort and wanted.budget is None and wanted.show is None:
        return None
    off = wanted.effort == "none" or wanted.budget == 0
    if version is None or version < BUDGETED:
        if not off:
            dropped["reasoning"] = None
        return None
    shown: Wire = {} if wanted.show is None or off else {"includeThoughts": wanted.show}
    amount = _level(wanted, version, off) if version >= LEVELLED else _budget(wanted, version, off)
    return {**amount, **shown} or None


def _level(wanted: Reasoning, version: Generation, off: bool) -> Wire:
    """Thinking cannot be stopped from the third generation on: the least there is stands for none."""
    least = "LOW" if version.size == "pro" else "MINIMAL"
    effort = "none" if off else wanted.effort or (_effort_of(wanted.budget) if wanted.budget is not None else "")
    medium = "HIGH" if version.size == "pro" and version < MEDIUM_OF_PRO else "MEDIUM"
    levels = {"none": least, "minimal": least, "low": "LOW", "medium": medium, "high": "HIGH", "xhigh": "HIGH"}
    return {"thinkingLevel": levels[effort]} if effort else {}


def _budget(wanted: Reasoning, version: Generation, off: bool) -> Wire:
    least, most = _BOUNDS[version.size]
    if off:
        return {"thinkingBudget": 0 if version.size != "pro" else least}
    amount = wanted.budget if wanted.budget is not None else BUDGETS.get(wanted.effort)
    return {} if amount is None else {"thinkingBudget": max(min(amount, most), least)}


def _effort_of(budget: int) -> Effort:
    """The effort that a budget of so many tokens stands for."""
    if budget <= 2048:
        return "low"
    return "medium" if budget <= 8192 else "high"
