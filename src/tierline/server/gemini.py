"""Gemini's endpoints: the model and what is asked of it stand in the path, `/v1beta/models/{model}:{verb}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from tierline.dialects.gemini import Gemini
from tierline.server.completions import Completions
from tierline.server.errors import NotFound
from tierline.server.events import Events, JsonArray
from tierline.server.exchange import Exchange
from tierline.server.headers import ESTIMATE, JSON


class GeminiCalls(Completions):
    """The handlers of Gemini's wire format."""

    def __init__(self, dialect: Gemini) -> None:
        super().__init__(dialect)
        self._gemini = dialect
        self._verbs: Mapping[str, Callable[[Exchange, str], Awaitable[None]]] = {
            "generateContent": self._generate,
            "streamGenerateContent": self._stream,
            "countTokens": self._count,
            "embedContent": self._embed,
            "batchEmbedContents": self._embed,
        }

    async def of_model(self, exchange: Exchange) -> None:
        """POST /v1beta/models/{model}:{verb}, and the same below /v1; raises NotFound for verbs that are not here."""
        model, _, verb = exchange.rest.rpartition(":")
        handler = self._verbs.get(verb)
        if handler is None or not model:
            raise NotFound(f"write models/{{model}}:{' or :'.join(self._verbs)}, not {exchange.rest[:60]!r}")
        await handler(exchange, model)

    async def _generate(self, exchange: Exchange, model: str) -> None:
        body = await exchange.joined()
        request = msgspec.structs.replace(self._gemini.parse(body), model=model, stream=False)
        await self.whole(exchange, self.asked(exchange, request, body))

    async def _stream(self, exchange: Exchange, model: str) -> None:
        """Server-sent events with `?alt=sse`, else one JSON array."""
        body = await exchange.joined()
        request = msgspec.structs.replace(self._gemini.parse(body), model=model, stream=True)
        events = parse_qs(exchange.incoming.query_string).get("alt") == ["sse"]
        client = Events(exchange) if events else JsonArray(exchange, self._gemini.array_writer())
        await self.stream(exchange, self.asked(exchange, request, body), client)

    async def _embed(self, exchange: Exchange, model: str) -> None:
        body = await exchange.joined()
        request = msgspec.structs.replace(self._gemini.parse(body, "embeddings"), model=model)
        await self.whole(exchange, self.asked(exchange, request, body))

    async def _count(self, exchange: Exchange, model: str) -> None:
        """Tierline's own estimate, marked as one. Nothing is called and nothing is logged."""
        body = await exchange.body()
        asked = self.asked(exchange, msgspec.structs.replace(self._gemini.parse_count(body), model=model), body)
        tokens = exchange.gateway.rehearse(asked).features.input_tokens
        exchange.reply(200, [JSON, ESTIMATE], self._gemini.render_count(tokens))
