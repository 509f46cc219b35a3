"""One request's way to spend: before a call it takes what the call may need of every budget that pays for it, after it what it did need
is settled and the rest goes back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from tierline.config.budgets import Budget
from tierline.state.leases import Counter
from tierline.types.decision import Attempt, Decision
from tierline.types.features import Features

if TYPE_CHECKING:
    from tierline.state.budgets import Budgets

EXTRAS = frozenset({"escalation", "branch", "hedge", "retry", "shadow"})
"""Causes of calls that better an answer and are left out where a budget has nothing left for them; without the others nobody answers."""

_NOTHING = 1e-12


class Held(msgspec.Struct, frozen=True, eq=False):
    """What was taken for one call to a model: the counters, with what is reserved of each."""

    parts: tuple[tuple[Budget, Counter, float], ...]
    model: str = ""


class Purse:
    """What one request spends by. `paid` is the USD that was settled so far; `waited` the seconds that it has queued for money."""

    __slots__ = ("_budgets", "_features", "_first", "_open", "_spent", "_task", "_whole", "paid", "waited")

    def __init__(self, budgets: Budgets, features: Features) -> None:
        self._budgets = budgets
        self._features = features
        self._task = ""
        self._whole: list[tuple[Budget, Counter]] = []
        self._first: list[tuple[str, Held]] = []
        self._open: list[Held] = []
        self._spent: list[tuple[str, float, float]] = []
        self.paid = 0.0
        self.waited = 0.0

    async def begin(self, decision: Decision, *, last: bool = False) -> bool:
        """Take what the decision's first call may need, or its first step's where they are made together; False where it is not there,
        and nothing is taken. With `last` a budget whose limit means the cheapest model is overdrawn rather."""
        self.give_back_first()
        self._task = decision.task
        self._whole = self._budgets.counters(self._features, decision.task)
        step = decision.steps[0]
        first = zip(step.targets, step.costs or (0.0,) * len(step.targets), strict=True)
        for target, cost in list(first)[: None if decision.combine is not None else 1]:
            held = await self.take(target, cost, overdraw=last)
            if held is None:
                self.give_back_first()
                return False
            self._first.append((target, held))
        return True

    def follow(self, decision: Decision) -> None:
        """Pay for another task from now on, where the request turned out to be of one: what it has cost already moves to that one's
        budgets."""
        if decision.task == self._task:
            return
        self.give_back_first()
        before, self._task = self._whole, decision.task
        self._whole = self._budgets.counters(self._features, decision.task)
        self._move([pair for pair in before if pair not in self._whole], -1.0)
        self._move([pair for pair in self._whole if pair not in before], 1.0)

    def _move(self, counters: Iterable[tuple[Budget, Counter]], sign: float) -> None:
        for budget, counter in counters:
            for model, usd, tokens in self._spent:
                if budget.models is None or model in budget.models:
                    counter.charge(sign * budget.amount(usd, tokens))

    async def take(self, model: str, usd: float, *, tokens: float | None = None, overdraw: bool = False) -> Held | None:
        """Take what a call to a model may need, which is expected to cost so many USD and take so many tokens (None: those of the request);
        None where a budget has not got it. `overdraw`: only those that may never be overdrawn refuse."""
        features = self._features
        expected = features.input_tokens + features.output_tokens if tokens is None else tokens
        needs = [(budget, counter, budget.most(usd, expected)) for budget, counter in self._whole if budget.of_model(model)]
        now = self._budgets.clock()
        if not all(counter.covers(amount, now) for _, counter, amount in needs):
            await self._budgets.cover([(counter, amount) for _, counter, amount in needs])
            now = self._budgets.clock()
            for budget, counter, amount in needs:
                if not counter.covers(amount, now) and amount > 0.0 and not (overdraw and not budget.hard):
                    return None
        for _, counter, amount in needs:
            counter.reserve(amount)
        held = Held(tuple(needs), model)
        self._open.append(held)
        return held

    async def take_for(self, attempt: Attempt, usd: float) -> Held | None:
        """Take what an attempt may need: what was taken for it at the beginning, where it is one of the first."""
        for place, (target, held) in enumerate(self._first):
            if target == attempt.target:
                del self._first[place]
                return held
        return await self.take(attempt.target, usd, overdraw=attempt.cause not in EXTRAS)

    def settle(self, held: Held, usd: float, tokens: float) -> None:
        """Count what a call has cost and taken, and give the rest back."""
        if held not in self._open:
            return
        self._open.remove(held)
        self._paid(held.model, usd, tokens)
        for budget, counter, amount in held.parts:
            counter.settle(amount, budget.amount(usd, tokens))
            self._budgets.warn(budget, counter)

    def square(self, usd: float) -> None:
        """Count what the request has cost beyond what was settled: calls that nobody took money for."""
        beyond = usd - self.paid
        if beyond > _NOTHING:
            self.charge(beyond, 0.0)

    def charge(self, usd: float, tokens: float, model: str = "") -> None:
        """Count what was spent without having been taken before; `model` where it is to count for its own budgets too."""
        self._paid(model, usd, tokens)
        for budget, counter in self._whole:
            if budget.models is None or model in budget.models:
                counter.charge(budget.amount(usd, tokens))
                self._budgets.warn(budget, counter)

    def _paid(self, model: str, usd: float, tokens: float) -> None:
        self.paid += usd
        if usd or tokens:
            self._spent.append((model, usd, tokens))

    def give_back_first(self) -> None:
        """Give back what was taken for first calls that were not made."""
        self._give_back([held for _, held in self._first])
        self._first.clear()

    def close(self) -> None:
        """Give back whatever was taken and not settled."""
        self._first.clear()
        self._give_back(list(self._open))

    def _give_back(self, helds: Iterable[Held]) -> None:
        for held in helds:
            self.settle(held, 0.0, 0.0)
