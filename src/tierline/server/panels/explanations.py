"""One decision, explained: what it was taken for, who stood, what came of each attempt, what was said of the answer, and what another spec
would have decided."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.load import load
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.changes import kind_of
from tierline.evaluation.replay.logged import of_record
from tierline.ledger.specs import KeptSpec
from tierline.routing.explain import Explanation, explain
from tierline.routing.explain_tools import explain_row
from tierline.routing.refusal import fall
from tierline.routing.router import Router
from tierline.server.errors import NoSuchDecision
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.types.decision import Decision, Why
from tierline.types.errors import BadRequest, SpecInvalid
from tierline.types.record import Record, Tried
from tierline.types.scores import Scores

SPECS_KNOWN = 8
"""Specs of the past that are kept compiled."""

SPECS_LISTED = 200
"""Kept specs that are offered for a replay, the newest first."""

LONGEST_TEXT = 200_000
"""Characters of a kept prompt and answer that are shown."""

_SIDE_BY_SIDE = ("branch", "hedge")


class Under(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/replays/{id}: the fingerprint of a kept spec as `policy`, or a whole spec in YAML as `spec`."""

    policy: str = ""
    spec: str = ""


class Explanations:
    """Handlers for keys with the scope `read`; prompts, answers and specs of one's own are for `admin` alone."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._known: dict[str, Decider | None] = {}

    async def show(self, exchange: Exchange) -> None:
        """GET /admin/explanations/{id}: one decision in sentences, its candidates, its attempts over time, its costs, what was said of the
        answer, and the words themselves where they are kept and the key may see them."""
        record = await self._record(exchange)
        decision, request_id = record.decision, record.decision.request_id
        decider = await self._decider(exchange, decision)
        explained = None
        if decider is not None and record.error != "internal_error":
            explained = explain_row(decider, record)
        said = await self._ground.books.ask(
            lambda ledger: {
                "feedback": ledger.feedback.of(request_id),
                "labels": ledger.labels.of(request_id),
                "review": ledger.reviews.get(request_id),
            }
        )
        text, why_not = await self._text(exchange, request_id)
        exchange.json(
            {
                "record": _told(record),
                "explanation": explained,
                "unexplained": "" if explained else f"The spec that decided it ({decision.policy}) is not kept, or means something else.",
                "candidates": [] if decider is None else list(_candidates(decider, decision, record.scores, explained)),
                "attempts": list(_attempts(record)),
                "features": record.features,
                "scores": record.scores,
                "view": record.view,
                **said,
                "text": text,
                "text_missing": why_not,
            }
        )

    async def replay(self, exchange: Exchange) -> None:
        """POST /admin/replays/{id}: what another spec decides on the same request, by the code that replays whole logs. `{"policy":
        fingerprint}` names one that is kept; `{"spec": "..."}` gives one, and needs the scope `admin`. Nothing is called or changed."""
        asked = await exchange.read(Under)
        record = await self._record(exchange)
        if asked.spec:
            if "admin" not in exchange.key.scopes:
                raise BadRequest("spec: a spec of one's own needs a key with the scope `admin`; name a kept one as `policy`", param="spec")
            decider = await asyncio.to_thread(_written, exchange.gateway.loaded.path, asked.spec)
        else:
            found = await self._kept(asked.policy)
            if found is None:
                raise BadRequest(f"policy: no spec {asked.policy[:40]!r} is kept, or it no longer means the same", param="policy")
            decider = found
        row = of_record(record)
        again = await asyncio.to_thread(decider.again, row)
        kind, why = kind_of(row, again, decider.router)
        now = again.decision
        told = None if now is None else explain(decider.router, record.features, again.scores, record.view, now)
        exchange.json(
            {
                "policy": decider.router.policy.fingerprint,
                "same": now is not None and now.target == record.decision.target and now.task == record.decision.task,
                "kind": kind,
                "why": why,
                "before": _plan(record.decision),
                "after": None if now is None else _plan(now),
                "explanation": told,
                "refused": again.refused,
                "notes": list(_notes(again.stale, again.unscored, again.blind)),
            }
        )

    async def specs(self, exchange: Exchange) -> None:
        """GET /admin/specs: the fingerprints of the specs that are kept, the newest first, and when each was first seen (Unix seconds)."""
        kept = await self._ground.books.ask(lambda ledger: ledger.specs.list())
        newest = sorted(kept, key=lambda one: -one.first_seen)[:SPECS_LISTED]
        exchange.json({"specs": [{"policy": one.fingerprint, "first_seen": one.first_seen} for one in newest]})

    async def _record(self, exchange: Exchange) -> Record:
        record = await asyncio.to_thread(self._ground.live.log.get, exchange.rest)
        if record is None:
            raise NoSuchDecision(f"the log has no decision {exchange.rest[:40]!r}")
        return record

    async def _decider(self, exchange: Exchange, decision: Decision) -> Router | None:
        """Who decided: a spec at work, or one that is kept."""
        answering = exchange.gateway.at(decision)
        if answering.loaded.fingerprint == decision.policy:
            return answering.router
        kept = await self._kept(decision.policy)
        return None if kept is None else kept.router

    async def _kept(self, policy: str) -> Decider | None:
        if policy not in self._known:
            kept = await self._ground.books.ask(lambda ledger: ledger.specs.get(policy))
            path = self._ground.live.gateway.loaded.path
            decider = None if kept is None else await asyncio.to_thread(_revived, path, kept)
            while len(self._known) >= SPECS_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[policy] = decider
        return self._known[policy]

    async def _text(self, exchange: Exchange, request_id: str) -> tuple[str | None, str]:
        """The words of a request, or why there are none."""
        if "admin" not in exchange.key.scopes:
            return None, "Prompts and answers are shown to keys with the scope admin."
        found = await self._ground.read(lambda log: log.text(request_id))
        if found is None:
            return None, "The words are not kept: `log_text` of its route says whose are, and for how long `decision_log.text_retention`."
        return found.decode("utf-8", "replace")[:LONGEST_TEXT], ""


def routes(ground: Ground) -> Routes:
    """The addresses."""
    panel = Explanations(ground)
    below = {("GET", "/admin/explanations/"): Route(panel.show, "read"), ("POST", "/admin/replays/"): Route(panel.replay, "read")}
    return Routes({("GET", "/admin/specs"): Route(panel.specs, "read")}, below)


def _revived(path: Path, kept: KeptSpec) -> Decider | None:
    """A kept spec, compiled as if it stood where the one at work does; None where it no longer means the same."""
    try:
        loaded = load(path, {}, need_secrets=False, alone=True, written=kept.canonical)
    except SpecInvalid:
        return None
    return Decider(Router(loaded)) if loaded.fingerprint == kept.fingerprint else None


def _written(path: Path, text: str) -> Decider:
    try:
        return Decider(Router(load(path, {}, need_secrets=False, alone=True, written=text.encode())))
    except SpecInvalid as invalid:
        raise BadRequest(invalid.message, param="spec") from None


def _told(record: Record) -> dict[str, Any]:
    """The record without what is told elsewhere."""
    decision = record.decision
    return {
        "request_id": decision.request_id,
        "at": record.at,
        "policy": decision.policy,
        "route": decision.route,
        "task": decision.task,
        "arm": decision.arm,
        "propensity": decision.propensity,
        "margin": decision.margin,
        "deadline": decision.deadline,
        "max_cost": decision.max_cost,
        "model": record.model,
        "answered": record.answered,
        "status": record.status,
        "error": record.error,
        "stopped": record.stopped,
        "flagged": record.flagged,
        "truncated": record.truncated,
        "overhead": record.overhead,
        "cost": record.cost,
        "asides": record.asides,
        "explored": any(reason.why == Why.EXPLORED for reason in decision.reasons),
        "target": decision.target,
        "tier": next((step.tier for step in decision.steps if record.model in step.targets), decision.tier),
        "steps": decision.steps,
    }


def _plan(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in ("target", "tier", "task", "steps", "propensity")}


def _candidates(router: Router, decision: Decision, scores: Scores, explained: Explanation | None) -> Iterator[dict[str, Any]]:
    """Every model that stood, with what was believed of it, then every one that fell, and why."""
    tiers = {model.name: model.tier for model in router.policy.fleet.models}
    planned = [target for step in decision.steps for target in step.targets]
    for name, quality, source, cost in () if explained is None else explained.standing:
        place = planned.index(name) + 1 if name in planned else None
        yield {"model": name, "tier": tiers.get(name, ""), "quality": quality, "source": source, "cost": cost, "place": place, "fell": ""}
    for dropped in decision.dropped:
        believed = scores.good.get(dropped.model)
        told = {"quality": believed, "source": "", "cost": None, "place": None, "fell": fall(dropped)}
        yield {"model": dropped.model, "tier": tiers.get(dropped.model, ""), **told}


def _attempts(record: Record) -> Iterator[dict[str, Any]]:
    """Each attempt with when it began, in seconds from the request's start, as far as the log tells: one after the other, but for those
    that ran side by side."""
    begun = at = sum(aside.elapsed for aside in record.asides)
    for place, tried in enumerate(record.tried):
        beside = tried.cause in _SIDE_BY_SIDE and place > 0
        start = begun + ((record.decision.hedge or 0.0) if tried.cause == "hedge" else 0.0) if beside else at + tried.wait
        begun = begun if beside else start
        at = max(at, start + tried.elapsed)
        yield {**_attempt(tried), "start": start, "winner": place == record.winner}


def _attempt(tried: Tried) -> dict[str, Any]:
    return {name: getattr(tried, name) for name in Tried.__struct_fields__ if name not in ("usage", "verdicts", "asides")} | {
        "usage": _named(tried.usage),
        "verdicts": [_named(verdict) for verdict in tried.verdicts],
        "asides": [_named(aside) for aside in tried.asides],
    }


def _named(value: msgspec.Struct) -> dict[str, Any]:
    """A struct that travels as an array, by its fields' names."""
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _notes(stale: bool, unscored: bool, blind: bool) -> Iterator[str]:
    if stale:
        yield "Its scores are another scorer's than this spec names."
    if unscored:
        yield "This spec would ask what nobody has said of this request: its scores are missing."
    if blind:
        yield "This spec reads latencies that were not kept with this row."
