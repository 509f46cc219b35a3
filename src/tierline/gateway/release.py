"""What is done to the routing, by people or by the watch: shadow, canary, publish, rollback. The ledger says what holds; the file follows.

Nothing here needs a running gateway: every worker looks at the ledger, sees the new stage and acts on it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.config import document
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.config.secrets import holds_secret
from tierline.gateway.canary import CannotRelease, may_be_canary
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import ENDS, Release, Stage
from tierline.types.certificate import Certificate

BY_HAND = "(file)"
"""Who did it, where the file was changed and nobody said by whom."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for: `written` is the candidate's file, None: the one that is tried now. `force` goes on without a certificate,
    and then `why` must be said."""

    by: str
    why: str = ""
    written: str | None = None
    certificate: Certificate | None = None
    force: bool = False


class Desk:
    """The life cycle of the spec at `path`, whose ledger this is. `environ` is what `${NAME}` reads."""

    def __init__(self, ledger: Ledger, path: Path, environ: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._releases = ledger.releases
        self._path = path
        self._environ = environ

    def shadow(self, wish: Wish) -> Release:
        """Let a candidate decide beside the spec at work; it answers nobody, so it needs no certificate."""
        base, newest = self._base()
        candidate, written = self._candidate(wish)
        detail = {} if wish.certificate is None else {"certificate": msgspec.to_builtins(wish.certificate)}
        return self._enter("shadow", candidate, base, newest, wish, written, detail=detail)

    def canary(self, wish: Wish, share: float) -> Release:
        """Let a candidate answer a share of the traffic; asked again, its share changes."""
        if not 0.0 < share < 1.0:
            raise CannotRelease(f"the share of a canary is between 0 and 1, not {share:g}")
        base, newest = self._base()
        candidate, written = self._candidate(wish)
        may_be_canary(base, candidate)
        detail = self._entitled(candidate, base, wish)
        goes_on = newest.stage == "canary" and newest.candidate == candidate.fingerprint
        detail["run"] = newest.detail["run"] if goes_on else newest.id + 1
        return self._enter("canary", candidate, base, newest, wish, written, share=share, detail=detail)

    def publish(self, wish: Wish) -> Release:
        """Put a candidate to work: the file is replaced, and the one before is kept beside it."""
        base, newest = self._base()
        candidate, written = self._candidate(wish)
        detail = self._entitled(candidate, base, wish)
        intent = self._enter("publishing", candidate, base, newest, wish, written, detail=detail)
        return self.complete(intent)

    def rollback(self, wish: Wish) -> Release:
        """End the trial that runs; without one, put the spec before to work again."""
        base, newest = self._base()
        if newest.trial:
            made = self._releases.add("stopped", newest.candidate, newest.before, why=wish.why, by=wish.by, after=newest.id)
            return _unless_overtaken(made)
        return self._put_back(base, newest, wish)

    def take_back(self, published: Release, wish: Wish) -> Release | None:
        """Put the spec before a published one to work again, and end a trial that was compared with it; None where another is at work by
        now."""
        base, newest = self._base()
        if self._at_work().id != published.id:
            return None
        if newest.trial:
            stopped = self._releases.add("stopped", newest.candidate, newest.before, why=wish.why, by=wish.by, after=newest.id)
            newest = _unless_overtaken(stopped)
        return self._put_back(base, newest, wish)

    def _put_back(self, base: Loaded, newest: Release, wish: Wish) -> Release:
        at_work = self._at_work()
        before = self._releases.before(at_work.candidate)
        if not before:
            raise CannotRelease("there is no spec before the one at work")
        written = self._releases.written(before)
        if not written:
            raise CannotRelease(f"the file of {before} was not kept, for it held secrets → take it from version control and publish it")
        loaded = load(self._path, self._environ, need_secrets=False, written=written.encode())
        intent = self._enter("rolling_back", loaded, base, newest, wish, written)
        return self.complete(intent)

    def catch_up(self, taken: Release) -> bool:
        """Put this machine's file in the place of what another machine published or rolled back, where it still is what was before; returns
        whether it was."""
        if taken.stage not in ENDS.values() or not taken.written:
            return False
        if load(self._path, self._environ, need_secrets=False).fingerprint != taken.before or taken.before == taken.candidate:
            return False
        _replace(self._path.resolve(), taken.written.encode(), taken.before)
        return True

    def complete(self, intent: Release) -> Release:
        """Do what an intent says, and note that it is done; whoever finds one half done may do so."""
        if intent.stage not in ENDS:
            return intent
        _replace(self._path.resolve(), intent.written.encode(), intent.before)
        self._releases.finish(intent)
        return self._releases.now() or intent

    def _base(self) -> tuple[Loaded, Release]:
        """The spec at work and the newest row. A file that nobody has put to work here is noted as changed by hand."""
        newest = self._releases.now()
        if newest is not None and newest.stage in ENDS:
            self.complete(newest)
        base = load(self._path, self._environ, need_secrets=False)
        known = self._releases.at_work()
        if known is None or (known.candidate != base.fingerprint and not base.spec.release.require_certificate):
            self._releases.note(base.fingerprint, kept_text(self._path), "the file was changed", BY_HAND)
        elif known.candidate != base.fingerprint:
            if not known.written:
                raise CannotRelease("the file is not the spec at work, and that one was not kept → put the file back as it was")
            base = load(self._path, self._environ, need_secrets=False, written=known.written.encode())
        newest = self._releases.now()
        assert newest is not None
        return base, newest

    def _at_work(self) -> Release:
        found = self._releases.at_work()
        assert found is not None
        return found

    def _candidate(self, wish: Wish) -> tuple[Loaded, str]:
        written = wish.written
        if written is None:
            newest = self._releases.now()
            if newest is None or not newest.trial:
                raise CannotRelease("no candidate is tried now → name its file")
            written = newest.written
        if holds_secret(document.parse(written).data):
            raise CannotRelease("the candidate holds a secret, and its text is kept in the ledger → write ${NAME} and set the variable")
        return load(self._path, self._environ, need_secrets=False, written=written.encode()), written

    def _entitled(self, candidate: Loaded, base: Loaded, wish: Wish) -> dict[str, object]:
        """What stands in the ledger of why a candidate may answer; raises CannotRelease where it may not."""
        if wish.force:
            if not wish.why:
                raise CannotRelease("say why with --why: it stands in the audit trail that there was no certificate")
            return {"forced": True}
        certificate = wish.certificate or self._kept_certificate(candidate.fingerprint)
        if certificate is None:
            raise CannotRelease("the candidate has no certificate → make one with `tierline propose`, or --force with --why")
        if not certificate.intact:
            raise CannotRelease("the certificate is not as it was made → propose anew")
        if certificate.candidate != candidate.fingerprint:
            raise CannotRelease(f"the certificate is for {certificate.candidate}, and this candidate is {candidate.fingerprint}")
        if certificate.before != base.fingerprint:
            raise CannotRelease(f"the certificate compares with {certificate.before}, and at work is {base.fingerprint} → propose anew")
        if not certificate.granted:
            raise CannotRelease(f"the certificate was refused: {certificate.why} → collect more evidence, or --force with --why")
        return {"certificate": msgspec.to_builtins(certificate)}

    def _kept_certificate(self, candidate: str) -> Certificate | None:
        for release in self._releases.list(1000):
            if release.candidate == candidate and "certificate" in release.detail:
                return msgspec.convert(release.detail["certificate"], Certificate)
        return None

    def _enter(
        self,
        stage: Stage,
        candidate: Loaded,
        base: Loaded,
        newest: Release,
        wish: Wish,
        written: str,
        *,
        share: float = 0.0,
        detail: Mapping[str, object] | None = None,
    ) -> Release:
        if candidate.fingerprint == base.fingerprint:
            raise CannotRelease(f"{candidate.fingerprint} is the spec at work")
        made = self._releases.add(
            stage,
            candidate.fingerprint,
            base.fingerprint,
            why=wish.why,
            by=wish.by,
            written=written,
            share=share,
            detail=detail,
            after=newest.id,
        )
        return _unless_overtaken(made)


def kept_text(path: Path) -> str:
    """The text of a spec as the ledger keeps it: empty where it holds a secret, or cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if holds_secret(document.parse(text).data) else text


def _unless_overtaken(made: Release | None) -> Release:
    if made is None:
        raise CannotRelease("something else was done in between → look at `tierline release status`, and try again")
    return made


def _replace(path: Path, content: bytes, before: str) -> None:
    """Put a file in another's place, whole or not at all; the other goes on beside it under the fingerprint that it had."""
    old = path.read_bytes()
    if old == content:
        return
    _write(path.with_name(f"{path.name}.{before}"), old, path.stat().st_mode)
    _write(path, content, path.stat().st_mode)


def _write(path: Path, content: bytes, mode: int) -> None:
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(number, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(mode & 0o777)
    Path(name).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def status_of(ledger: Ledger, history: int = 20) -> dict[str, Any]:
    """What holds now, as plain data: the spec at work, what is tried, what that decided in shadow, and the newest stages. No spec's
    text."""
    releases = ledger.releases
    newest, at_work = releases.now(), releases.at_work()
    trial = newest if newest is not None and newest.trial else None
    in_shadow = next((one for one in releases.list(1000) if one.stage == "shadow"), None)
    return {
        "at_work": None if at_work is None else plain(at_work),
        "trial": None if trial is None else plain(trial),
        "rehearsed": [] if in_shadow is None else [msgspec.to_builtins(one) for one in releases.rehearsed(in_shadow.id)],
        "history": [plain(one) for one in releases.list(history)],
    }


def plain(release: Release) -> dict[str, Any]:
    """A stage as plain data, without the spec's text."""
    said: dict[str, Any] = msgspec.to_builtins(release)
    return {key: value for key, value in said.items() if key != "written"}
