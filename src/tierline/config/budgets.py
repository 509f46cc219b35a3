"""Budgets as those see them who decide by them and those who count: whom each is for, in which unit, and what a call may take of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.config.spec import BudgetSpec, Spec
from tierline.types.catalog import Model
from tierline.types.features import Features

HEADROOM = 1.5
"""A call is reserved so many times what it is expected to take: answers run longer than their estimate."""

NAMELESS = "-"
"""The counter of those without a key, team or session, where each of them has one of its own."""

Per = Literal["request", "hour", "day", "week", "month"]


class Budget(msgspec.Struct, frozen=True):
    """One budget. `limit` is in USD, or in tokens where `counts_tokens`; `models` are those whose calls it pays for, None: all of them.
    Empty fields narrow nothing. `hard`: at the limit nobody answers (the request is refused or waits); else the cheapest does."""

    name: str
    limit: float
    per: Per
    counts_tokens: bool = False
    zone: str = "UTC"
    key: str = ""
    team: str = ""
    task: str = ""
    route: str = ""
    tag: str = ""
    each: Literal["", "key", "team", "session", "tag"] = ""
    models: frozenset[str] | None = None
    at_limit: Literal["cheapest", "reject", "queue"] = "reject"
    spread: bool = False
    soft: float = 1.0

    @property
    def hard(self) -> bool:
        """Whether it may not be overdrawn: also one of a model or provider, for then other models answer."""
        return self.at_limit != "cheapest" or self.models is not None

    def values(self, features: Features) -> tuple[str, ...]:
        """Which of its counters such a request counts in: `("",)` where it has but one, none where it is for others."""
        if (
            (self.key and features.key != self.key)
            or (self.team and features.team != self.team)
            or (self.route and features.route != self.route)
            or (self.tag and self.tag not in features.hints.tags)
        ):
            return ()
        match self.each:
            case "":
                return ("",)
            case "key":
                return (features.key or NAMELESS,)
            case "team":
                return (features.team or NAMELESS,)
            case "session":
                return (features.session or NAMELESS,)
            case "tag":
                return tuple(dict.fromkeys(features.hints.tags))

    def of_task(self, task: str) -> bool:
        """Whether it is for requests of such a task."""
        return not self.task or self.task == task

    def of_model(self, model: str) -> bool:
        """Whether it pays for calls to such a model."""
        return self.models is None or model in self.models

    def most(self, usd: float, tokens: float) -> float:
        """What is reserved of it for a call that is expected to cost so much and take so many tokens."""
        return HEADROOM * (tokens if self.counts_tokens else usd)

    def amount(self, usd: float, tokens: float) -> float:
        """What a call that cost so much and took so many tokens takes of it."""
        return tokens if self.counts_tokens else usd


def budgets_of(spec: Spec, models: Mapping[str, Model]) -> tuple[Budget, ...]:
    """Every budget of a checked spec, in its order."""
    return tuple([_budget(name, budget, models) for name, budget in spec.budgets.items()])


def _budget(name: str, spec: BudgetSpec, models: Mapping[str, Model]) -> Budget:
    paid: frozenset[str] | None = None
    if spec.model or spec.provider:
        named = {spec.model} if spec.model else set(models)
        paid = frozenset(model for model in named if not spec.provider or models[model].provider == spec.provider)
    return Budget(
        name,
        float(spec.tokens or 0) if spec.limit is None else spec.limit,
        spec.per,
        spec.limit is None,
        spec.time_zone,
        spec.key,
        spec.team,
        spec.task,
        spec.route,
        spec.tag,
        spec.each,
        paid,
        spec.at_limit,
        spec.pace == "spread",
        spec.soft,
    )
