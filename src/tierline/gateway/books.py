"""The ledger on a thread of its own, so that nobody waits for the disk but who asks it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tierline.config.loaded import Loaded
from tierline.gateway.arms import begin, shares_now
from tierline.gateway.reload import Reloaded
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import Review, review_of
from tierline.state.world import World
from tierline.types.errors import LogFailure, TierlineError
from tierline.types.record import Record

T = TypeVar("T")

_logger = logging.getLogger("tierline.gateway")

MOST_WAITING = 10_000
"""Entries for the review queue that wait for the disk; past it the oldest are left out (their rows in the log still say `flagged`)."""

LOOK_EVERY = 1.0
"""Seconds between two looks at pins and arms: how long it takes until what another process did to them works here."""


FORGET_EVERY = 60.0
"""Seconds between two looks for evidence that is too old."""


class KeyClash(TierlineError):
    """Spec and ledger have keys of the same name, so that rules and budgets could mean either."""


class Books:
    """One ledger and its thread. Raises LogFailure when the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._open_for = 7 * 86400.0
        self._to_review: deque[Review] = deque(maxlen=MOST_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tierline-ledger")
        self._ledger = self._thread.submit(Ledger, path).result()

    async def ask(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns; it runs on the ledger's thread, alone."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, self._ledger)

    def wait(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns, for threads that may wait."""
        return self._thread.submit(act, self._ledger).result()

    def later(self, act: Callable[[Ledger], object], what: str) -> None:
        """Do it when the thread comes to it; `what` names, in a log line, what did not reach the ledger where it cannot be written."""

        def done(ledger: Ledger) -> None:
            try:
                act(ledger)
            except LogFailure as failure:
                _logger.error("%s did not reach the ledger: %s", what, failure.message)

        self._thread.submit(done, self._ledger)

    def keep_spec(self, loaded: Loaded) -> None:
        """Keep a spec before it decides anything; returns when it is on disk. For threads that may wait. Raises KeyClash."""
        if clashing := self._thread.submit(self._ledger.keys.clashing, loaded.spec.keys.keys()).result():
            raise KeyClash(
                f"{loaded.path}: keys: the ledger has keys named {', '.join(clashing)} too, made with `tierline keys create` → give those "
                "of the spec other names; a name of the ledger stays taken, for the log knows it"
            )
        at = time.time()
        self._open_for = float(loaded.spec.decision_log.text_retention)
        for kept in (loaded, *loaded.arms.values()):
            self._thread.submit(self._ledger.specs.keep, kept.fingerprint, kept.parts, kept.canonical, at).result()
        if loaded.spec.experiments:
            self._thread.submit(begin, self._ledger, loaded).result()

    def note_spec(self, done: Reloaded) -> None:
        """Put a spec that took another's place into the audit trail; another thread writes it, once for all workers."""
        if done.changed and not done.problem:
            self._thread.submit(self._note_spec, done)

    def _note_spec(self, done: Reloaded) -> None:
        try:
            self._ledger.audit.add_change(f"({done.occasion})", "spec", done.policy)
        except LogFailure as failure:
            _logger.error("the spec %s is at work and not in the audit trail: %s", done.policy, failure.message)

    def review(self, record: Record) -> None:
        """Put a logged request into the review queue, where there is something to judge; another thread writes it."""
        entry = review_of(record) if record.flagged or record.error else None
        if entry is not None:
            self._to_review.append(entry)
            if len(self._to_review) == 1:
                self._thread.submit(self._put_reviews)

    def _put_reviews(self) -> None:
        taken: list[Review] = []
        while self._to_review:
            taken.append(self._to_review.popleft())
        try:
            self._ledger.reviews.add(taken, self._open_for)
        except LogFailure as failure:
            _logger.error("%d requests did not reach the review queue: %s", len(taken), failure.message)

    async def follow_pins(self, world: World) -> None:
        """Bring the world's pins and arms up to date, again and again, until cancelled. A pin ends by itself: it is no longer read."""
        while True:
            await self.read_pins(world)
            await asyncio.sleep(LOOK_EVERY)

    async def read_pins(self, world: World) -> None:
        """Bring the world's pins and the shares of arms up to date."""
        world.pin(await self.ask(lambda ledger: ledger.pins.active(time.time())))
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
        """Finish what was asked, and let go of the file."""
        self._thread.submit(self._ledger.close).result()
        self._thread.shutdown()


def _forget(before: float, ledger: Ledger) -> bool:
    return ledger.retention.run(before)
