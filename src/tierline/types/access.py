"""Who calls, and where providers and sources are reached: the resolved forms of the spec's `keys`, `providers` and `sources`."""

from __future__ import annotations

from typing import Literal

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """The most requests and tokens in so many seconds; None: as many as come."""

    requests: int | None = None
    tokens: int | None = None
    per: float = 60.0


class Key(msgspec.Struct, frozen=True):
    """An API key without its secret. Empty `routes` and `models` mean: all of them; `max_concurrency` is of its requests in flight;
    after `expires` (Unix seconds) it opens nothing.

    `minted`: it was made while the spec stood, and the spec does not know it. What it may reach then travels with each of its requests,
    among the features, so that the decision can be made again when the key is gone."""

    name: str
    scopes: frozenset[str] = frozenset({"call"})
    routes: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    team: str = ""
    task: str = ""
    owner: str = ""
    rate: Rate | None = None
    max_concurrency: int | None = None
    expires: float | None = None
    minted: bool = False

    @property
    def limited(self) -> bool:
        """Whether its requests are counted."""
        return self.rate is not None or self.max_concurrency is not None


ANYONE = Key(name="", scopes=frozenset({"call", "read", "admin"}))
"""Who calls a gateway without keys, which listens on loopback only."""


class Door(msgspec.Struct, frozen=True):
    """One way in to a provider: an address with a secret. `name` never tells the secret: the provider's own, with a number (`openai#2`)
    where there are several. Its repr shows neither secret nor address."""

    name: str
    base_url: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Door({self.name!r})"


class Endpoint(msgspec.Struct, frozen=True):
    """A provider, resolved: preset merged, secrets read. `auth` says how a call signs in: `bearer` or a header's name (the secret travels
    so), `none`, or a cloud's own credentials: `google` (of the service-account file `credentials`, else the machine's), `azure`, `aws`.

    `base_urls` and `secrets` are given where there are several of them, in place of `base_url` and `secret`. Seconds for every time-out.
    `table` and `script` belong to the recorded and scripted kinds. Its repr never shows a secret."""

    name: str
    kind: str = "http"
    dialect: str = "openai_chat"
    base_url: str = ""
    auth: str = "bearer"
    secret: str = ""
    base_urls: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    credentials: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    residency: str = ""
    region: str = ""
    connect_timeout: float = 5.0
    timeout: float = 60.0
    idle_timeout: float = 60.0
    table: str = ""
    script: dict[str, object] = {}

    @property
    def doors(self) -> tuple[Door, ...]:
        """Every way in: each address with each secret, by address first. There is always one."""
        ways = [(url, secret) for url in self.base_urls or (self.base_url,) for secret in self.secrets or (self.secret,)]
        if len(ways) == 1:
            return (Door(self.name, *ways[0]),)
        return tuple(Door(f"{self.name}#{number}", *way) for number, way in enumerate(ways, 1))

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r}, {self.kind!r}, {self.dialect!r}, {self.base_url!r})"


class Source(msgspec.Struct, frozen=True):
    """A database or a service for tools first, its secrets read. Its repr shows neither address nor headers: both may hold one."""

    name: str
    url: str
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Source({self.name!r})"


class Webhook(msgspec.Struct, frozen=True):
    """Whom alerts are sent to, its secrets read. Its repr shows neither address nor secret: a webhook's address often is one. `place` is
    what messages call it."""

    place: str
    url: str
    shape: Literal["json", "slack"] = "json"
    secret: str = ""

    def __repr__(self) -> str:
        return f"Webhook({self.place!r})"
