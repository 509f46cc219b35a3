"""Who calls, and where providers and sources are reached: the resolved forms of the spec's `keys`, `providers` and `sources`."""

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


class Endpoint(msgspec.Struct, frozen=True):
    """A provider, resolved: preset merged, secrets read. `auth` says how a call signs in: `bearer` or a header's name (the secret travels
    so), `none`, or a cloud's own credentials: `google` (of the service-account file `credentials`, else the machine's), `azure`, `aws`.

    Seconds for every time-out. `table` and `script` belong to the recorded and scripted kinds. Its repr never shows the secret."""

    name: str
    kind: str = "http"
    dialect: str = "openai_chat"
    base_url: str = ""
    auth: str = "bearer"
    secret: str = ""
    credentials: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    residency: str = ""
    region: str = ""
    connect_timeout: float = 5.0
    timeout: float = 60.0
    idle_timeout: float = 60.0
    table: str = ""
    script: dict[str, object] = {}

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
