"""The life cycle in a worker: what it puts to work of a spec that was read, and how it follows what the ledger says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.gateway.books import Books
from tierline.gateway.canary import CannotRelease, experiment_of, with_canary
from tierline.gateway.rehearsal import Rehearsal
from tierline.gateway.release import BY_HAND, Desk, kept_text
from tierline.gateway.reload import Live, Reloaded
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Rehearsals
from tierline.ledger.releases import ENDS, Release
from tierline.types.errors import LedgerAway, TierlineError

_logger = logging.getLogger("tierline.release")

LOOK_EVERY = 0.5
"""Seconds between two looks at the ledger: how long it takes until a stage holds in every worker."""

WHO = "tierline"
"""Who stops a candidate when nobody did."""

CATALOGUE = "prices or the catalogue are others; the file is the same"


class Lifecycle:
    """The life cycle of the spec at `path`, in one worker."""

    def __init__(self, books: Books, path: Path, environ: Mapping[str, str]) -> None:
        self._books = books
        self._path = path
        self._environ = environ
        self._read: tuple[Loaded, int | None] | None = None
        self._seen = -1
        self._again = False
        self._rehearsal: Rehearsal | None = None

    def begun(self, loaded: Loaded) -> Loaded:
        """The spec to begin with: what a crash left half done is finished first. For threads that may wait."""
        try:
            newest = self._books.wait(self._settled)
        except LedgerAway as failure:
            _logger.error("begun with the file as it is, without a look at what was released: %s", failure.message)
            return loaded
        if newest is None:
            return loaded
        self._seen = newest.id
        return load(self._path, self._environ) if newest.candidate != loaded.fingerprint else loaded

    def gate(self, loaded: Loaded, old: Loaded | None) -> Loaded:
        """What is put to work of a spec that was read: itself, with a canary where one runs. For threads that may wait. Raises
        CannotRelease for a change that needs a certificate and has none, and LedgerAway for any change while the ledger cannot say what
        holds: it is read again once it can. Without a change of the spec at work, at the start, that is no reason not to begin."""
        required = (loaded if old is None else old).spec.release.require_certificate
        try:
            newest, known, alike = self._books.wait(lambda ledger: _known(ledger, loaded))
        except LedgerAway:
            if old is not None or required:
                self._again = True
                raise
            self._read = loaded, None
            return loaded
        if required and known is not None and not alike:
            raise CannotRelease(
                f"{loaded.path} is {loaded.fingerprint}, which nobody has released (at work is {known.candidate}), and "
                "`release.require_certificate` is on → `tierline release publish` it, or put the file back as it was"
            )
        self._read = loaded, 0 if newest is None else newest.id
        if newest is None or newest.stage != "canary" or newest.before != loaded.fingerprint:
            return loaded
        candidate = self._candidate(newest)
        return loaded if candidate is None else with_canary(loaded, candidate, newest)

    def taken(self, done: Reloaded) -> None:
        """Note a spec that is at work now without having come through the life cycle; another thread does it, once for all workers."""
        if self._read is not None and not done.problem:
            (loaded, after), shared = self._read, self._books.shared
            self._books.later(lambda ledger: _note(ledger, loaded, after, shared=shared), f"that {loaded.fingerprint} is at work")

    async def follow(self, live: Live) -> None:
        """Act on what the ledger says, again and again, until cancelled."""
        while True:
            try:
                await self.look(live)
            except TierlineError as failure:
                _logger.error("the life cycle could not be followed: %s", failure.message)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self, live: Live) -> None:
        """Act on the newest stage: finish what is half done, read the spec anew, let a candidate decide beside, end a stopped canary."""
        newest = await self._books.ask(self._settled)
        if self._again:
            self._again = False
            await live.reload("file")
        if newest is None:
            return
        if newest.id != self._seen:
            self._seen = newest.id
            if newest.stage != "by_hand":
                await live.reload("release")
            _logger.info("release %d: %s %s, by %s: %s", newest.id, newest.stage, newest.candidate, newest.by, newest.why)
        await self._rehearse(live, newest)
        if newest.stage == "canary":
            await self._books.ask(lambda ledger: end_if_stopped(ledger, newest))

    def _settled(self, ledger: Ledger) -> Release | None:
        """The newest stage, with nothing half done."""
        newest = ledger.releases.now()
        if newest is None:
            return None
        desk = Desk(ledger, self._path, self._environ)
        newest = desk.complete(newest)
        if self._books.shared and newest.id != self._seen:
            at_work = ledger.releases.at_work()
            if at_work is not None and desk.catch_up(at_work):
                _logger.info("%s was put to work on another machine; the file here followed", at_work.candidate)
        return newest

    async def _rehearse(self, live: Live, newest: Release) -> None:
        rehearsal = self._rehearsal
        if rehearsal is not None and (seen := rehearsal.take()):
            await self._books.note(Rehearsals(rehearsal.release, tuple(seen)))
        if newest.stage != "shadow":
            self._rehearsal = None
        elif rehearsal is None or rehearsal.release != newest.id:
            candidate = await asyncio.to_thread(self._candidate, newest)
            self._rehearsal = None if candidate is None else await asyncio.to_thread(Rehearsal, candidate, newest.id)
        live.gateway.rehearsal = self._rehearsal

    def _candidate(self, release: Release) -> Loaded | None:
        """The candidate as the ledger keeps it; None, and an error in the log, where it is not any more what was released."""
        try:
            found = load(self._path, self._environ, written=release.written.encode())
        except TierlineError as problem:
            _logger.error("the candidate %s cannot be read: %s", release.candidate, problem.message)
            return None
        if found.fingerprint == release.candidate:
            return found
        _logger.error(
            "the candidate %s is not what it was (now %s): a file that it names has changed", release.candidate, found.fingerprint
        )
        return None


def end_if_stopped(ledger: Ledger, canary: Release) -> bool:
    """End a canary whose arm was stopped; returns whether it was."""
    arms = ledger.arms.now(experiment_of(canary))
    stopped = next((arm for arm in arms if arm.state == "stopped"), None)
    if stopped is None:
        return False
    why = f"{stopped.why} (stopped by {stopped.by})"
    ended = ledger.releases.add("stopped", canary.candidate, canary.before, why=why, by=WHO, after=canary.id)
    if ended is not None:
        _logger.warning("the canary %s is stopped and %s answers everything again: %s", canary.candidate, canary.before, stopped.why)
    return True


def _known(ledger: Ledger, loaded: Loaded) -> tuple[Release | None, Release | None, bool]:
    """The newest row, the one that says what is at work, and whether that was written as this spec is."""
    newest, known = ledger.releases.now(), ledger.releases.at_work()
    return newest, known, known is not None and _alike(ledger, known.candidate, loaded)


def _alike(ledger: Ledger, fingerprint: str, loaded: Loaded) -> bool:
    """Whether a spec is the one of that fingerprint, or differs from it by the catalogue and its prices alone."""
    if fingerprint == loaded.fingerprint:
        return True
    kept = ledger.specs.get(fingerprint)
    return kept is not None and all(kept.parts.get(part) == loaded.parts.get(part) for part in ("spec", "files"))


def _note(ledger: Ledger, loaded: Loaded, after: int | None, *, shared: bool) -> None:
    """Note a spec that was read when the newest stage was `after` (None: the ledger was away). Not where another has come since: what is at
    work is in the file by now, or will be, where another machine has put it to work; the next look reads anew."""
    newest, known = ledger.releases.now(), ledger.releases.at_work()
    overtaken = newest is not None and (after not in (None, newest.id) or newest.stage in ENDS)
    if overtaken or (known is not None and known.candidate == loaded.fingerprint):
        return
    text = kept_text(loaded.path)
    first, alike = known is None, known is not None and _alike(ledger, known.candidate, loaded)
    if known is not None and not alike and known.written and known.written == text:
        return
    if known is not None and shared and known.stage in ENDS.values() and known.before == loaded.fingerprint:
        return
    why = "the first spec" if first else CATALOGUE if alike else "the file was changed, without a certificate"
    ledger.releases.note(loaded.fingerprint, text, why, BY_HAND)
