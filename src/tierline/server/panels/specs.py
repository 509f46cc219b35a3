"""The spec at work and those before it: what they say, who put them to work and when, and what differs between any two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from tierline.ledger.ledger import Ledger
from tierline.ledger.specs import KeptSpec
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes

MOST = 200
"""Specs, the newest, that the history tells of."""

SAYING = ("spec", "reload", "pin", "unpin", "experiment_stop", "experiment_resume")
"""Actions of the audit trail that changed what decides."""

MOST_ENTRIES = 2000
"""Entries of the audit trail, the newest, that are looked through."""

_NOTHING = msgspec.UNSET


class Change(msgspec.Struct, frozen=True):
    """One place, dotted, where two specs differ; `was` or `now` is None where it is not there."""

    path: str
    was: str | None
    now: str | None


class SpecPages:
    """Handlers for keys with the scope `read`. What is kept has no secrets; where a provider is reached is for `admin`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def history(self, exchange: Exchange) -> None:
        """GET /admin/history: the specs that are kept, the newest first, each with what differs in number from the one before, its stages in
        the life cycle, and what the audit trail says of it: who, when, why."""
        specs, entries, releases = await self._ground.books.ask(_read)
        at_work = exchange.gateway.loaded.fingerprint
        before = {one.fingerprint: specs[place - 1] if place else None for place, one in enumerate(specs)}
        exchange.json(
            {
                "at_work": at_work,
                "specs": [
                    {
                        "policy": one.fingerprint,
                        "first_seen": one.first_seen,
                        "before": "" if (old := before[one.fingerprint]) is None else old.fingerprint,
                        "changes": 0 if old is None else sum(1 for _ in _changes(_flat(_tree(old)), _flat(_tree(one)))),
                        "parts": [] if old is None else sorted(name for name in one.parts if one.parts[name] != old.parts.get(name)),
                        "said": [entry for entry in entries if entry.subject == one.fingerprint],
                        "stages": [_stage(release) for release in releases if release.candidate == one.fingerprint],
                    }
                    for one in reversed(specs)
                ],
                "done": [entry for entry in entries if entry.action in SAYING][:MOST],
            }
        )

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/history/{policy}: one spec that is kept, as YAML without its secrets; with `?against={policy}` what differs from that."""
        asked = Asked(exchange.scope.query_string)
        against = asked.word("against")
        found = await self._ground.books.ask(lambda ledger: [ledger.specs.get(name) for name in (exchange.rest, against) if name])
        if None in found:
            raise NotFound(f"no spec {exchange.rest[:40]!r} is kept" if found[0] is None else f"no spec {against[:40]!r} is kept")
        kept = found[0]
        other = None if len(found) == 1 else found[1]
        exchange.json(
            {
                "policy": kept.fingerprint,
                "first_seen": kept.first_seen,
                "parts": kept.parts,
                "yaml": yaml.safe_dump(_tree(kept), sort_keys=False, allow_unicode=True, width=120),
                "against": against,
                "changes": None if other is None else list(_changes(_flat(_tree(other)), _flat(_tree(kept)))),
            }
        )
