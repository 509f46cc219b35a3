"""Who calls: an API key from `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or, as Gemini's clients may send it, `?key=`.

Secrets are never compared: what is looked up is their SHA-256 digest, of which a caller cannot choose the bytes, so the time that
the look-up takes tells nothing about a secret. Who guesses pays a request for each guess and learns nothing: an unknown secret, whatever it
looks like, is told the same, and names play no part. Only who holds a true secret is told that it has ended.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any, Literal
from urllib.parse import parse_qs

from tierline.config.loaded import Loaded
from tierline.ledger.key_secrets import is_garbled
from tierline.server.keyring import Keyring
from tierline.server.listen import is_loopback
from tierline.types.access import ANYONE, Key
from tierline.types.errors import Forbidden, TierlineError, Unauthenticated, Unavailable

Scope = Literal["", "call", "read", "admin"]
"""What an endpoint asks of a key; empty: nothing, everybody may. An admin may do what a reader may."""

LONGEST = 512
"""Characters of a secret; a longer text is none, and is not even hashed."""

Cause = Literal["missing", "malformed", "unknown", "expired", "revoked"]


class OpenToTheWorld(TierlineError):
    """A public address without a single key."""


class NotLetIn(Unauthenticated):
    """Nobody was let in; `cause` says why, in a word for the metrics."""

    def __init__(self, message: str, cause: Cause) -> None:
        super().__init__(message)
        self.cause: Cause = cause


def check_bind(host: str, loaded: Loaded, *, minted: bool = False) -> None:
    """Raises OpenToTheWorld when others than this machine could reach a gateway without keys; `minted`: its ledger has one."""
    if not (loaded.keys or minted or is_loopback(host)):
        raise OpenToTheWorld(
            f"refusing to listen on {host} without keys: anybody could spend your money → start with --mint to have an admin key made, "
            f"make one with `tierline keys create`, add one under `keys` in {loaded.path}, or use --host 127.0.0.1"
        )


def authenticate(headers: Any, ring: Keyring, loaded: Loaded, query: str = "") -> Key:
    """The key that a request came with; ANYONE where none is needed. `query` is given where a key may stand in it. Raises NotLetIn."""
    if ring.is_open(loaded):
        return ANYONE
    secret = _secret(headers, query)
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
    key = ring.find(digest, loaded)
    if key is None:
        if ring.blind and not ring.was_revoked(digest):
            raise Unavailable("keys cannot be looked up now: the ledger is out of reach", retry_after=1.0)
        raise _unknown(secret, digest, ring)
    if key.expires is not None and time.time() >= key.expires:
        raise NotLetIn("this key has expired, or another secret took its place; ask whoever runs this gateway for a new one", "expired")
    return key


def _secret(headers: Any, query: str) -> str:
    given: str | None = headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() != "bearer":
            raise NotLetIn("send the key as `Authorization: Bearer <key>` or as `x-api-key: <key>`", "malformed")
    else:
        secret = str(headers.get("x-api-key") or headers.get("x-goog-api-key") or (_in_query(query) if query else ""))
    secret = secret.strip()
    if not secret:
        raise NotLetIn("this gateway needs a key: send it as `Authorization: Bearer <key>` or as `x-api-key: <key>`", "missing")
    if len(secret) > LONGEST:
        raise NotLetIn(f"that is no key: it has more than {LONGEST} characters", "malformed")
    return secret


def _unknown(secret: str, digest: bytes, ring: Keyring) -> NotLetIn:
    if ring.was_revoked(digest):
        return NotLetIn("this key was revoked; ask whoever runs this gateway for a new one", "revoked")
    if is_garbled(secret):
        return NotLetIn("this is no whole key: it was mistyped, or cut when it was copied", "malformed")
    return NotLetIn("nobody knows this key; ask whoever runs this gateway for one", "unknown")


def _in_query(query: str) -> str:
    return parse_qs(query).get("key", [""])[0]


def permit(key: Key, scope: Scope) -> None:
    """Raises Forbidden when the key may not do this."""
    if not scope or scope in key.scopes or (scope == "read" and "admin" in key.scopes):
        return
    raise Forbidden(f"the key {key.name!r} may not do this: it needs the scope {scope!r} and has {', '.join(sorted(key.scopes))}")
