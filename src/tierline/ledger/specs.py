"""Every spec that ever decided, kept by its fingerprint, so that any row of the log can be decided again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tierline.ledger.connection import Connection, told


class KeptSpec(msgspec.Struct, frozen=True):
    """A spec that decided: `canonical` is its canonical JSON without secrets, `parts` the digest of each part that decides,
    `first_seen` Unix time in seconds."""

    fingerprint: str
    first_seen: float
    parts: Mapping[str, str]
    canonical: bytes


class Specs:
    """The specs of a ledger."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def keep(self, fingerprint: str, parts: Mapping[str, str], canonical: bytes, at: float) -> bool:
        """Keep a spec; returns whether it was new. One that is known keeps its first time and its bytes."""
        with told(self._path):
            added = self._connection.execute(
                "INSERT INTO specs (fingerprint, first_seen, parts, canonical) VALUES (?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING",
                (fingerprint, at, msgspec.json.encode(parts, order="sorted").decode(), canonical),
            )
            return added.rowcount == 1

    def get(self, fingerprint: str) -> KeptSpec | None:
        """The spec of that fingerprint, or None."""
        with told(self._path):
            row = self._connection.execute(
                "SELECT fingerprint, first_seen, parts, canonical FROM specs WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
        return _kept(row) if row else None

    def list(self) -> list[KeptSpec]:
        """All of them, in the order in which they were first seen."""
        with told(self._path):
            rows = self._connection.execute("SELECT fingerprint, first_seen, parts, canonical FROM specs ORDER BY first_seen, fingerprint")
            return [_kept(row) for row in rows]


def _kept(row: tuple[str, float, str, bytes]) -> KeptSpec:
    return KeptSpec(row[0], row[1], msgspec.json.decode(row[2], type=dict[str, str]), row[3])
