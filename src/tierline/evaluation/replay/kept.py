"""The specs that decided, as the ledger keeps them beside the log: loaded anew, and trusted only when they have the same fingerprint."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from tierline.config.load import load
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.support import SpecOf
from tierline.ledger.reader import LedgerReader
from tierline.routing.router import Router
from tierline.types.errors import SpecInvalid


def specs_beside(path: Path | str | None, more: tuple[Router, ...] = ()) -> SpecOf:
    """Who decided, by fingerprint: one of `more`, else the spec kept in the ledger at `path`, where there is one; None where neither has
    it, or where what is kept no longer resolves to the same (a price of the catalogue has changed since)."""
    known: dict[str, Decider | None] = {router.policy.fingerprint: Decider(router) for router in more}

    def spec_of(fingerprint: str) -> Decider | None:
        if fingerprint not in known:
            known[fingerprint] = None if path is None else _kept(path, fingerprint)
        return known[fingerprint]

    return spec_of


def _kept(path: Path | str, fingerprint: str) -> Decider | None:
    with closing(LedgerReader(path)) as ledger:
        kept = ledger.spec(fingerprint)
    if kept is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tierline-spec-") as folder:
        file = Path(folder, "tierline.yaml")
        file.write_bytes(kept.canonical)
        try:
            loaded = load(file, {}, need_secrets=False, alone=True)
        except SpecInvalid:
            return None
    return Decider(Router(loaded)) if loaded.fingerprint == fingerprint else None
