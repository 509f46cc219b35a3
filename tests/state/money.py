"""Budgets under a clock that the test moves, alone or with others over one table."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tierline.config.loaded import Loaded
from tierline.state.budgets import Budgets
from tierline.state.local_shared import LocalShared, Table
from tierline.testing import builders
from tierline.types.decision import Decision, Step

T = TypeVar("T")
MONDAY = 1_795_392_000.0
"""2026-11-23T00:00Z, a Monday."""


class Clock:
    def __init__(self, now: float = MONDAY) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def spec_with(**budgets: dict[str, Any]) -> Loaded:
    """Models a (1 USD a call), b (2), c (4), and these budgets."""
    fleet = {name: {"price": (price, 0.0)} for name, price in {"a": 1.0, "b": 2.0, "c": 4.0}.items()}
    return builders.loaded({"budgets": {name: {"per": "day", **about} for name, about in budgets.items()}}, fleet)


def budgets(clock: Clock, table: Table | None = None, **found: dict[str, Any]) -> Budgets:
    return Budgets(spec_with(**found), clock, LocalShared(table or Table(clock)))


def plan(*targets: tuple[str, float], task: str = "") -> Decision:
    """A decision of one step that asks these in turn."""
    step = Step("fast", tuple([name for name, _ in targets]), tuple([cost for _, cost in targets]))
    return Decision("r", "auto", "", (step,), task=task)


def now(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
