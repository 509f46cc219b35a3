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
from tierline.state.funding import OTHERS_TOOK_IT, fund
from tierline.state.purse import Purse
from tierline.types.decision import Attempt, Decision, Drop
from tierline.types.errors import BudgetSpent, NoEligibleModel, RequestError
from tierline.types.outcome import Aside, Outcome, Result

_NO_MONEY = Outcome(ok=False, error="budget", detail="a budget has not got what the call may cost")
_GONE = Outcome(ok=False, error="cancelled", detail="the client went away")


class Funds:
    """What a gateway's requests spend by."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    @property
    def active(self) -> bool:
        """Whether there is any budget."""
        return self._budgets.active

    async def funded(self, weighed: Weighed, weigh: Callable[[], Weighed], found: Found) -> tuple[Weighed, Found]:
        """The request with money for its first call, decided on anew where that was not there; without steps where it is refused. What it
        waited for a period to turn is an aside of `found`."""
        latest = weighed

        def decide() -> Decision:
            nonlocal latest
            latest = weigh()
            return latest.decision

        done = await fund(self._budgets, weighed.features, weighed.decision, decide, found.elapsed)
        funded = msgspec.structs.replace(latest, purse=done.purse)
        if done.outrun:
            found = msgspec.structs.replace(found, refused=BudgetSpent(OTHERS_TOOK_IT, retry_after=1.0))
        if not done.queued:
            return funded, found
        error = "cancelled" if done.cancelled else ""
        aside = Aside("queue", done.queued[-1], not done.cancelled, elapsed=done.waited, error=error)
        return funded, msgspec.structs.replace(
            found, asides=(*found.asides, aside), elapsed=found.elapsed + done.waited, cancelled=done.cancelled
        )

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
            return BudgetSpent(OTHERS_TOOK_IT, retry_after=1.0)
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


def paying(weighed: Weighed, purse: Purse | None) -> Weighed:
    """The request as it was decided on anew, paid for out of the same purse."""
    if purse is None:
        return weighed
    purse.follow(weighed.decision)
    return msgspec.structs.replace(weighed, purse=purse)


def _costs(decision: Decision) -> Mapping[str, float]:
    """Expected USD of a call, by model."""
    costs = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=False)}
    if decision.refusals:
        costs.setdefault(decision.refusals, decision.refusal_cost)
    return costs
