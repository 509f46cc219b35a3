"""What callers and machines ask besides answers: which models there are, is it healthy, the metrics, and what they thought of an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tierline import __version__
from tierline.gateway.books import Books
from tierline.gateway.gateway import Gateway
from tierline.gateway.reload import Live
from tierline.gateway.together import Together
from tierline.ledger.feedback import Feedback, Kind, check
from tierline.ledger.notes import Heard
from tierline.server.errors import NoSuchDecision
from tierline.server.exchange import Exchange
from tierline.server.headers import JSON
from tierline.server.metrics import Meters
from tierline.types.access import Key
from tierline.types.errors import BadRequest, UnknownModel

ENDPOINTS = (
    "POST /v1/chat/completions",
    "POST /v1/responses",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "POST /v1beta/models/{model}:generateContent",
    "POST /v1beta/models/{model}:streamGenerateContent",
    "POST /v1beta/models/{model}:countTokens",
    "POST /v1/embeddings",
    "GET /v1/models",
    "POST /v1/route",
    "POST /v1/feedback",
    "GET /health/readiness",
    "GET /metrics",
    "GET /openapi.json",
)


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /v1/feedback."""

    decision: str
    score: float | None = None
    accept: bool | None = None
    correction: str | None = None
    tool_success: bool | None = None
    kind: Kind = ""


class Public:
    """Handlers that change nothing, but for feedback."""

    def __init__(self, live: Live, books: Books, meters: Meters, together: Together | None = None) -> None:
        self._live = live
        self._books = books
        self._meters = meters
        self._together = together
        self.draining = False

    async def root(self, exchange: Exchange) -> None:
        """GET / and HEAD /: what this is."""
        exchange.json({"name": "tierline", "version": __version__, "endpoints": ENDPOINTS})

    async def models(self, exchange: Exchange) -> None:
        """GET /v1/models and /v1beta/models: every name that this key may use as `model`, in the shape of the client's dialect."""
        listed = list(self._listed(exchange.gateway, exchange.key))
        exchange.reply(200, [JSON], exchange.dialect.render_models(listed))

    async def model(self, exchange: Exchange) -> None:
        """GET /v1/models/{id} and /v1beta/models/{id}: that entry of the list."""
        for entry in self._listed(exchange.gateway, exchange.key):
            if entry["id"] == exchange.rest:
                exchange.json(_only(exchange.dialect.render_models([entry])))
                return
        raise UnknownModel(f"no model {exchange.rest[:100]!r} here; GET /v1/models lists every name", param="model")

    def _listed(self, gateway: Gateway, key: Key) -> Iterator[Mapping[str, Any]]:
        created = int(self._live.last.at)
        policy = gateway.router.policy
        routes = [name for name in policy.routes if not key.routes or name in key.routes]
        if "auto" in routes:
            yield {"id": "auto", "created": created, "owned_by": "tierline"}
        for route in routes:
            yield {"id": f"auto/{route}", "created": created, "owned_by": "tierline"}
        for tier in policy.fleet.tiers:
            yield {"id": f"tier/{tier}", "created": created, "owned_by": "tierline"}
        for model in policy.fleet.models:
            if not key.models or model.name in key.models:
                yield {
                    "id": model.name,
                    "created": created,
                    "owned_by": model.provider,
                    "tier": model.tier,
                    "capabilities": model.capabilities,
                }

    async def feedback(self, exchange: Exchange) -> None:
        """POST /v1/feedback: `{"decision": id, "score": 0..1 | "accept": bool | "correction": text | "tool_success": bool}`, one or
        several of them, and `"kind": "user" | "pipeline"`, who speaks through the key.

        A key speaks of its own requests only, an admin of all."""
        given = await exchange.read(Said)
        record = await self._books.ask(lambda _: self._live.log.get(given.decision))
        if record is None or ("admin" not in exchange.key.scopes and record.features.key != exchange.key.name):
            raise NoSuchDecision(f"the log has no decision {given.decision[:40]!r} of yours", param="decision")
        guard, correction = exchange.gateway.guard, given.correction
        if guard is not None and correction is not None:
            correction = guard.words(correction)
        said = Feedback(
            given.decision, time.time(), given.score, given.accept, correction, exchange.key.name, given.tool_success, given.kind
        )
        try:
            check(said)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        await self._books.note(Heard(said))
        exchange.json({"decision": given.decision, "kept": True})

    async def liveness(self, exchange: Exchange) -> None:
        """GET /health/liveness: the process runs."""
        exchange.json({"status": "alive"})

    async def readiness(self, exchange: Exchange) -> None:
        """GET /health and /health/readiness: whether requests can be taken now, and if not, why."""
        log = self._live.log.problem
        problems = [text for text in ("the gateway is draining" if self.draining else "", log and f"decision log: {log}") if text]
        gateway, seen = exchange.gateway, self._live.world.seen()
        exchange.json(
            {
                "status": "not ready" if problems else "ready",
                "problems": problems,
                "policy": gateway.loaded.fingerprint,
                "spec_refused": bool(self._live.last.problem),
                "models": len(gateway.lanes),
                "resting": [name for name, model in seen.items() if all(door.rest for door in model.doors)],
                "pressure": {name: model.pressure for name, model in seen.items() if model.pressure},
                "calls_waiting": sum(model.waiting for model in seen.values()),
                "log_rows_waiting": self._live.log.waiting,
                "log_backlog": self._live.log.backlog,
                "log_behind": self._live.log.behind,
                "ledger_away": self._books.away,
                "shared": None if self._together is None else self._together.seen,
            },
            503 if problems else 200,
        )

    async def metrics(self, exchange: Exchange) -> None:
        """GET /metrics, in Prometheus's text format, or in that of OpenMetrics for who accepts it."""
        self.gauges()
        text, content_type = self._meters.exposition(exchange.headers.get("accept") or "")
        exchange.reply(200, [("content-type", content_type)], text)

    def gauges(self) -> None:
        """Bring every gauge up to date."""
        meters, live = self._meters, self._live
        meters.in_flight.set(live.gateway.in_flight)
        meters.waiting.set(live.log.waiting)
        meters.backlog.set(live.log.backlog)
        meters.world.show(live.world.seen())
        if live.pool is not None:
            meters.shadows.show(live.pool.running, live.pool.waiting)
        meters.budgets.show(live.world.budgets.seen())
        meters.at_work(live.last_taken)
        if self._together is not None:
            meters.shared.show(self._together.seen)


def _only(listed: bytes) -> Any:
    """The one entry of a list of models, whatever the list is called in its dialect."""
    return next(value for value in msgspec.json.decode(listed).values() if isinstance(value, list))[0]
