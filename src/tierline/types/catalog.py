"""The models a spec can reach: where they are, what they cost and what they can do."""

from __future__ import annotations

import msgspec


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    """List price in USD per million tokens. `cache_read` and `cache_write` are for prompt-cache tokens, and default to
    the input price. `known` is false where nobody gave a price: such a model counts as the dearest there is."""

    input: float = 0.0
    output: float = 0.0
    cache_read: float | None = None
    cache_write: float | None = None
    known: bool = True

    def cost(self, input: int, output: int, cached: int = 0, cache_written: int = 0) -> float:
        """USD for one call. `input` counts all input tokens; `cached` and `cache_written` are parts of it.

        Negative counts are read as zero; parts larger than the whole are cut to it."""
        input, output = max(input, 0), max(output, 0)
        if not (cached or cache_written):  # nearly every call
            return (input * self.input + output * self.output) / 1e6
        cached = min(max(cached, 0), input)
        cache_written = min(max(cache_written, 0), input - cached)
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        plain = input - cached - cache_written
        return (plain * self.input + cached * read + cache_written * write + output * self.output) / 1e6


class Model(msgspec.Struct, frozen=True):
    """One upstream model at one endpoint, everything resolved at load.

    `context` is the window in tokens (0: unknown, never a reason to drop it); `max_output` likewise. `capabilities` are words
    of `features.CAPABILITIES`. `source` says where price and capabilities came from: `spec`, `catalogue` or `unknown`."""

    name: str
    tier: str
    provider: str
    upstream: str
    price: Price = Price()
    context: int = 0
    max_output: int = 0
    capabilities: tuple[str, ...] = ("chat",)
    residency: str = ""
    region: str = ""
    max_concurrency: int | None = None
    max_queue: int = 100
    source: str = "spec"
