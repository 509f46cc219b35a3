"""Days of traffic in a log, as one likes them: two tasks, two models, checks, failures, prompts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.ledger import Ledger
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Record, Tried

SPEC = """
version: 1
providers: {fleet: {kind: scripted, script: {seed: 7, models: {mini: {ability: 0.5}, opus: {ability: 0.99}}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 1, output: 4}}
  opus: {provider: fleet, tier: best, price: {input: 5, output: 20}}
tasks:
  orders:  # kept
    why: The check is concrete.
    owner: support
    models: [mini, opus]
    quality_bar: 0.8
    failure_cost: 0.05
    latency_budget: 2s
    quality: {mini: 0.95}
    validate: [{max_chars: 400}]
    reviewed: 2026-10-01
  letters: {why: Short., owner: post, models: [opus], reviewed: 2026-11-01}
routes: {auto: {owner: support}, nightly: {owner: batch}}
"""
DAY = 86400.0
MIDNIGHT = 1_795_219_200.0
"""2026-11-21, 00:00 UTC."""


def request(
    number: int, at: float, *, task: str = "orders", route: str = "auto", passes: bool = True, seconds: float = 0.5, prompt: str = "p1",
    down: bool = False, climbs: bool = False, nobody: bool = False, first: str = "mini",
) -> Record:  # fmt: skip
    """One request: its first model passes its check or not; or it is `down`, and opus answers instead; or it climbs; or nobody answers."""
    verdicts = (Verdict("orders/max_chars", passes and not climbs),)
    tried = [Tried(first, "first", True, 0.001 if first == "mini" else 0.01, seconds, 0.1, Usage(100, 50), verdicts=verdicts)]
    if down or nobody:
        tried = [Tried(first, "first", False, 0.0, 0.2, None, NO_USAGE, "server", 500)]
    if (down or climbs) and not nobody:
        cause, good = "escalation" if climbs else "fallback", (Verdict("orders/max_chars", True),)
        tried.append(Tried("opus", cause, True, 0.01, seconds, 0.1, Usage(100, 50), verdicts=good))
    request_id = f"r{number:06d}"
    decision = Decision(request_id, route, "3f9a1c0b77de", (Step("fast", (first,)), Step("best", ("opus",))), task=task)
    status, error = (502, "upstream_failed") if nobody else (200, "")
    return Record(at, Features(request_id, route=route, prompt_fingerprint=prompt), decision, tuple(tried),
                  winner=None if nobody else len(tried) - 1, status=status, error=error)  # fmt: skip


def numbered(*stretches: Iterable[Record]) -> Iterator[Record]:
    """All of them, each under an id of its own."""
    for number, one in enumerate(record for stretch in stretches for record in stretch):
        request_id = f"r{number:06d}"
        yield msgspec.structs.replace(
            one,
            features=msgspec.structs.replace(one.features, request_id=request_id),
            decision=msgspec.structs.replace(one.decision, request_id=request_id),
        )


def written(folder: Path, records: Iterable[Record]) -> Path:
    """The spec and the log in a folder; the spec's path."""
    (folder / "tierline.yaml").write_text(SPEC)
    with closing(SqliteLog(folder / "tierline.db")) as log:
        for one in records:
            log.put(one)
        asyncio.run(log.flushed())
    Ledger(folder / "tierline.db").close()
    return folder / "tierline.yaml"
