"""Prices, windows and capabilities of well-known models: a snapshot that ships with the package.

`catalogue.json.gz` holds it, one table a provider; a table is decoded when a spec first asks for it. `catalogue_build` makes the
snapshot and says where each fact comes from.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from tierline.config.problems import did_you_mean
from tierline.types.catalog import Price
from tierline.types.features import CAPABILITIES

_DATED = re.compile(r"(-\d{4}-\d{2}-\d{2}|-\d{8}|-latest)$")
_ROUTED = re.compile(r"^(?:models/|accounts/[^/]+/models/)")


class Facts(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What is known of one model. Prices in USD per million tokens, None where unknown; `context` and `max_output` in tokens, 0 where
    unknown; `bits` holds the capabilities in the order of `CAPABILITIES`, None where unknown; `retired` is the day on which its
    provider stops serving it (ISO 8601), empty where none is known; `priced_by` names the source of the price."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    context: int = 0
    max_output: int = 0
    bits: int | None = None
    retired: str = ""
    priced_by: str = ""

    @property
    def price(self) -> Price | None:
        """The price, None where nobody knows it; an embedding model has none for output."""
        embeds = self.capabilities == ("embeddings",)
        if self.input is None or (self.output is None and not embeds):
            return None
        return Price(self.input, self.output or 0.0, self.cache_read, self.cache_write)

    @property
    def capabilities(self) -> tuple[str, ...] | None:
        """Words of `CAPABILITIES`, None where unknown."""
        if self.bits is None:
            return None
        return tuple(word for bit, word in enumerate(CAPABILITIES) if self.bits >> bit & 1)


def bits(capabilities: set[str]) -> int:
    """Capabilities as `Facts` keeps them."""
    return sum(1 << bit for bit, word in enumerate(CAPABILITIES) if word in capabilities)


class About(msgspec.Struct, frozen=True):
    """Where a snapshot comes from: source → version and licence, and the day it was made (ISO 8601)."""

    made: str
    sources: Mapping[str, str]


class Snapshot(msgspec.Struct, frozen=True):
    """The whole file: each provider's table is decoded only when it is asked for."""

    about: About
    providers: Mapping[str, msgspec.Raw]


class Catalogue:
    """Looks models up. `digest` (12 hex digits) stands for every fact in it."""

    def __init__(self, packed: bytes) -> None:
        content = gzip.decompress(packed)
        snapshot = msgspec.json.decode(content, type=Snapshot)
        self.about = snapshot.about
        self.digest = hashlib.sha256(content).hexdigest()[:12]
        self._raw = snapshot.providers
        self._tables: dict[str, dict[str, Facts]] = {}

    @property
    def providers(self) -> tuple[str, ...]:
        """Every provider it knows."""
        return tuple(self._raw)

    def table(self, provider: str) -> Mapping[str, Facts]:
        """Every model of one provider by upstream name; empty for a provider it does not know."""
        if provider not in self._tables:
            raw = self._raw.get(provider)
            self._tables[provider] = {} if raw is None else msgspec.json.decode(raw, type=dict[str, Facts])
        return self._tables[provider]

    def find(self, provider: str, upstream: str) -> Facts | None:
        """What is known of a model by the name its upstream uses; a date or `-latest` at its end, or the provider before it, may differ."""
        table = self.table(provider)
        for name in spellings(provider, upstream):
            if name in table:
                return table[name]
        return None

    def nearest(self, provider: str, upstream: str) -> str:
        """A suggestion for a name it does not know."""
        hint = did_you_mean(upstream, self.table(provider))
        return hint if hint.startswith("did you mean") else ""


def spellings(provider: str, upstream: str) -> tuple[str, ...]:
    """The names under which the catalogue may hold a model, the most exact first."""
    plain = _ROUTED.sub("", upstream.lower())
    plain = plain.removeprefix(f"{provider}/")
    undated = _DATED.sub("", plain)
    return tuple(dict.fromkeys((upstream, upstream.lower(), plain, undated)))


@cache
def shipped() -> Catalogue:
    """The snapshot in this package."""
    return Catalogue(resources.files("tierline.config").joinpath("catalogue.json.gz").read_bytes())
