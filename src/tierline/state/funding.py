"""How a request comes by the money for its first call: decided on anew where a budget has not got it, waiting where the budget says so.

The live gateway and the simulation both go this way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tierline.state.budgets import Budgets
from tierline.state.purse import Purse
from tierline.types.decision import Decision, Drop
from tierline.types.features import Features

ROUNDS = 4
"""How often a request is decided on because others took what it was to have; the cheapest model overdraws from the second time on."""
MOST_QUEUED = 1000
"""Requests that wait for a period to turn; more are refused."""
OTHERS_TOOK_IT = "a budget has nothing left for the request: others have taken it; try again"


class Funded(msgspec.Struct, frozen=True):
    """What came of it: the decision to pursue (without steps where the request is refused), what it spends by, the budgets that it waited
    for, in which it took `waited` seconds, whether its client went away meanwhile, and whether others were quicker again and again: then it
    is refused too (`outrun`)."""

    decision: Decision
    purse: Purse
    queued: tuple[str, ...] = ()
    waited: float = 0.0
    cancelled: bool = False
    outrun: bool = False


async def fund(budgets: Budgets, features: Features, decision: Decision, decide: Callable[[], Decision], spent: float = 0.0) -> Funded:
    """Take the money for a decision's first call. `decide` decides again, by what is left now; `spent` seconds of the deadline are gone."""
    purse, tried, waited = budgets.purse(features), 0, 0.0
    queued: tuple[str, ...] = ()
    while True:
        if decision.steps:
            tried += 1
            if await purse.begin(decision, last=tried > 1):
                return Funded(decision, purse, queued, waited)
            if tried == ROUNDS:
                return Funded(decision, purse, queued, waited, outrun=True)
        else:
            names = _waits_for(budgets, decision)
            seconds = budgets.ends(names)
            if not names or seconds >= decision.deadline - spent - waited or budgets.queued >= MOST_QUEUED:
                return Funded(decision, purse, queued, waited)
            passed, cancelled = await _turn(budgets, seconds)
            queued, waited = (*queued, names[0]), waited + passed
            if cancelled:
                return Funded(decision, purse, queued, waited, cancelled=True)
        decision = decide()


async def _turn(budgets: Budgets, seconds: float) -> tuple[float, bool]:
    """Lets a period turn: the seconds that passed, and whether the client went away."""
    loop = asyncio.get_running_loop()
    began, cancelled = loop.time(), False
    budgets.queued += 1
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        cancelled = True
    finally:
        budgets.queued -= 1
    return loop.time() - began, cancelled


def _waits_for(budgets: Budgets, decision: Decision) -> list[str]:
    """The budgets for whose next period a refused request waits; none where one of them refuses it outright."""
    spent = [fallen.subject for fallen in decision.dropped if fallen.why == Drop.BUDGET]
    names = dict.fromkeys(spent)
    return list(names) if all(name in budgets.by_name and budgets.by_name[name].at_limit == "queue" for name in names) else []
