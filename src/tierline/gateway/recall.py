"""What the decision log knows of budgets: what was spent in the periods that run, and how demand is spread over a week.

Read at the start, after a reload that changed a budget, and once an hour, by a thread of its own. The database sums up what stands in
columns; only budgets of a model, a provider, a tag or a session look into the rows. What shadows have cost stands in the ledger. Of a log
that goes to PostgreSQL rows and ledger are read there, and rows that are not there yet in the file.
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
from tierline.decision_log.codec import decode
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.postgres.shipment import place
from tierline.decision_log.reader import Filter, LogReader
from tierline.ledger.reader import LedgerReader
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
    'SELECT substr(request_id, 12, 7), "key", team, route, task, sum(cost), sum(input_tokens + output_tokens) FROM decisions '
    'WHERE at >= ? AND seq > ? GROUP BY 1, "key", team, route, task'
)
_DEMAND = (
    'SELECT CAST({hour} AS BIGINT), "key", team, route, task, sum(input_tokens + output_tokens) FROM decisions '
    'WHERE at >= ? AND seq > ? GROUP BY 1, "key", team, route, task'
)

Spent = dict[tuple[str, str, str], float]
"""Budget, value and process (the middle of its requests' ids) → what was spent."""


class Recalled(msgspec.Struct, frozen=True):
    """What was spent, and the demand of every paced budget."""

    spent: Mapping[tuple[str, str, str], float]
    demand: Mapping[str, Demand]


class Part(msgspec.Struct, frozen=True):
    """A log, of which the rows with a `seq` above `after` are read."""

    log: LogReader
    after: int = 0


def recall(path: Path, budgets: Sequence[Budget], now: float, url: str = "") -> Recalled:
    """What the log at `path` knows, and the database at `url` where its rows go there; raises LogFailure. `now` is in Unix seconds."""
    with contextlib.ExitStack() as open_:
        parts = [Part(open_.enter_context(contextlib.closing(LogReader(path))))]
        if url:
            parts = [Part(open_.enter_context(contextlib.closing(PostgresReader(url)))), Part(parts[0].log, place(path))]
        spent: Spent = defaultdict(float)
        for part in parts:
            _count_rows(spent, part, budgets, now)
        ledger = open_.enter_context(contextlib.closing(LedgerReader(url or path)))
        _count_shadows(spent, parts, ledger, budgets, now)
        return Recalled(dict(spent), demand_of(parts, budgets, now))


def _count_rows(spent: Spent, part: Part, budgets: Sequence[Budget], now: float) -> None:
    """What was spent of every budget in the period that runs."""
    for since, of_period in _periods(budgets, now).items():
        summed = [budget for budget in of_period if not _needs_rows(budget)]
        if summed:
            for member, key, team, route, task, cost, tokens in part.log.query(_SPENT, (since, part.after)):
                _count(spent, summed, Features("", route=route, key=key, team=team), member, task, cost, tokens)
        looked_at = [budget for budget in of_period if _needs_rows(budget)]
        if looked_at:
            for row in part.log.rows(Filter(since=since)):
                if row["seq"] > part.after:
                    _count_row(spent, looked_at, decode(row))


def _count_shadows(spent: Spent, parts: Sequence[Part], ledger: LedgerReader, budgets: Sequence[Budget], now: float) -> None:
    """What answers given beside have cost is paid by the budgets of the requests that they were given beside of."""
    for since, of_period in _periods(budgets, now).items():
        for shadow in ledger.shadows.since(since) if ledger.shadows is not None else ():
            record = next((found for part in reversed(parts) if (found := part.log.get(shadow.request_id)) is not None), None)
            if record is None or record.at < since:
                continue
            tokens = shadow.usage.input + shadow.usage.output
            judge = shadow.judge.rpartition("@")[0]
            for model, cost, used in ((shadow.model, shadow.cost - shadow.judging, tokens), (judge, shadow.judging, 0)):
                paying = [budget for budget in of_period if budget.of_model(model)]
                _count(spent, paying, record.features, _member(record), record.decision.task, cost, used)


def _periods(budgets: Sequence[Budget], now: float) -> Mapping[float, list[Budget]]:
    """Budgets by the beginning of the period that runs."""
    begins: dict[float, list[Budget]] = defaultdict(list)
    for budget in budgets:
        begins[period_at(now, budget.per, budget.zone).begins].append(budget)
    return begins


def demand_of(parts: Sequence[Part], budgets: Sequence[Budget], now: float) -> dict[str, Demand]:
    """The demand of every paced budget over a week, in tokens: those do not change with the model that pace chooses. Tags and sessions are
    passed over, for they are not in the columns."""
    paced = [budget for budget in budgets if budget.spread]
    if not paced:
        return {}
    seen: dict[str, list[tuple[float, float]]] = {budget.name: [] for budget in paced}
    for part in parts:
        hour_of = "floor(at / 3600)" if isinstance(part.log, PostgresReader) else "at / 3600"
        for hour, key, team, route, task, tokens in part.log.query(_DEMAND.format(hour=hour_of), (now - LEARNT_FROM, part.after)):
            features = Features("", route=route, key=key, team=team)
            for budget in paced:
                wide = msgspec.structs.replace(budget, tag="", each="")
                if wide.of_task(task) and wide.values(features):
                    seen[budget.name].append((hour * 3600.0, float(tokens or 0)))
    return {budget.name: learn(seen[budget.name], budget.zone) for budget in paced}


async def remember(budgets: Budgets, logs: Sequence[Path | str]) -> None:
    """Count what other processes have spent and not said, and learn the demand. `logs` are this process's own file and, where its rows go
    on to one, the address of the database. Of a log that cannot be read a warning tells; then nothing is counted, or what the file
    alone knows where it is the database that cannot be read."""
    if not budgets.active:
        return
    path, url = Path(logs[0]), str(logs[1]) if len(logs) > 1 else ""
    try:
        recalled = await asyncio.to_thread(recall, path, budgets.all, budgets.clock(), url)
    except LogFailure as failure:
        known = "only what the local file still holds is counted" if url else "it is not counted"
        _logger.warning("what was spent of the budgets before could not be read, so %s: %s", known, failure.message)
        if url:
            await remember(budgets, logs[:1])
        return
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


def _member(record: Record) -> str:
    return record.features.request_id[11:18]


def _count_row(spent: Spent, budgets: Sequence[Budget], record: Record) -> None:
    """One row, call by call: a model's budget pays for the calls to it alone."""
    calls = [(aside.target, aside.cost, aside.usage) for aside in record.asides]
    for attempt in record.tried:
        beside = sum(aside.cost for aside in attempt.asides)
        calls.append((attempt.target, attempt.cost - beside, attempt.usage))
        calls += [(aside.target, aside.cost, aside.usage) for aside in attempt.asides]
    for model, cost, usage in calls:
        paying = [budget for budget in budgets if budget.of_model(model)]
        _count(spent, paying, record.features, _member(record), record.decision.task, cost, usage.input + usage.output)
