"""The endpoints that answer with a model: chat completions and embeddings, whole or streamed, and the dry run beside them."""

from __future__ import annotations

from typing import Any

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from tierline.gateway.downstream import ClientGone, Opening
from tierline.gateway.gateway import Answered, Asked, Gateway
from tierline.interfaces import Dialect
from tierline.routing.explain import explain
from tierline.server import headers
from tierline.server.exchange import Exchange
from tierline.server.hints import hints_of
from tierline.types.errors import BadRequest, ClientClosed, UpstreamFailed
from tierline.types.request import Kind


class Completions:
    """The handlers of one wire format."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    async def chat(self, exchange: Exchange) -> None:
        """POST /v1/chat/completions."""
        asked = await self._asked(exchange, "chat")
        if asked.request.stream:
            await self._stream(exchange, asked)
        else:
            await self._whole(exchange, asked)

    async def embeddings(self, exchange: Exchange) -> None:
        """POST /v1/embeddings."""
        await self._whole(exchange, await self._asked(exchange, "embeddings"))

    async def route(self, exchange: Exchange) -> None:
        """POST /v1/route: the decision that this body would get, explained. Nothing is called and nothing is logged."""
        asked = await self._asked(exchange, "chat")
        gateway = exchange.gateway
        weighed = gateway.rehearse(asked)
        told = explain(gateway.router, weighed.features, weighed.scores, weighed.view, weighed.decision)
        decision = weighed.decision
        exchange.json(
            {
                "model": decision.target,
                "tier": decision.tier,
                "route": decision.route,
                "task": decision.task,
                "explanation": told,
                "decision": decision,
                "features": weighed.features,
                "scores": weighed.scores,
            }
        )

    async def _asked(self, exchange: Exchange, kind: Kind) -> Asked:
        body = await exchange.body()
        request = self._dialect.parse(body, kind)
        most = exchange.gateway.loaded.spec.server.max_messages
        if len(request.messages) > most:
            raise BadRequest(f"messages: {len(request.messages)} are over the limit of {most} (`server.max_messages`)", param="messages")
        return Asked(request, exchange.key, hints_of(exchange.headers, request.raw), body, exchange.started)

    async def _whole(self, exchange: Exchange, asked: Asked) -> None:
        exchange.waiting = True
        answered = await exchange.gateway.answer(asked)
        said = headers.of_answer(exchange.gateway, answered)
        outcome = answered.result.outcome
        if answered.error is None and outcome is not None and outcome.answer is not None:
            exchange.reply(200, [headers.JSON, *said], outcome.answer.body)
        else:
            self._failed(exchange, answered, said)

    async def _stream(self, exchange: Exchange, asked: Asked) -> None:
        client = _Events(exchange.protocol, exchange.gateway)
        exchange.watch()
        answered = await exchange.gateway.answer(asked, client)
        exchange.answered = client.begun
        if not client.begun:
            self._failed(exchange, answered, headers.of_answer(exchange.gateway, answered))
        elif answered.error is not None and answered.result.truncated:
            await client.send(self._dialect.render_error_event(answered.error))

    def _failed(self, exchange: Exchange, answered: Answered, said: headers.Headers) -> None:
        """An error that came after the decision, with the headers that tell about it."""
        error = answered.error
        assert error is not None
        if isinstance(error, ClientClosed):
            raise error
        body = error.body if isinstance(error, UpstreamFailed) else b""
        exchange.reply(error.status, [headers.JSON, *headers.of_error(error), *said], body or self._dialect.render_error(error))


class _Events:
    """The client's end of one stream."""

    __slots__ = ("_gateway", "_protocol", "_transport", "begun")

    def __init__(self, protocol: Any, gateway: Gateway) -> None:
        self._protocol = protocol
        self._gateway = gateway
        self._transport: Any = None
        self.begun = False

    def begin(self, opening: Opening) -> None:
        self.begun = True
        self._transport = self._protocol.response_stream(200, headers.of_opening(self._gateway, opening))

    async def send(self, data: bytes) -> None:
        try:
            await self._transport.send_bytes(data)
        except ProtocolClosed:
            raise ClientGone from None
