"""The ledger on a thread of its own, so that nobody waits for the disk but who asks it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from tierline.config.loaded import Loaded
from tierline.decision_log.opening import text_of
from tierline.gateway.arms import begin, shares_now
from tierline.gateway.reload import Reloaded
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Done, Note, Notes, SpecSeen, ToReview
from tierline.ledger.reader import LedgerReader
from tierline.ledger.reviews import Review, review_of
from tierline.state.world import World
from tierline.types.errors import LedgerAway, LogFailure, TierlineError
from tierline.types.record import Record

T = TypeVar("T")

_logger = logging.getLogger("tierline.gateway")

MOST_WAITING = 10_000
"""Entries for the review queue that wait for the disk; past it the oldest are left out (their rows in the log still say `flagged`)."""

PATIENCE = 1.0
"""Seconds for which a note that is on disk waits to be in the ledger too, so that who reads it there next finds it."""

MOST_DUE = 1000
"""Things that are to be done to the ledger once it is back; past it the oldest are left out."""

LOOK_EVERY = 1.0
"""Seconds between two looks at pins and arms: how long it takes until what another process did to them works here."""


FORGET_EVERY = 60.0
"""Seconds between two looks for evidence that is too old."""


class KeyClash(TierlineError):
    """Spec and ledger have keys of the same name, so that rules and budgets could mean either."""


class Books:
    """One ledger and its thread: that of the file at `path`, or, with `url`, that of a database which replicas share (`read_url`: its
    replica, for texts); then what must not wait for the database waits in the file. Raises LogFailure when the file cannot be
    opened."""

    def __init__(self, path: Path, url: str = "", read_url: str = "") -> None:
        self._path, self._read = path, read_url or url
        self.away = ""
        """Why the ledger cannot be reached; empty while all is well."""
        self.shared = bool(url)
        """Whether other machines write to the same ledger."""
        self._open_for = 7 * 86400.0
        self._to_review: deque[Review] = deque(maxlen=MOST_WAITING)
        self._pinned: dict[str, tuple[str, float]] = {}
        self._due: deque[tuple[Callable[[Ledger], object], str]] = deque(maxlen=MOST_DUE)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tierline-ledger")
        self._ledger = self._thread.submit(Ledger, url or path).result()
        self._desk = ThreadPoolExecutor(1, thread_name_prefix="tierline-notes")
        self._notes = self._desk.submit(Notes, path).result() if url else None
        self._carrier = self._thread.submit(Notes, path).result() if url else None

    async def ask(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns; it runs on the ledger's thread, alone."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, self._ledger)

    def wait(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns, for threads that may wait."""
        return self._thread.submit(act, self._ledger).result()

    def later(self, act: Callable[[Ledger], object], what: str) -> None:
        """Do it when the thread comes to it, and again later while the ledger is away; `what` names, in a log line, what did not reach the
        ledger where it cannot be written."""
        self._thread.submit(self._do, act, what)

    def _do(self, act: Callable[[Ledger], object], what: str) -> None:
        try:
            act(self._ledger)
        except LedgerAway:
            self._due.append((act, what))
        except LogFailure as failure:
            _logger.error("%s did not reach the ledger: %s", what, failure.message)

    async def text(self, request_id: str) -> bytes | None:
        """The stored prompt and answer of a request: from the file, or, of another replica or of earlier days, from the database. Raises
        LogFailure."""
        return await self.ask(lambda _: text_of(self._path, request_id) or (text_of(self._read, request_id) if self._read else None))

    async def note(self, note: Note) -> None:
        """Returns when a note is on disk: in the ledger, or in the file that goes on to it. Raises LogFailure, and what the ledger says of
        the note."""
        loop = asyncio.get_running_loop()
        if self._notes is None:
            await loop.run_in_executor(self._thread, note.enter, self._ledger)
            return
        await loop.run_in_executor(self._desk, self._notes.put, note)
        carried = loop.run_in_executor(self._thread, self._carry)
        if not self.away:
            await asyncio.wait([carried], timeout=PATIENCE)

    def _put(self, note: Note) -> None:
        """The same, for threads that may wait."""
        if self._notes is None:
            self._thread.submit(note.enter, self._ledger).result()
            return
        self._desk.submit(self._notes.put, note).result()
        carried = self._thread.submit(self._carry)
        if not self.away:
            wait([carried], PATIENCE)

    def _carry(self) -> None:
        """Take what waits into the ledger, where it can be reached."""
        try:
            if self._carrier is not None:
                self._carrier.carry(self._ledger)
            for _ in range(len(self._due)):
                self._do(*self._due.popleft())
        except LogFailure as failure:
            self._noticed(failure)

    def _noticed(self, failure: LogFailure | None) -> None:
        """Say once that the ledger cannot be reached, and once (None) that it can be again."""
        if failure is not None and not self.away:
            _logger.error("%s; what is to go into it waits, and pins, arms and keys that change now are not seen", failure.message)
        elif failure is None and self.away:
            _logger.info("the ledger can be reached again")
        self.away = "" if failure is None else failure.message

    async def look_for_what_was_left(self) -> None:
        """Say which keys of the file's own ledger, from before it had a database, the database does not know."""
        if self.shared and (left := await self.ask(self._left)):
            _logger.error(
                "%s holds the keys %s, which the ledger in PostgreSQL does not know: take them there with `tierline log migrate`",
                self._path,
                ", ".join(left),
            )

    def _left(self, ledger: Ledger) -> list[str]:
        with closing(LedgerReader(self._path)) as before:
            names = before.query("SELECT name FROM keys WHERE revoked IS NULL ORDER BY name") if before.columns("keys") else []
        return [name for (name,) in names if ledger.keys.get(name) is None]

    def keep_spec(self, loaded: Loaded) -> None:
        """Keep a spec before it decides anything; returns when it is on disk. For threads that may wait. Raises KeyClash."""
        try:
            clashing = self.wait(lambda ledger: ledger.keys.clashing(loaded.spec.keys.keys()))
        except LedgerAway:
            clashing = ()  # the keyring looks at it again when it can read the ledger, and lets the spec's keys go first
        if clashing:
            raise KeyClash(
                f"{loaded.path}: keys: the ledger has keys named {', '.join(clashing)} too, made with `tierline keys create` → give those "
                "of the spec other names; a name of the ledger stays taken, for the log knows it"
            )
        at = time.time()
        self._open_for = float(loaded.spec.decision_log.text_retention)
        for kept in (loaded, *loaded.arms.values()):
            self._put(SpecSeen(kept.fingerprint, kept.parts, kept.canonical, at))
        if loaded.spec.experiments:
            self._thread.submit(self._do, lambda ledger: begin(ledger, loaded), "the beginning of the experiments").result()

    def note_spec(self, done: Reloaded) -> None:
        """Put a spec that took another's place into the audit trail; another thread writes it, once for all workers."""
        if done.changed and not done.problem:
            self._soon(Done(f"({done.occasion})", "spec", done.policy, done.at, change=True), "a change of the spec")

    def _soon(self, note: Note, what: str) -> None:
        """Put a note without waiting; `what` names, in a log line, what could not be kept."""
        if self._notes is None:
            self._thread.submit(self._try, partial(note.enter, self._ledger), what)
        else:
            self._desk.submit(self._try, partial(self._notes.put, note), what)
            self._thread.submit(self._carry)

    def _try(self, act: Callable[[], None], what: str) -> None:
        try:
            act()
        except LogFailure as failure:
            _logger.error("%s did not reach the ledger: %s", what, failure.message)

    def review(self, record: Record) -> None:
        """Put a logged request into the review queue, where there is something to judge; another thread writes it."""
        entry = review_of(record) if record.flagged or record.error else None
        if entry is not None:
            self._to_review.append(entry)
            if len(self._to_review) == 1:
                self._desk.submit(self._put_reviews)

    def _put_reviews(self) -> None:
        taken: list[Review] = []
        while self._to_review:
            taken.append(self._to_review.popleft())
        self._soon(ToReview(tuple(taken), self._open_for), f"{len(taken)} requests for the review queue")

    async def follow_pins(self, world: World) -> None:
        """Bring the world's pins and arms up to date, and carry what waits into the ledger, again and again, until cancelled. A pin ends by
        itself: it is no longer read. While the ledger cannot be read, the arms stay as they are, and pins until they end."""
        while True:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._carry)
            try:
                await self.read_pins(world)
                self._noticed(None)
            except LogFailure as failure:
                self._noticed(failure)
                world.pin({route: model for route, (model, until) in self._pinned.items() if until > time.time()})
            await asyncio.sleep(LOOK_EVERY)

    async def read_pins(self, world: World) -> None:
        """Bring the world's pins and the shares of arms up to date. Raises LogFailure."""
        now = time.time()
        pins = await self.ask(lambda ledger: ledger.pins.current(now))
        self._pinned = {pin.route: (pin.model, pin.until) for pin in pins}
        world.pin({route: model for route, (model, _) in self._pinned.items()})
        world.set_arms(await self.ask(shares_now))

    async def forget(self, span: Callable[[], float | None]) -> None:
        """Let evidence go that is older than `span` seconds (None: none is), in batches, again and again, until cancelled."""
        while True:
            await self.forget_once(span())
            await asyncio.sleep(FORGET_EVERY)

    async def forget_once(self, span: float | None) -> None:
        """All that is too old now; others may write between two batches."""
        try:
            while span is not None and await self.ask(partial(_forget, time.time() - span)):
                pass
        except LogFailure as failure:
            _logger.error("old shadows and labels could not be deleted: %s", failure.message)

    def close(self) -> None:
        """Finish what was asked, and let go of the file or database."""
        if self._notes is not None and self._carrier is not None:
            self._desk.submit(self._notes.close).result()
            self._thread.submit(self._carry).result()
            self._thread.submit(self._carrier.close).result()
        self._desk.shutdown()
        self._thread.submit(self._ledger.close).result()
        self._thread.shutdown()


def _forget(before: float, ledger: Ledger) -> bool:
    return ledger.retention.run(before)
