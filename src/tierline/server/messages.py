"""Anthropic's endpoints: messages, and the count of their tokens."""

from __future__ import annotations

from tierline.dialects.anthropic_messages import AnthropicMessages
from tierline.server.completions import Completions
from tierline.server.exchange import Exchange
from tierline.server.headers import ESTIMATE, JSON

PASSED = ("anthropic-version", "anthropic-beta")
"""What Anthropic's clients say in headers and its upstreams read."""


class Messages(Completions):
    """The handlers of Anthropic's wire format."""

    def __init__(self, dialect: AnthropicMessages) -> None:
        super().__init__(dialect, PASSED)
        self._messages = dialect

    async def count(self, exchange: Exchange) -> None:
        """POST /v1/messages/count_tokens: Tierline's own estimate, marked as one. Nothing is called and nothing is logged."""
        body = await exchange.body()
        asked = self.asked(exchange, self._messages.parse_count(body), body)
        tokens = exchange.gateway.rehearse(asked).features.input_tokens
        exchange.reply(200, [JSON, ESTIMATE], self._messages.render_count(tokens))
