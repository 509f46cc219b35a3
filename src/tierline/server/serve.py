"""One worker's life: assemble, listen, answer, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import uvloop

from tierline.config.loaded import Loaded
from tierline.gateway.assemble import evidence_kept, log_path, logs_of, open_log, open_shared, read_at
from tierline.gateway.books import Books
from tierline.gateway.lifecycle import Lifecycle
from tierline.gateway.recall import keep, remember
from tierline.gateway.reload import Live, Reloaded
from tierline.gateway.shadow.accounts import Accounts
from tierline.gateway.shadow.pool import Pool
from tierline.gateway.summing import keep_summed
from tierline.gateway.together import Together
from tierline.interfaces import DecisionLog, Shared
from tierline.server.admin import Admin, Reviewing
from tierline.server.alerting import Alerting
from tierline.server.app import App
from tierline.server.endpoints import endpoints
from tierline.server.key_admin import Keeping
from tierline.server.keyring import Keyring
from tierline.server.listen import is_loopback
from tierline.server.metrics import Meters
from tierline.server.panels.ground import Ground
from tierline.server.panels.panels import routes_of
from tierline.server.public import Public
from tierline.server.referee import watch_experiments
from tierline.server.release_admin import Releasing
from tierline.server.release_watch import watch_published
from tierline.server.serving import Serving
from tierline.server.telemetry import Telemetry
from tierline.types.errors import LedgerAway
from tierline.types.record import Record

_logger = logging.getLogger("tierline.server")

COLLECT_EVERY = 10_000, 50, 50
"""The collector's thresholds: little that requests leave behind is part of a cycle, and what is in flight need not be looked through again
and again."""

LAST_MOMENT = 2.0
"""Seconds that requests get to end after their drain is over and they have been cancelled."""


class Service(msgspec.Struct, frozen=True):
    """What a worker serves: a listening socket, the variables its spec reads, where the log is (None: as the spec says), and
    what it shares with others (None: what the spec says)."""

    listener: socket.socket
    environ: Mapping[str, str]
    log: Path | None = None
    shared: Callable[[], Shared] | None = None


def run(service: Service, loaded: Loaded, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain. `ready` is called once requests are taken. Raises LogFailure when the log cannot be
    opened, or when rows of it could not be written before the end."""
    path = service.log or log_path(loaded)
    log = open_log(loaded, path)
    try:
        with contextlib.closing(Books(path, loaded.spec.decision_log.url, loaded.spec.decision_log.read_url)) as books:
            uvloop.run(_serve(service, loaded, path, log, books, ready))
    finally:
        log.close()


async def _serve(service: Service, loaded: Loaded, path: Path, log: DecisionLog, books: Books, ready: Callable[[], None]) -> None:
    meters = Meters()
    telemetry = Telemetry(meters)

    def observe(record: Record) -> None:
        telemetry.observe(record)
        books.review(record)

    def told(done: Reloaded) -> None:
        meters.reloaded(done)
        telemetry.follow(live.gateway.loaded.spec)
        books.note_spec(done)
        lifecycle.taken(done)

    lifecycle = Lifecycle(books, loaded.path, service.environ)
    loaded = await asyncio.to_thread(lifecycle.begun, loaded)
    pool = Pool(Accounts(books.ask, books.note), meters.shadows)
    shared = open_shared(loaded) if service.shared is None else service.shared()
    live = Live(loaded, service.environ, log, observe, books.keep_spec, told, pool, lifecycle.gate, shared)
    logs = logs_of(loaded, path)
    together = None if shared is None else Together(shared, live.world, logs, lambda: (live.last_taken.policy, live.last_taken.at))
    books.note_spec(live.last)
    lifecycle.taken(live.last)
    public = Public(live, books, meters, together)
    ring = Keyring(public=not is_loopback(service.listener.getsockname()[0]))
    keeping = Keeping(live, books, ring)
    app = App(
        live,
        meters,
        endpoints(live.gateway.dialects),
        public,
        Admin(live, books),
        Reviewing(books),
        keeping,
        Releasing(live, books, service.environ),
        routes_of(Ground(live, books, logs)),
        telemetry,
    )
    telemetry.follow(live.gateway.loaded.spec)
    limits = loaded.spec.server
    server = Serving(app.answer, service.listener, limits.max_connections, limits.idle_timeout)
    signals = _on_signals(live)
    await _begin_with(books, ring, live)
    if together is not None:
        await together.beat()
    await remember(live.world.budgets, logs)
    chores = [
        keep(live.world.budgets, logs),
        live.watch(),
        books.follow_pins(live.world),
        books.forget(lambda: evidence_kept(live.gateway.loaded)),
        ring.follow(books, live),
        meters.keep_counting(public.gauges),
        app.end_late_bodies(),
        watch_experiments(live, books, read_at(loaded, path)),
        lifecycle.follow(live),
        watch_published(live, books, read_at(loaded, path), service.environ),
        keep_summed(loaded, path),
        Alerting(live, books, read_at(loaded, path), meters.alerts).run(),
        *([] if together is None else [together.follow()]),
    ]
    background = [asyncio.create_task(chore) for chore in chores]
    serving = asyncio.create_task(server.serve())
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)
    await asyncio.sleep(0)
    ready()
    await asyncio.wait([serving, asyncio.create_task(signals.stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    public.draining = server.leaving = True
    await _given_notice(signals, live.gateway.loaded.spec.server.notice)
    server.stop()
    service.listener.close()
    for task in background:
        task.cancel()
    await _drained(serving, app, live.gateway.loaded.spec.server.drain)
    await live.close()
    telemetry.close()


async def _begin_with(books: Books, ring: Keyring, live: Live) -> None:
    """What the ledger says at the start. Without it the spec's keys alone open, until it can be read."""
    try:
        await books.read_pins(live.world)
        await ring.read(books, live)
        head = await books.ask(lambda ledger: ledger.audit.head())
    except LedgerAway as failure:
        ring.blind = True
        _logger.error("begun without keys, pins and arms of the ledger: %s", failure.message)
    else:
        await books.look_for_what_was_left()
        _logger.info("the audit trail's head is %d:%s", head.seq, head.hash)


class Signals(msgspec.Struct, frozen=True):
    """What the process was told: to stop, and not to wait until others have noticed."""

    stopping: asyncio.Event
    hurry: asyncio.Event


async def _given_notice(signals: Signals, span: float) -> None:
    """Returns `span` seconds later, or as soon as there is a hurry: until then load balancers see that the server is not ready."""
    if span > 0 and not signals.hurry.is_set():
        await asyncio.wait([asyncio.create_task(signals.hurry.wait())], timeout=span)


def _on_signals(live: Live) -> Signals:
    """SIGTERM stops with notice, SIGINT or a second SIGTERM without; SIGHUP reads the spec again."""
    loop = asyncio.get_running_loop()
    signals = Signals(asyncio.Event(), asyncio.Event())
    reloads: set[asyncio.Task[object]] = set()

    def reload() -> None:
        task = loop.create_task(live.reload("signal"))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    def stop(*, at_once: bool) -> None:
        if at_once or signals.stopping.is_set():
            signals.hurry.set()
        signals.stopping.set()

    loop.add_signal_handler(signal.SIGHUP, reload)
    loop.add_signal_handler(signal.SIGTERM, lambda: stop(at_once=False))
    loop.add_signal_handler(signal.SIGINT, lambda: stop(at_once=True))
    return signals


async def _drained(serving: asyncio.Task[None], app: App, patience: float) -> None:
    """Returns when every request in flight has ended; after `patience` seconds they are cancelled (and logged as such)."""
    _, late = await asyncio.wait([serving], timeout=patience)
    if late:
        _logger.warning("%d requests were still running after %g s and are cancelled", app.in_flight, patience)
        app.cancel_all()
        await asyncio.wait([serving], timeout=LAST_MOMENT)
    if not serving.done():
        serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
