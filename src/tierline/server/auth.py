"""Who calls: an API key from `Authorization: Bearer` or `x-api-key`.

Secrets are never compared: what is looked up is their SHA-256 digest, of which a caller cannot choose the bytes, so the time that
the look-up takes tells nothing about a secret.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from tierline.config.loaded import Loaded
from tierline.server.listen import is_loopback
from tierline.types.access import ANYONE, Key
from tierline.types.errors import Forbidden, TierlineError, Unauthenticated

Scope = Literal["", "call", "read", "admin"]
"""What an endpoint asks of a key; empty: nothing, everybody may. An admin may do what a reader may."""


class OpenToTheWorld(TierlineError):
    """A public address without a single key."""


def check_bind(host: str, loaded: Loaded) -> None:
    """Raises OpenToTheWorld when others than this machine could call without a key."""
    if not loaded.keys and not is_loopback(host):
        raise OpenToTheWorld(
            f"refusing to listen on {host} without keys: anybody could spend your money → add one under `keys` in {loaded.path}, "
            'for example `admin: {secret: "${ADMIN_KEY}", scopes: [call, admin]}`, or use --host 127.0.0.1'
        )


def authenticate(headers: Any, loaded: Loaded) -> Key:
    """The key that a request came with; ANYONE where the spec has none. Raises Unauthenticated."""
    if not loaded.keys:
        return ANYONE
    given = headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("send the key as `Authorization: Bearer <key>` or as `x-api-key: <key>`")
    else:
        secret = headers.get("x-api-key") or ""
    secret = secret.strip()
    if not secret:
        raise Unauthenticated("this gateway needs a key: send it as `Authorization: Bearer <key>` or as `x-api-key: <key>`")
    key = loaded.keys.get(hashlib.sha256(secret.encode()).digest())
    if key is None:
        raise Unauthenticated("nobody knows this key; ask whoever runs this gateway for one")
    return key


def permit(key: Key, scope: Scope) -> None:
    """Raises Forbidden when the key may not do this."""
    if not scope or scope in key.scopes or (scope == "read" and "admin" in key.scopes):
        return
    raise Forbidden(f"the key {key.name!r} may not do this: it needs the scope {scope!r} and has {', '.join(sorted(key.scopes))}")
