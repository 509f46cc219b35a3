"""What happened in a time: traffic by tier, model, task and route, by count and by cost, quality, latency, money, alerts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sums.read import Summed, read_sums
from tierline.decision_log.sums.table import FIGURES, Sum, merged, percentile
from tierline.server.exchange import Exchange
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.types.catalog import Model
from tierline.types.errors import BadRequest

DAY = 86400.0
MOST_DAYS = 400
"""Days of the longest time that is told at once."""

DIMENSIONS = {"route": 2, "task": 3, "tier": 4, "model": 5}
"""Where each stands in a key of the sums."""

BANDS = {"fast": {"requests": (0.6, 0.7)}, "best": {"requests": (0.1, 0.15), "cost": (0.3, 0.4)}}
"""The shares that are usual in fleets of three tiers: of the first tier, and of the last."""

_AT = {name: place for place, name in enumerate(FIGURES)}


class Group(msgspec.Struct, frozen=True):
    """The figures of some requests: counts, USD, seconds (None where no model answered), shares and rates in [0, 1]. `pass_rate` is of the
    answers that were checked; None where none was."""

    name: str
    requests: int
    cost: float
    request_share: float
    cost_share: float
    latency_p50: float | None
    latency_p95: float | None
    checked: int
    pass_rate: float | None
    failed_rate: float
    flagged: int
    fallback_rate: float
    escalation_rate: float
    by_tools: int
    input_tokens: int
    output_tokens: int


class Baseline(msgspec.Struct, frozen=True):
    """What the tokens of the answers that were given would have cost at `model`, the model of the dearest tier that is cheapest for them;
    `spent` is what they did cost, with all attempts. USD."""

    model: str
    tier: str
    spent: float
    cost: float


class Overview:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def show(self, exchange: Exchange) -> None:
        """GET /admin/overview: the figures of a time (`since`, `until`, Unix seconds; the last day, where they are left out), of everything
        or of one route, task, tier or model; by whole minutes, hours or days (UTC)."""
        asked, now = Asked(exchange.incoming.query_string), time.time()
        since, until = span_of(asked, now)
        narrowed = {name: asked.word(name) for name in DIMENSIONS}
        before, found = await self._ground.read(lambda log: _both(log, since, until, now, narrowed))
        labels, alerts = await self._ground.books.ask(lambda ledger: (ledger.labels.summed(since, until), ledger.alerts.list()))
        loaded = exchange.gateway.loaded
        exchange.json(
            {
                "since": found.since,
                "until": found.until,
                "span": found.span,
                "left": found.left,
                "total": group_of("", [total for _, total in found.sums], None),
                "before": group_of("", [total for _, total in before.sums], None),
                **{f"{name}s": groups_of(found, place, order_of(loaded, name)) for name, place in DIMENSIONS.items()},
                "series": _series(found, loaded),
                "all_best": _all_best(found, loaded),
                "bands": _bands(loaded),
                "labels": [{"source": source, "labels": count, "mean": mean} for source, count, mean in labels],
                "budgets": self._ground.live.world.budgets.seen(),
                "alerts": alerts,
            }
        )


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/overview"): Route(Overview(ground).show, "read")})


def span_of(asked: Asked, now: float) -> tuple[float, float]:
    """The time that a query names, a day before now where it names none. Raises BadRequest."""
    until = asked.number("until")
    until = now if until is None else min(until, now)
    since = asked.number("since")
    since = until - DAY if since is None else since
    if not 0 <= since < until:
        raise BadRequest("since: it lies before `until`, and after 1970", param="since")
    if until - since > MOST_DAYS * DAY:
        raise BadRequest(f"since: at most {MOST_DAYS} days before `until`", param="since")
    return since, until


def _both(log: LogReader, since: float, until: float, now: float, narrowed: Mapping[str, str]) -> tuple[Summed, Summed]:
    """The time before, as long and without latencies, and the time itself."""
    earlier = max(0.0, since - (until - since))
    return read_sums(log, earlier, since, now, narrowed, whole=True), read_sums(log, since, until, now, narrowed)


def group_of(name: str, sums: Sequence[Sum], whole: Sequence[float] | None) -> Group:
    """The figures of these sums; shares are of `whole`, an element for each of `FIGURES`, None: of themselves."""
    figures = [sum(column) for column in zip(*(one.figures for one in sums), strict=True)] or [0.0] * len(FIGURES)
    latency: dict[int, int] = {}
    for one in sums:
        merged(latency, one.latency)
    of = dict(zip(FIGURES, figures, strict=True))
    requests = of["requests"]
    all_requests, all_cost = (requests, of["cost"]) if whole is None else (whole[_AT["requests"]], whole[_AT["cost"]])
    return Group(
        name,
        int(requests),
        of["cost"],
        _share(requests, all_requests),
        _share(of["cost"], all_cost),
        percentile(latency, 0.5),
        percentile(latency, 0.95),
        int(of["checked"]),
        of["passed"] / of["checked"] if of["checked"] else None,
        _share(of["failed"], requests),
        int(of["flagged"]),
        _share(of["fallbacks"], requests),
        _share(of["escalations"], requests),
        int(of["by_tools"]),
        int(of["input_tokens"]),
        int(of["output_tokens"]),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def groups_of(found: Summed, place: int, order: Sequence[str]) -> list[Group]:
    """One for each name, those of the spec in its order, then the others by requests."""
    by_name: dict[str, list[Sum]] = {}
    for key, total in found.sums:
        by_name.setdefault(str(key[place]), []).append(total)
    whole = [sum(column) for column in zip(*(total.figures for _, total in found.sums), strict=True)]
    made = [group_of(name, sums, whole) for name, sums in by_name.items()]
    return sorted(made, key=lambda one: (order.index(one.name) if one.name in order else len(order), -one.requests))


def order_of(loaded: Loaded, dimension: str) -> list[str]:
    """Tiers and models as the spec has them, cheapest first; the rest by traffic."""
    if dimension == "tier":
        return [*loaded.spec.tiers]
    if dimension == "model":
        return [name for tier in loaded.spec.tiers for name, model in loaded.models.items() if model.tier == tier]
    return []


def _series(found: Summed, loaded: Loaded) -> dict[str, Any]:
    """The figures over time: a value for each span, None where nothing happened that could give one."""
    times = range(found.since, found.until, found.span)
    at: dict[int, list[Sum]] = {}
    by_tier: dict[tuple[int, str], list[Sum]] = {}
    for key, total in found.sums:
        at.setdefault(key[1], []).append(total)
        by_tier.setdefault((key[1], key[4]), []).append(total)
    groups = [group_of("", at.get(start, ()), None) for start in times]
    seen = {tier for _, tier in by_tier}
    tiers = [*(tier for tier in loaded.spec.tiers if tier in seen), *sorted(seen - {*loaded.spec.tiers})]

    def each(value: Callable[[Group], float | None]) -> list[float | None]:
        return [value(group) if group.requests else None for group in groups]

    return {
        "times": [*times],
        "requests": {tier: [_total(by_tier.get((start, tier), ()), "requests") for start in times] for tier in tiers},
        "cost": {tier: [_total(by_tier.get((start, tier), ()), "cost") for start in times] for tier in tiers},
        "latency_p50": each(lambda group: group.latency_p50),
        "latency_p95": each(lambda group: group.latency_p95),
        "pass_rate": each(lambda group: group.pass_rate),
        "failed_rate": each(lambda group: group.failed_rate),
        "fallback_rate": each(lambda group: group.fallback_rate),
        "escalation_rate": each(lambda group: group.escalation_rate),
    }


def _total(sums: Iterable[Sum], figure: str) -> float:
    return sum(one.figures[_AT[figure]] for one in sums)


def _all_best(found: Summed, loaded: Loaded) -> Baseline | None:
    """None where the dearest tier has no model whose price is known, or no model answered."""
    models = [
        model
        for model in loaded.models.values()
        if model.tier == loaded.spec.tiers[-1] and model.price.known and "chat" in model.capabilities
    ]
    answered = [(key, total) for key, total in found.sums if total.figures[_AT["answered"]]]
    if not models or not answered:
        return None
    tokens = [int(_total((total for _, total in answered), name)) for name in ("final_input", "final_output", "final_cached")]

    def cost(model: Model) -> float:
        return model.price.cost(tokens[0], tokens[1], tokens[2])

    cheapest = min(models, key=cost)
    return Baseline(cheapest.name, cheapest.tier, _total((total for _, total in answered), "cost"), cost(cheapest))


def _bands(loaded: Loaded) -> dict[str, Any]:
    """The usual shares, by the names that the spec gives its first and its last tier."""
    tiers = loaded.spec.tiers
    return {tiers[0]: BANDS["fast"], tiers[-1]: BANDS["best"]} if len(tiers) > 1 else {}
