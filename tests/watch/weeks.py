"""Decision logs of some weeks, written as a gateway writes them, with what is planted in their last hours."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.decision_log.sqlite import SqliteLog
from tierline.routing.router import Router
from tierline.testing.builders import features
from tierline.types.outcome import Usage, Verdict
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

FLEET = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.9}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, model: mini-4, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000}
tasks:
  greeting: {why: Chatter., models: [mini, big], latency_budget: 2s, validate: [{max_chars: 4000}]}
keys:
  admin: {secret: "${ADMIN_KEY}", scopes: [admin, call]}
"""
ADMIN = "an-admin-key-of-some-length"

Fails = Callable[[int], float]
"""Hours before the end → the chance that the first answer is rejected."""


def spec(folder: Path, alerts: str, **environ: str) -> Loaded:
    """A spec with this section of alerts."""
    path = folder / "tierline.yaml"
    path.write_text(f"{FLEET}alerts: {alerts}\n")
    return load(path, {"ADMIN_KEY": ADMIN, **environ})


def write(loaded: Loaded, path: Path, end: float, *, hours: int = 5 * 168, an_hour: int = 4, fails: Fails = lambda _: 0.05, seed: int = 1,
          served: Callable[[int], str] = lambda _: "mini-4", prompt: Callable[[int], str] = lambda _: "usual") -> None:  # fmt: skip
    """So many requests in each of the hours before `end` (Unix seconds, a whole hour)."""
    dice, router = random.Random(seed), Router(loaded)
    log = SqliteLog(path, retention=None, text_retention=60.0, max_queue=1_000_000, clock=lambda: end)
    for back in range(hours, 0, -1):
        for _ in range(an_hour):
            at, rejected = end - 3600.0 * (back - dice.random() * 0.999), dice.random() < fails(back)
            one = features(
                request_id=f"r{dice.getrandbits(60):x}",
                hints={"task": "greeting"},
                draw=dice.random(),
                input_tokens=100,
                prompt_fingerprint=prompt(back),
                session="",
            )
            decision = router.decide(one, NO_SCORES, NO_VIEW)
            first = Tried("mini", "first", True, 0.0001, 0.5, 0.1, Usage(100, 50), verdicts=(Verdict("max_chars", not rejected),),
                          served_model=served(back))  # fmt: skip
            second = Tried("big", "escalation", True, 0.002, 0.8, 0.2, Usage(100, 50), verdicts=(Verdict("max_chars", True),))
            tried = (first, second) if rejected else (first,)
            log.put(Record(at=at, features=one, decision=decision, tried=tried, winner=len(tried) - 1))
    asyncio.run(log.flushed())
    log.close()
