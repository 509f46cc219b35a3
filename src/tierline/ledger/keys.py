"""Keys that are made while the gateway runs. A key is never deleted: it ends, so that its name in the log means one key for ever."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.ledger import key_secrets
from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction
from tierline.types.access import Key, Rate
from tierline.types.errors import TierlineError

MOST = 100_000
"""Keys that one ledger holds, ended ones included: a gateway keeps them all in memory."""

REMEMBERED = 30 * 86400.0
"""Seconds for which a secret that was replaced is known as such."""

Scope = Literal["call", "read", "admin"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,99}")
_SELECT = 'SELECT name, given, created, "by", expires, revoked FROM keys'


class CannotKeep(TierlineError):
    """A key that cannot be made or changed; the message says why."""


class Given(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a key may do, as it was given. Empty `routes` and `models`: all of them."""

    scopes: tuple[Scope, ...] = ("call",)
    owner: str = ""
    team: str = ""
    routes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    task: str = ""
    rate: Rate | None = None
    max_concurrency: int | None = None


class Secret(msgspec.Struct, frozen=True):
    """One secret of a key, as far as it is kept: its first characters, when it was made, and until when it opens (None: until another
    takes its place, or the key ends). Unix seconds."""

    prefix: str
    created: float
    until: float | None = None


class Kept(msgspec.Struct, frozen=True):
    """A key of the ledger: made at `created` by `by`, ends by itself at `expires`, ended at `revoked`; its secrets that may still open,
    the newest first."""

    name: str
    given: Given
    created: float
    by: str
    expires: float | None = None
    revoked: float | None = None
    secrets: tuple[Secret, ...] = ()

    def state(self, now: float) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "live" if self.expires is None or now < self.expires else "expired"


class Ring(msgspec.Struct, frozen=True):
    """Every key that ever was: the digest of each secret → its key, with `expires` as the secret's own end where that is earlier;
    ended ones too, in `ended`, for they are told that they have ended. `names` are those of all."""

    opens: Mapping[bytes, Key]
    ended: frozenset[bytes]
    names: frozenset[str]


class Keys:
    """The keys of a ledger. That the routes, models and task of a key exist, and that the spec has no key of its name, is for the caller to
    check. `by` names who does it."""

    def __init__(self, path: Path, connection: Connection, audit: Audit, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._clock = clock

    def create(self, name: str, given: Given, by: str, expires: float | None = None) -> tuple[Kept, str]:
        """Make a key; returns it with its secret, which is kept nowhere. Raises CannotKeep."""
        self._check(name, given, expires)
        secret, now = key_secrets.mint(), self._clock()
        detail = {**msgspec.to_builtins(given), **({} if expires is None else {"expires": expires})}
        with told(self._path), transaction(self._connection):
            if self._connection.execute("SELECT 1 FROM keys WHERE name = ?", (name,)).fetchone():
                raise CannotKeep(f"there is a key {name!r} already, or there was one: take another name, or rotate it")
            if self._connection.execute("SELECT count(*) FROM keys").fetchone()[0] >= MOST:
                raise CannotKeep(f"the ledger holds {MOST} keys, and takes no more")
            self._connection.execute(
                'INSERT INTO keys (name, given, created, "by", expires) VALUES (?, ?, ?, ?, ?)',
                (name, msgspec.json.encode(given).decode(), now, by, expires),
            )
            made = self._add_secret(name, secret, now)
            self._audit.add_within(by, "key.create", name, {**detail, "prefix": made.prefix})
        return Kept(name, given, now, by, expires, None, (made,)), secret

    def rotate(self, name: str, grace: float, by: str) -> tuple[Kept, str]:
        """Give a key another secret; returns it. Those it has open for so many seconds more. Raises CannotKeep."""
        secret, now = key_secrets.mint(), self._clock()
        until = now + max(grace, 0.0)
        with told(self._path), transaction(self._connection):
            kept = self._living(name, now)
            if kept.state(now) == "expired":
                raise CannotKeep(f"the key {name!r} has expired: create another")
            self._connection.execute(
                "UPDATE key_secrets SET until = ? WHERE name = ? AND (until IS NULL OR until > ?)", (until, name, until)
            )
            self._connection.execute("DELETE FROM key_secrets WHERE name = ? AND until < ?", (name, now - REMEMBERED))
            made = self._add_secret(name, secret, now)
            self._audit.add_within(by, "key.rotate", name, {"prefix": made.prefix, "until": until})
        return msgspec.structs.replace(kept, secrets=self._secrets(name, now)), secret

    def revoke(self, name: str, by: str) -> Kept:
        """End a key now, for good. Raises CannotKeep."""
        now = self._clock()
        with told(self._path), transaction(self._connection):
            kept = self._living(name, now)
            self._connection.execute("UPDATE keys SET revoked = ? WHERE name = ?", (now, name))
            self._audit.add_within(by, "key.revoke", name)
        return msgspec.structs.replace(kept, revoked=now, secrets=())

    def get(self, name: str) -> Kept | None:
        """One key, or None."""
        with told(self._path):
            row = self._connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
            return None if row is None else self._kept(row, self._clock())

    def list(self, *, ended: bool = False) -> list[Kept]:
        """The keys by name; also those that were revoked or have expired, where asked for."""
        now = self._clock()
        with told(self._path):
            found = [self._kept(row, now) for row in self._connection.execute(f"{_SELECT} ORDER BY name").fetchall()]
        return [kept for kept in found if ended or kept.state(now) == "live"]

    def any(self) -> bool:
        """Whether there is a key, or ever was one."""
        with told(self._path):
            return self._connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def clashing(self, names: Collection[str]) -> tuple[str, ...]:
        """Those of the names that the ledger has too."""
        with told(self._path):
            has = "SELECT 1 FROM keys WHERE name = ?"
            return tuple([name for name in sorted(names) if self._connection.execute(has, (name,)).fetchone()])

    def ring(self) -> Ring:
        """What opens, for the look-up of every request."""
        with told(self._path):
            keys = {row[0]: row for row in self._connection.execute(_SELECT)}
            secrets = self._connection.execute("SELECT digest, name, until FROM key_secrets").fetchall()
        opens: dict[bytes, Key] = {}
        ended: set[bytes] = set()
        for digest, name, until in secrets:
            _, given, _, _, expires, revoked = keys[name]
            if revoked is not None:
                ended.add(digest)
            else:
                opens[digest] = _key(name, msgspec.json.decode(given, type=Given), _earlier(until, expires))
        return Ring(opens, frozenset(ended), frozenset(keys))

    def _check(self, name: str, given: Given, expires: float | None) -> None:
        if not _NAME.fullmatch(name):
            raise CannotKeep(
                f"{name[:40]!r} cannot be a name: use at most 100 letters, digits and . _ : @ + -, beginning with a letter or digit"
            )
        if not given.scopes:
            raise CannotKeep("a key without scopes may do nothing: give it call, read or admin")
        numbers = [given.max_concurrency] if given.rate is None else [given.max_concurrency, given.rate.requests, given.rate.tokens]
        if any(number is not None and number < 1 for number in numbers):
            raise CannotKeep("requests, tokens and concurrency must be at least 1")
        if given.rate is not None and given.rate.requests is None and given.rate.tokens is None:
            raise CannotKeep("a rate without a number limits nothing: give requests, tokens or both")
        if expires is not None and expires <= self._clock():
            raise CannotKeep("a key must expire later than now")

    def _living(self, name: str, now: float) -> Kept:
        row = self._connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise CannotKeep(f"the ledger has no key {name[:100]!r}: `tierline keys list --all` shows every one")
        kept = self._kept(row, now)
        if kept.revoked is not None:
            raise CannotKeep(f"the key {name!r} was revoked, for good: create another")
        return kept

    def _add_secret(self, name: str, secret: str, now: float) -> Secret:
        prefix = secret[: key_secrets.SHOWN]
        row = (key_secrets.digest(secret), name, prefix, now)
        self._connection.execute("INSERT INTO key_secrets (digest, name, prefix, created) VALUES (?, ?, ?, ?)", row)
        return Secret(prefix, now)

    def _secrets(self, name: str, now: float) -> tuple[Secret, ...]:
        rows = self._connection.execute(
            "SELECT prefix, created, until FROM key_secrets WHERE name = ? AND (until IS NULL OR until > ?) "
            "ORDER BY CASE WHEN until IS NULL THEN 0 ELSE 1 END, created DESC, until DESC, prefix",
            (name, now),
        )
        return tuple([Secret(*row) for row in rows])

    def _kept(self, row: tuple[Any, ...], now: float) -> Kept:
        name, given, created, by, expires, revoked = row
        secrets = () if revoked is not None else self._secrets(name, now)
        return Kept(name, msgspec.json.decode(given, type=Given), created, by, expires, revoked, secrets)


def _key(name: str, given: Given, expires: float | None) -> Key:
    return Key(
        name,
        frozenset(given.scopes),
        frozenset(given.routes),
        frozenset(given.models),
        given.team,
        given.task,
        owner=given.owner,
        rate=given.rate,
        max_concurrency=given.max_concurrency,
        expires=expires,
        minted=True,
    )


def _earlier(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else min(one, other)
