"""What the decision log knows of budgets: what was spent in the periods that run, and how demand is spread over a week.

Read at the start, after a reload that changed a budget, and once an hour, by a thread of its own. The database sums up what stands in
columns; only budgets of a model, a provider, a tag or a session look into the rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tierline.config.budgets import Budget
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import Filter, LogReader
from tierline.state.budgets import Budgets
from tierline.state.leases import RENEW
from tierline.state.pacing import Demand, learn
from tierline.state.periods import period_at
from tierline.types.errors import LogFailure
from tierline.types.features import Features
from tierline.types.record import Record

_logger = logging.getLogger("tierline.gateway")

LEARNT_FROM = 28 * 86400.0
"""Seconds of the log that demand is learnt from."""
LEARN_EVERY = 3600.0

_SPENT = (
    'SELECT substr(request_id, 12, 7), "key", team, route, task, sum(cost), sum(input_tokens + output_tokens) FROM decisions WHERE at >= ? '
    'GROUP BY 1, "key", team, route, task'
)
_DEMAND = (
    'SELECT CAST(at / 3600 AS INTEGER), "key", team, route, task, sum(input_tokens + output_tokens) FROM decisions WHERE at >= ? '
    'GROUP BY 1, "key", team, route, task'
)

Spent = dict[tuple[str, str, str], float]
"""Budget, value and process (the middle of its requests' ids) → what was spent."""


class Recalled(msgspec.Struct, frozen=True):
    """What was spent, and the demand of every paced budget."""

    spent: Mapping[tuple[str, str, str], float]
    demand: Mapping[str, Demand]


def recall(log: Path | str, budgets: Sequence[Budget], now: float) -> Recalled:
    """What a log knows, a file or a PostgreSQL database; raises LogFailure. `now` is in Unix seconds."""
    with contextlib.closing(PostgresReader(log) if isinstance(log, str) else LogReader(log)) as reader:
        return Recalled(spent_of(reader, budgets, now), demand_of(reader, budgets, now))


def spent_of(log: LogReader, budgets: Sequence[Budget], now: float) -> Spent:
    """What was spent of every budget in the period that runs."""
    spent: Spent = defaultdict(float)
    begins: dict[float, list[Budget]] = defaultdict(list)
    for budget in budgets:
        begins[period_at(now, budget.per, budget.zone).begins].append(budget)
    for since, of_period in begins.items():
        summed = [budget for budget in of_period if not _needs_rows(budget)]
        if summed:
            for member, key, team, route, task, cost, tokens in log.query(_SPENT, (since,)):
                _count(spent, summed, Features("", route=route, key=key, team=team), member, task, cost, tokens)
        looked_at = [budget for budget in of_period if _needs_rows(budget)]
        if looked_at:
            for record in log.records(Filter(since=since)):
                _count_row(spent, looked_at, record)
    return dict(spent)


def demand_of(log: LogReader, budgets: Sequence[Budget], now: float) -> dict[str, Demand]:
    """The demand of every paced budget over a week, in tokens: those do not change with the model that pace chooses. Tags and sessions are
    passed over, for they are not in the columns."""
    paced = [budget for budget in budgets if budget.spread]
    if not paced:
        return {}
    seen: dict[str, list[tuple[float, float]]] = {budget.name: [] for budget in paced}
    for hour, key, team, route, task, tokens in log.query(_DEMAND, (now - LEARNT_FROM,)):
        features = Features("", route=route, key=key, team=team)
        for budget in paced:
            wide = msgspec.structs.replace(budget, tag="", each="")
            if wide.of_task(task) and wide.values(features):
                seen[budget.name].append((hour * 3600.0, float(tokens or 0)))
    return {budget.name: learn(seen[budget.name], budget.zone) for budget in paced}


async def remember(budgets: Budgets, logs: Sequence[Path | str]) -> None:
    """Count what other processes have spent and not said, and learn the demand, from this process's own file and the database that it goes
    on to, where there is one: of demand the last of them counts. Of a log that cannot be read a warning tells; then nothing is counted."""
    if not budgets.active:
        return
    for log in logs:
        try:
            recalled = await asyncio.to_thread(recall, log, budgets.all, budgets.clock())
        except LogFailure as failure:
            _logger.warning("what was spent of the budgets before could not be read, so it is not counted: %s", failure.message)
            continue
        await budgets.reconcile(recalled.spent)
        budgets.demand(recalled.demand)


async def keep(budgets: Budgets, logs: Sequence[Path | str]) -> None:
    """Renew the leases again and again, and read the log after a change of the budgets and once an hour; until cancelled."""
    known, learn_at = budgets.all, budgets.clock() + LEARN_EVERY
    while True:
        await asyncio.sleep(RENEW)
        if not budgets.active:
            known = budgets.all
            continue
        if budgets.all != known or budgets.clock() >= learn_at:
            known, learn_at = budgets.all, budgets.clock() + LEARN_EVERY
            await remember(budgets, logs)
        await budgets.renew()


def _needs_rows(budget: Budget) -> bool:
    return budget.models is not None or bool(budget.tag) or budget.each in ("session", "tag")


def _count(
    spent: Spent, budgets: Sequence[Budget], features: Features, member: str, task: str, cost: float | None, tokens: int | None
) -> None:
    for budget in budgets:
        if budget.of_task(task):
            for value in budget.values(features):
                spent[budget.name, value, member] += budget.amount(float(cost or 0.0), float(tokens or 0))


def _count_row(spent: Spent, budgets: Sequence[Budget], record: Record) -> None:
    """One row, call by call: a model's budget pays for the calls to it alone."""
    member = record.features.request_id[11:18]
    calls = [(aside.target, aside.cost, aside.usage) for aside in record.asides]
    for attempt in record.tried:
        beside = sum(aside.cost for aside in attempt.asides)
        calls.append((attempt.target, attempt.cost - beside, attempt.usage))
        calls += [(aside.target, aside.cost, aside.usage) for aside in attempt.asides]
    for model, cost, usage in calls:
        paying = [budget for budget in budgets if budget.of_model(model)]
        _count(spent, paying, record.features, member, record.decision.task, cost, usage.input + usage.output)
