"""Money around a course: taken before it begins, before each further call, and settled after each.

funded   the request decided on with money for its first call: a spent budget refuses, waits, or leaves the cheapest model
Paid     makes attempts, each with what it may cost reserved
refused  the error that tells whose budget is spent, and when its period ends
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec

from tierline.config.budgets import Budget
from tierline.gateway.race import Calls, Claim
from tierline.gateway.tools_first import Found
from tierline.gateway.weighed import Weighed
from tierline.state.budgets import Budgets
from tierline.state.purse import Purse
from tierline.types.decision import Attempt, Decision, Drop
from tierline.types.errors import BudgetSpent, NoEligibleModel, RequestError
from tierline.types.outcome import Aside, Outcome, Result

ROUNDS = 4
"""How often a request is decided on anew because others took what it was to have; then the cheapest model overdraws, or it is refused."""
MOST_QUEUED = 1000
"""Requests that wait for a period to turn; more are refused."""

_NO_MONEY = Outcome(ok=False, error="budget", detail="a budget has not got what the call may cost")
_GONE = Outcome(ok=False, error="cancelled", detail="the client went away")


class Funds:
    """What a gateway's requests spend by; `queued` of them wait for a period to turn."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self.queued = 0

    @property
    def active(self) -> bool:
        """Whether there is any budget."""
        return self._budgets.active

    async def funded(self, weighed: Weighed, weigh: Callable[[], Weighed], found: Found) -> tuple[Weighed, Found]:
        """The request with money for its first call, decided on anew where that was not there; without steps where it is refused. What it
        waited for a period to turn is an aside of `found`."""
        purse, tried = self._budgets.purse(weighed.features), 0
        while True:
            decision = weighed.decision
            if decision.steps:
                tried += 1
                if await purse.begin(decision, last=tried > 1):
                    return msgspec.structs.replace(weighed, purse=purse), found
                if tried == ROUNDS:
                    raise BudgetSpent("a budget has nothing left for the request: others have taken it; try again", retry_after=1.0)
            else:
                names = self._queues(decision)
                wait = self._budgets.ends(names)
                left = decision.deadline - found.elapsed
                if not names or wait >= left or self.queued >= MOST_QUEUED:
                    return msgspec.structs.replace(weighed, purse=purse), found
                found = await self._waited(names[0], wait, found)
                if found.cancelled:
                    return msgspec.structs.replace(weighed, purse=purse), found
            weighed = weigh()

    async def _waited(self, name: str, seconds: float, found: Found) -> Found:
        """The time that passes until a period turns."""
        loop = asyncio.get_running_loop()
        began, cancelled = loop.time(), False
        self.queued += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cancelled = True
        finally:
            self.queued -= 1
        waited = loop.time() - began
        aside = Aside("queue", name, not cancelled, elapsed=waited, error="cancelled" if cancelled else "")
        return msgspec.structs.replace(found, asides=(*found.asides, aside), elapsed=found.elapsed + waited, cancelled=cancelled)

    def _queues(self, decision: Decision) -> list[str]:
        """The budgets for whose next period a refused request waits; none where one refuses it outright."""
        known = [self._budgets.by_name[d.subject] for d in decision.dropped if d.why == Drop.BUDGET and d.subject in self._budgets.by_name]
        names = dict.fromkeys(budget.name for budget in known)
        return list(names) if known and all(budget.at_limit == "queue" for budget in known) else []

    def refused(self, decision: Decision, result: Result, error: RequestError | None) -> RequestError | None:
        """The error as it is, or the one of a spent budget where it is for want of money that nobody answers."""
        dropped = [fallen for fallen in decision.dropped if fallen.why == Drop.BUDGET]
        if isinstance(error, NoEligibleModel) and error.status == BudgetSpent.status and dropped and not decision.steps:
            least = min(dropped, key=lambda fallen: fallen.value or 0.0)
            budget = self._budgets.by_name.get(least.subject)
            if budget is None:
                needs = f"and this one needs about {least.value:,.0f}"
                return BudgetSpent(f"the budget {least.subject!r} lets one request take {least.limit:,.0f} tokens, {needs}")
            ends = self._budgets.ends([fallen.subject for fallen in dropped])
            return BudgetSpent(told(budget, least.value or 0.0, least.limit or 0.0, self._budgets.clock() + ends, ends), retry_after=ends)
        outcomes = [outcome for _, outcome in result.attempts]
        if error is not None and outcomes and all(outcome.error == "budget" for outcome in outcomes):
            return BudgetSpent("a budget has nothing left for the request: others have taken it; try again", retry_after=1.0)
        return error


def told(budget: Budget, most: float, left: float, ends: float, seconds: float) -> str:
    """The sentence of a spent budget: what is left, what a call may take, and when there is more."""

    def unit(amount: float) -> str:
        return f"{max(amount, 0.0):,.0f} tokens" if budget.counts_tokens else f"${max(amount, 0.0):.6f}"

    turn = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
    return (
        f"the budget {budget.name!r} has {unit(left)} of {unit(budget.limit)} per {budget.per} left, and the cheapest call to a model that "
        f"can serve this may take {unit(most)}; its next {budget.per} begins at {turn}, in {seconds:,.0f} s"
    )


class Paid:
    """Makes the attempts of a funded request: each takes what it may cost before, and settles what it did cost after."""

    __slots__ = ("_call", "_costs", "_purse")

    def __init__(self, call: Calls, purse: Purse, decision: Decision) -> None:
        self._call = call
        self._purse = purse
        self._costs = _costs(decision)

    async def __call__(self, attempt: Attempt, claim: Claim | None = None) -> Outcome:
        """The outcome of one attempt; of `budget`, where there is no money for it. What its validators ask for is settled by those who
        ask."""
        if attempt.cause == "judge":
            return await self._call(attempt, claim)
        purse = self._purse
        try:
            held = await purse.take_for(attempt, self._costs.get(attempt.target, 0.0))
        except asyncio.CancelledError:
            return _GONE
        if held is None:
            return _NO_MONEY
        cost = tokens = 0.0
        try:
            outcome = await self._call(attempt, claim)
            cost = outcome.cost - sum([aside.cost for aside in outcome.asides])
            tokens = outcome.usage.input + outcome.usage.output
            return outcome
        finally:
            purse.settle(held, cost, tokens)


def _costs(decision: Decision) -> Mapping[str, float]:
    """Expected USD of a call, by model."""
    costs = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=False)}
    if decision.refusals:
        costs.setdefault(decision.refusals, decision.refusal_cost)
    return costs
