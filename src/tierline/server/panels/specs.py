"""The spec at work and those before it: what they say, who put them to work and when, and what differs between any two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from tierline.ledger.audit import Entry
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release
from tierline.ledger.specs import KeptSpec
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes

MOST = 200
"""Specs, the newest, that the history tells of."""

SAYING = ("spec", "reload", "pin", "unpin", "release_", "arm_", "sign off")
"""How the actions of the audit trail begin that changed, or judged, what decides."""

MOST_ENTRIES = 2000
"""Entries of the audit trail, the newest, that are looked through."""

MOST_CHANGES = 2000
"""Places of a difference that are told."""


class Change(msgspec.Struct, frozen=True):
    """One place, dotted, where two specs differ; `was` or `now` is None where it is not there."""

    path: str
    was: str | None
    now: str | None


class SpecPages:
    """Handlers for keys with the scope `read`: what is kept of a spec has no secrets."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def history(self, exchange: Exchange) -> None:
        """GET /admin/history: the spec at work, its warnings and what came of the last reload; and the specs that are kept, the
        newest first, each with the number of places that differ from the one before, its stages in the life cycle, and what the audit
        trail says of it."""
        specs, entries, releases = await self._ground.books.ask(_read)
        loaded = exchange.gateway.loaded
        before = {one.fingerprint: specs[place - 1] if place else None for place, one in enumerate(specs)}
        exchange.json(
            {
                "at_work": loaded.fingerprint,
                "path": str(loaded.path),
                "parts": loaded.parts,
                "models": [*loaded.models],
                "warnings": [str(warning) for warning in loaded.warnings],
                "reload": self._ground.live.last,
                "specs": [
                    {
                        "policy": one.fingerprint,
                        "first_seen": one.first_seen,
                        "before": "" if (old := before[one.fingerprint]) is None else old.fingerprint,
                        "changes": 0 if old is None else sum(1 for _ in _changes(_flat(_tree(old)), _flat(_tree(one)))),
                        "parts": [] if old is None else sorted(name for name in one.parts if one.parts[name] != old.parts.get(name, "")),
                        "said": [entry for entry in entries if entry.subject == one.fingerprint],
                        "stages": [_stage(release) for release in releases if release.candidate == one.fingerprint],
                    }
                    for one in reversed(specs)
                ],
                "done": [entry for entry in entries if entry.action.startswith(SAYING)][:MOST],
            }
        )

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/history/{policy}: one spec that is kept, as YAML without its secrets; with `?against={policy}`
        what differs from that."""
        asked = Asked(exchange.incoming.query_string)
        against = asked.word("against")
        found = await self._ground.books.ask(lambda ledger: [ledger.specs.get(name) for name in (exchange.rest, against) if name])
        kept, other = found[0], found[1] if against else None
        if kept is None or (against and other is None):
            raise NotFound(f"no spec {(against if kept else exchange.rest)[:40]!r} is kept")
        exchange.json(
            {
                "policy": kept.fingerprint,
                "first_seen": kept.first_seen,
                "parts": kept.parts,
                "yaml": yaml.safe_dump(_told(_tree(kept)), sort_keys=False, allow_unicode=True, width=120),
                "against": against,
                "changes": None if other is None else list(_changes(_flat(_tree(other)), _flat(_tree(kept))))[:MOST_CHANGES],
            }
        )


def routes(ground: Ground) -> Routes:
    """The addresses."""
    panel = SpecPages(ground)
    return Routes({("GET", "/admin/history"): Route(panel.history, "read")}, {("GET", "/admin/history/"): Route(panel.one, "read")})


def _read(ledger: Ledger) -> tuple[list[KeptSpec], list[Entry], Sequence[Release]]:
    """The specs, oldest first; the audit trail and the stages, newest first."""
    return ledger.specs.list()[-MOST:], ledger.audit.list(MOST_ENTRIES), ledger.releases.list(MOST)


def _stage(release: Release) -> dict[str, Any]:
    """A stage without the file's text."""
    return {name: getattr(release, name) for name in ("id", "at", "stage", "share", "why", "by", "before")}


def _tree(kept: KeptSpec) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.json.decode(kept.canonical)
    return tree


def _told(value: Any) -> Any:
    """Without what is empty, so that it reads as somebody would write it."""
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items() if one not in (None, "", [], {})}
    return [_told(one) for one in value] if isinstance(value, list) else value


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Every leaf as JSON, by its dotted path."""
    if isinstance(value, dict) and value:
        return {at: leaf for name, one in value.items() for at, leaf in _flat(one, f"{path}.{name}" if path else name).items()}
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return {at: leaf for place, one in enumerate(value) for at, leaf in _flat(one, f"{path}[{place}]").items()}
    return {path: msgspec.json.encode(value).decode()}


def _changes(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for path in sorted({*was, *now}):
        if was.get(path) != now.get(path):
            yield Change(path, was.get(path), now.get(path))
