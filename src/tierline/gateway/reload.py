"""The spec at work, and how a new one takes its place: read → check → compile → swap.

A bad spec changes nothing: the old one goes on, and the problem is told in a log line, on `/admin/spec` and as a metric. Requests in
flight finish on the gateway they began on. Providers whose endpoint did not change are handed on with their open
connections; the others are closed once nothing runs on them any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.gateway.assemble import assemble, held_by
from tierline.gateway.gateway import Gateway
from tierline.gateway.shadow.pool import Pool
from tierline.gateway.tools_first import ToolsFirst
from tierline.interfaces import DecisionLog, Provider, Shared
from tierline.state.world import World
from tierline.types.errors import TierlineError
from tierline.types.record import Record

_logger = logging.getLogger("tierline.gateway")

LOOK_EVERY = 1.0
"""Seconds between two looks at the file."""

_DRAIN_LOOK = 0.5

Occasion = Literal["start", "file", "signal", "admin", "release"]

Gate = Callable[[Loaded, Loaded | None], Loaded]
"""Given a spec that was read and the one at work (None at the start): what is put to work of it. Raises TierlineError to refuse it."""


class Reloaded(msgspec.Struct, frozen=True):
    """What a reload did. `problem` is empty when the spec was taken (or had not changed)."""

    at: float
    occasion: Occasion
    changed: bool
    policy: str
    problem: str = ""


class Live:
    """The gateway that answers now. `keep_spec` is called with every spec before it decides anything, `told` with what
    came of every reload. Shadows run in `pool`, under whichever spec. `gate` has the last word on what is put to work; `shared` is what
    other processes hold in common with this one."""

    def __init__(
        self,
        loaded: Loaded,
        environ: Mapping[str, str],
        log: DecisionLog,
        observe: Callable[[Record], None],
        keep_spec: Callable[[Loaded], None],
        told: Callable[[Reloaded], None],
        pool: Pool | None = None,
        gate: Gate = lambda loaded, _: loaded,
        shared: Shared | None = None,
    ) -> None:
        self._environ = environ
        self._gate = gate
        self.log = log
        self._observe = observe
        self._keep_spec = keep_spec
        self._told = told
        self.pool = pool
        self._reloading = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        loaded = gate(loaded, None)
        keep_spec(loaded)
        self.world = World(loaded, shared=shared, lease=float(loaded.spec.shared.lease))
        self.gateway = assemble(loaded, self.world, log, observe, pool=pool)
        self.last = self.last_taken = Reloaded(time.time(), "start", True, loaded.fingerprint)

    async def reload(self, occasion: Occasion) -> Reloaded:
        """Read the spec again and, if it is good, put it to work. Never raises for a bad spec: the answer says what is wrong."""
        async with self._reloading:
            old = self.gateway
            try:
                loaded = await asyncio.to_thread(self._read, old.loaded)
                changed = _at_work(loaded) != _at_work(old.loaded)
                if changed or _reached(loaded) != _reached(old.loaded):
                    new = await asyncio.to_thread(self._compile, loaded, old)
                    self._swap(old, new)
            except TierlineError as error:
                return self._refused(occasion, error.message)
            self._done(Reloaded(time.time(), occasion, changed, loaded.fingerprint))
            return self.last

    def _read(self, old: Loaded) -> Loaded:
        return self._gate(load(old.path, self._environ), old)

    def _compile(self, loaded: Loaded, old: Gateway) -> Gateway:
        self._keep_spec(loaded)
        return assemble(loaded, self.world, self.log, self._observe, old, self.pool)

    def _swap(self, old: Gateway, new: Gateway) -> None:
        self.world.adopt(new.loaded)
        self.gateway = new
        at_work = (new, *new.elsewhere.values())
        for gone in (old, *old.elsewhere.values()):
            if gone not in at_work and gone.shadows is not None:
                gone.shadows.retire()
        _logger.info("the spec %s took the place of %s", new.loaded.fingerprint, old.loaded.fingerprint)
        staying = held_by(new)
        going = [held for held in held_by(old) if held not in staying]
        task = asyncio.create_task(_close_when_idle(old, going))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _refused(self, occasion: Occasion, problem: str) -> Reloaded:
        self._done(Reloaded(time.time(), occasion, False, self.gateway.loaded.fingerprint, problem))
        _logger.error("the spec was not taken, %s stays at work: %s", self.gateway.loaded.fingerprint, problem)
        return self.last

    def _done(self, reloaded: Reloaded) -> None:
        self.last = reloaded
        if reloaded.changed:
            self.last_taken = reloaded
        self._told(reloaded)

    async def watch(self) -> None:
        """Reload whenever the content of the spec, or of a trained scorer that it names, changes; runs until it is cancelled."""
        watched = _watched(self.gateway.loaded)
        stamps, digests = [*map(_stamp, watched)], [*map(_digest, watched)]
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if (seen := [*map(_stamp, watched)]) == stamps:
                continue
            stamps = seen
            if (contents := [*map(_digest, watched)]) == digests:
                continue
            await self.reload("file")
            if (now := _watched(self.gateway.loaded)) != watched:
                watched, stamps, contents = now, [*map(_stamp, now)], [*map(_digest, now)]
            digests = contents

    async def close(self) -> None:
        """End what runs beside, let go of every provider, and of what is held of the budgets."""
        if self.pool is not None:
            await self.pool.close()
        for task in tuple(self._closing):
            task.cancel()
        for held in held_by(self.gateway):
            await held.close()
        await self.world.budgets.close()


async def _close_when_idle(old: Gateway, going: Sequence[Provider | ToolsFirst]) -> None:
    while old.in_flight or any(one.shadows is not None and one.shadows.busy for one in (old, *old.elsewhere.values())):
        await asyncio.sleep(_DRAIN_LOOK)
    for gone in going:
        await gone.close()


def _at_work(loaded: Loaded) -> tuple[object, ...]:
    """What makes one spec another: what it says, who may call, the tables it names, how releases go, and the specs of its
    experiments' arms."""
    arms = {arm: _at_work(other) for arm, other in loaded.arms.items()}
    return loaded.fingerprint, loaded.canonical, loaded.keys, loaded.files, loaded.spec.release, loaded.spec.alerts, loaded.webhooks, arms


def _reached(loaded: Loaded) -> list[tuple[object, ...]]:
    """What is called: providers and sources with their secrets, those of the arms' specs too."""
    return [(one.providers, one.sources) for one in (loaded, *loaded.arms.values())]


def _watched(loaded: Loaded) -> list[Path]:
    """The files whose change is a change of the spec: itself, its trained scorers, and those of its arms' specs."""
    specs = (loaded, *loaded.arms.values())
    return [path for one in specs for path in (one.path, *(one.path.parent / name for name in one.scorers))]


def _stamp(path: Path) -> tuple[int, int, int]:
    """What tells cheaply that a file may have changed; zeros when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0, 0)
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""
