"""The HTTP face on one page: every route, and everything that happens to every request.

limit in flight → find the route → who calls, and may they → handler → errors into the dialect's envelope
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from time import perf_counter

from tierline.gateway.reload import Live
from tierline.server import headers
from tierline.server.admin import Admin, Reviewing
from tierline.server.auth import NotLetIn, Scope, authenticate, permit
from tierline.server.endpoints import Endpoints
from tierline.server.errors import BodyLate, NotFound, WrongMethod, incident, out_of_reach
from tierline.server.exchange import Exchange
from tierline.server.incoming import Incoming
from tierline.server.key_admin import Keeping
from tierline.server.metrics import Meters
from tierline.server.openapi import document
from tierline.server.public import Public
from tierline.server.release_admin import Releasing
from tierline.server.route import Route, Routes
from tierline.server.telemetry import Telemetry
from tierline.types.errors import ClientClosed, LogFailure, RequestError, Unavailable

LOOK = 0.1
"""Seconds between two looks for bodies that do not come."""


class App:
    """The application that answers the server's requests."""

    def __init__(
        self,
        live: Live,
        meters: Meters,
        endpoints: Endpoints,
        public: Public,
        admin: Admin,
        reviewing: Reviewing,
        keeping: Keeping,
        releasing: Releasing,
        panels: Routes,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._live = live
        self._telemetry = telemetry or Telemetry(meters)
        self._ring = keeping.ring
        self._dialects = live.gateway.dialects
        self._openai = self._dialects["openai_chat"]
        self._meters = meters
        self._open: set[Exchange] = set()
        self._stopping = False
        self._exact = {
            ("POST", "/v1/chat/completions"): Route(endpoints.chat.answer, "call", "openai_chat"),
            ("POST", "/v1/embeddings"): Route(endpoints.chat.embeddings, "call", "openai_chat"),
            ("POST", "/v1/responses"): Route(endpoints.responses.answer, "call", "openai_responses"),
            ("POST", "/v1/messages"): Route(endpoints.messages.answer, "call", "anthropic_messages"),
            ("POST", "/v1/messages/count_tokens"): Route(endpoints.messages.count, "call", "anthropic_messages"),
            ("POST", "/v1/route"): Route(endpoints.chat.route, "call", "openai_chat"),
            ("POST", "/v1/feedback"): Route(public.feedback, "call"),
            ("GET", "/v1/models"): Route(public.models, "call"),
            ("GET", "/v1beta/models"): Route(public.models, "call", "gemini"),
            ("GET", "/"): Route(public.root),
            ("HEAD", "/"): Route(public.root),
            ("GET", "/openapi.json"): Route(self.openapi),
            ("GET", "/health"): Route(public.readiness),
            ("GET", "/health/liveness"): Route(public.liveness),
            ("GET", "/health/readiness"): Route(public.readiness),
            ("GET", "/metrics"): Route(public.metrics, "read"),
            ("GET", "/admin/spec"): Route(admin.spec, "admin"),
            ("POST", "/admin/reload"): Route(admin.reload, "admin"),
            ("GET", "/admin/pins"): Route(admin.pins, "admin"),
            ("GET", "/admin/world"): Route(admin.world, "read"),
            ("GET", "/admin/budgets"): Route(admin.budgets, "read"),
            ("POST", "/admin/pins"): Route(admin.pin, "admin"),
            ("GET", "/admin/reviews"): Route(reviewing.list, "read"),
            ("GET", "/admin/releases"): Route(releasing.status, "admin"),
            ("POST", "/admin/releases"): Route(releasing.enter, "admin"),
            ("GET", "/admin/keys"): Route(keeping.list, "admin"),
            ("POST", "/admin/keys"): Route(keeping.create, "admin"),
            ("GET", "/admin/audit"): Route(keeping.audit, "admin"),
            **panels.exact,
        }
        self._below = {
            ("GET", "/v1/models/"): Route(public.model, "call"),
            ("GET", "/v1beta/models/"): Route(public.model, "call", "gemini"),
            ("POST", "/v1beta/models/"): Route(endpoints.gemini.of_model, "call", "gemini"),
            ("POST", "/v1/models/"): Route(endpoints.gemini.of_model, "call", "gemini"),
            ("GET", "/admin/decisions/"): Route(admin.decision, "read"),
            ("DELETE", "/admin/pins/"): Route(admin.unpin, "admin"),
            ("GET", "/admin/reviews/"): Route(reviewing.one, "read"),
            ("POST", "/admin/reviews/"): Route(reviewing.judge, "admin"),
            ("GET", "/admin/keys/"): Route(keeping.one, "admin"),
            ("POST", "/admin/keys/"): Route(keeping.change, "admin"),
            ("DELETE", "/admin/keys/"): Route(keeping.revoke, "admin"),
            **panels.below,
        }

    async def answer(self, incoming: Incoming) -> None:
        """One request, whatever becomes of it."""
        gateway = self._live.gateway
        exchange = Exchange(incoming, gateway, self._openai)
        self._open.add(exchange)
        gateway.in_flight += 1
        try:
            route = self._exact.get((incoming.method, incoming.path)) or self._find(exchange)
            self._speak(exchange, route.dialect)
            if len(self._open) > gateway.loaded.spec.server.max_in_flight:
                raise Unavailable("as many requests are in flight as may be (`server.max_in_flight` in the spec)", retry_after=1.0)
            if (tracer := self._telemetry.tracer) is not None and route.scope == "call" and incoming.method == "POST":
                self._telemetry.begin(exchange, tracer)
            if route.scope:
                query = incoming.query_string if route.dialect == "gemini" else ""
                exchange.key = key = authenticate(exchange.headers, self._ring, gateway.loaded, query)
                permit(key, route.scope)
                if key.limited and route.scope == "call":
                    exchange.count(await self._live.world.turn(key))
            await route.handler(exchange)
        except (asyncio.CancelledError, ClientClosed) as error:
            self._refuse(exchange, self._ended(exchange, error))
        except RequestError as error:
            self._refuse(exchange, error)
        except LogFailure as failure:
            self._refuse(exchange, out_of_reach(failure, exchange.key))
        except Exception as error:
            self._refuse(exchange, incident(error, exchange.incoming.path))
        finally:
            gateway.in_flight -= 1
            self._open.discard(exchange)
            exchange.close()

    def _ended(self, exchange: Exchange, error: BaseException) -> RequestError:
        """Why a request was cancelled."""
        if self._stopping:
            return Unavailable("the gateway stops", retry_after=1.0)
        if exchange.late:
            exchange.incoming.keep = False
            return BodyLate("the body did not come in time (`server.body_timeout` in the spec)")
        return error if isinstance(error, ClientClosed) else ClientClosed("the request was cancelled")

    def cancel_all(self) -> None:
        """Cancel every request in flight; each is logged as cancelled."""
        self._stopping = True
        for exchange in tuple(self._open):
            exchange.incoming.task.cancel()

    async def end_late_bodies(self) -> None:
        """End requests whose body does not come in time, until cancelled. One look at all costs less than a timer for each."""
        while True:
            await asyncio.sleep(LOOK)
            now = perf_counter()
            for exchange in tuple(self._open):
                if exchange.reading and exchange.started < now - exchange.gateway.loaded.spec.server.body_timeout:
                    exchange.give_up()

    @property
    def routes(self) -> list[tuple[str, str, Scope]]:
        """Every method and path that is answered, with the scope that it needs; a path that ends in `/` goes on."""
        return [(method, path, route.scope) for (method, path), route in (*self._exact.items(), *self._below.items())]

    async def openapi(self, exchange: Exchange) -> None:
        """GET /openapi.json: this document."""
        exchange.reply(200, [headers.JSON], self._document)

    @cached_property
    def _document(self) -> bytes:
        return document([(method, path, route) for (method, path), route in (*self._exact.items(), *self._below.items())])

    @property
    def in_flight(self) -> int:
        """Requests being answered now."""
        return len(self._open)

    def _speak(self, exchange: Exchange, dialect: str) -> None:
        """Settle in which dialect the client is answered, errors included: the one given, else the one its headers tell of."""
        if dialect:
            exchange.dialect = self._dialects[dialect]
        elif exchange.headers.get("anthropic-version") is not None:
            exchange.dialect = self._dialects["anthropic_messages"]

    def _find(self, exchange: Exchange) -> Route:
        """The route of a path that is not listed as it stands; raises NotFound or WrongMethod."""
        method, path = exchange.incoming.method, exchange.incoming.path
        self._speak(exchange, "gemini" if path.startswith("/v1beta/") else "")
        for (allowed, prefix), route in self._below.items():
            if allowed == method and path.startswith(prefix) and len(path) > len(prefix):
                exchange.rest = path[len(prefix) :]
                return route
        known = {allowed for allowed, exact in self._exact if exact == path}
        known |= {allowed for allowed, prefix in self._below if path.startswith(prefix) and len(path) > len(prefix)}
        if known:
            raise WrongMethod(f"{path[:100]} takes {' and '.join(sorted(known))}, not {method[:20]}", tuple(sorted(known)))
        raise NotFound(f"there is nothing at {path[:100]}; GET / lists what there is")

    def _refuse(self, exchange: Exchange, error: RequestError) -> None:
        """An error before or instead of an answer, in the dialect's envelope. What has begun is only closed."""
        self._meters.refused.labels(error.code).inc()
        if isinstance(error, NotLetIn):
            self._meters.not_let_in.labels(error.cause).inc()
        self._telemetry.refused(exchange, error)
        if not exchange.answered:
            exchange.reply(error.status, [headers.JSON, *headers.of_error(error)], exchange.dialect.render_error(error))
