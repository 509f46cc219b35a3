"""The endpoints that answer with a model, whole or streamed, in the dialect of whoever asks; and the dry run beside them."""

from __future__ import annotations

from tierline.gateway.answered import Answered
from tierline.gateway.asked import Asked
from tierline.gateway.classify import classifier_for
from tierline.gateway.downstream import ClientGone
from tierline.gateway.prepare_steps import kind_of
from tierline.interfaces import Dialect
from tierline.routing.explain import explain
from tierline.routing.explain_tools import asked_first, preceded
from tierline.server import headers
from tierline.server.events import Events
from tierline.server.exchange import Exchange
from tierline.server.hints import hints_of
from tierline.types.errors import BadRequest, ClientClosed, UpstreamFailed
from tierline.types.request import Kind, Request


class Completions:
    """The handlers of one wire format. `passed` names the client's headers that an upstream of the same format is to see."""

    def __init__(self, dialect: Dialect, passed: tuple[str, ...] = ()) -> None:
        self._dialect = dialect
        self._passed = passed

    async def answer(self, exchange: Exchange) -> None:
        """POST /v1/chat/completions, /v1/responses or /v1/messages."""
        body = await exchange.joined()
        asked = self.asked(exchange, self._dialect.parse(body), body)
        if asked.request.stream:
            await self.stream(exchange, asked, Events(exchange))
        else:
            await self.whole(exchange, asked)

    async def embeddings(self, exchange: Exchange) -> None:
        """POST /v1/embeddings."""
        body = await exchange.joined()
        kind: Kind = "embeddings"
        await self.whole(exchange, self.asked(exchange, self._dialect.parse(body, kind), body))

    async def route(self, exchange: Exchange) -> None:
        """POST /v1/route: the decision that this body would get, explained. Nothing is called and nothing is logged."""
        body = await exchange.body()
        asked = self.asked(exchange, self._dialect.parse(body), body)
        gateway = exchange.gateway
        weighed = gateway.rehearse(asked)
        told = explain(gateway.at(weighed.decision).router, weighed.features, weighed.scores, weighed.view, weighed.decision)
        steps = [(kind_of(step), getattr(step, kind_of(step))) for step in gateway.preparations.of(weighed.request)]
        small = classifier_for(gateway.classifiers, weighed)
        tools = [asked.tool.name for asked in gateway.tools.of(weighed.request)]
        told = preceded(told, asked_first(tools, steps, "" if small is None else small.model))
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

    def asked(self, exchange: Exchange, request: Request, body: bytes) -> Asked:
        """A parsed request with what its headers say of it; raises BadRequest."""
        most = exchange.gateway.loaded.spec.server.max_messages
        if len(request.messages) > most:
            raise BadRequest(f"messages: {len(request.messages)} are over the limit of {most} (`server.max_messages`)", param="messages")
        passed = tuple([(name, value) for name in self._passed if (value := exchange.headers.get(name)) is not None])
        return Asked(
            request,
            exchange.key,
            hints_of(exchange.headers, request.raw),
            body,
            exchange.started,
            passed,
            exchange.turn,
            trace=exchange.trace,
        )

    async def whole(self, exchange: Exchange, asked: Asked) -> None:
        """Answer all at once."""
        answered = await exchange.gateway.answer(asked)
        exchange.logged = True
        if exchange.turn is not None:
            exchange.turn.settle(answered.tokens)
        said = headers.of_answer(exchange.gateway, answered)
        await exchange.turns.go_on()
        if answered.error is None and answered.answer is not None:
            exchange.reply(200, [headers.JSON, *said], answered.answer.body)
        else:
            self._failed(exchange, answered, said)

    async def stream(self, exchange: Exchange, asked: Asked, client: Events) -> None:
        """Answer event by event; what goes wrong after the first content is the dialect's error event, and the end of the stream."""
        try:
            answered = await exchange.gateway.answer(asked, client)
            exchange.logged = True
        except BaseException:
            client.let_go()
            raise
        finally:
            exchange.answered = client.begun
        if exchange.turn is not None:
            exchange.turn.settle(answered.tokens)
        if not client.begun:
            self._failed(exchange, answered, headers.of_answer(exchange.gateway, answered))
            return
        try:
            if answered.error is not None and answered.result.truncated:
                await client.send(self._dialect.render_error_event(answered.error))
            await client.end()
        except ClientGone:
            client.let_go()

    def _failed(self, exchange: Exchange, answered: Answered, said: headers.Headers) -> None:
        """An error that came after the decision, with the headers that tell about it."""
        error = answered.error
        assert error is not None
        if isinstance(error, ClientClosed):
            raise error
        body = error.body if isinstance(error, UpstreamFailed) else b""
        exchange.reply(error.status, [headers.JSON, *headers.of_error(error), *said], body or self._dialect.render_error(error))
