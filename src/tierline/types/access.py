"""Who calls, and where providers are reached: the resolved forms of the spec's `keys` and `providers`."""

from __future__ import annotations

import msgspec


class Key(msgspec.Struct, frozen=True):
    """An API key without its secret. Empty `routes` and `models` mean: all of them."""

    name: str
    scopes: frozenset[str] = frozenset({"call"})
    routes: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    team: str = ""
    task: str = ""


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
