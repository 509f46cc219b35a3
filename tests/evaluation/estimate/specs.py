"""A desk of three models and two checked tasks, for the tests of the estimate."""

from __future__ import annotations

from pathlib import Path

from tierline.config.load import load
from tierline.config.loaded import Loaded

DESK = """
version: 1
providers: {fleet: {kind: scripted, script: {latency: none}}}
models:
  a: {provider: fleet, tier: fast, price: {input: 1, output: 4}, capabilities: [json_object]}
  b: {provider: fleet, tier: balanced, price: {input: 8, output: 32}, capabilities: [json_object]}
  c: {provider: fleet, tier: best, price: {input: 30, output: 150}, capabilities: [json_object]}
tasks:
  orders:
    why: Fields.
    traffic_share: 0.75
    quality_bar: 0.7
    failure_cost: 0.03
    latency_budget: 20s
    tokens: {input: 900, output: 150}
    models: [a, b, c]
    quality: {a: 0.8, b: 0.9, c: 0.97}
    validate: [{json: object, retry: 1}]
    reviewed: 2026-11-01
  drafts:
    why: Words.
    traffic_share: 0.25
    quality_bar: 0.8
    failure_cost: 0.2
    tokens: {input: 500, output: 300}
    models: [b, c]
    quality: {b: 0.85, c: 0.95}
    validate: [{min_chars: 10}]
routes: {auto: {deadline: 600s}}
"""


def desk(folder: Path, old: str = "", new: str = "") -> Loaded:
    """The desk's spec, loaded; `new` in place of `old`."""
    assert old in DESK
    return loaded(folder, DESK.replace(old, new) if old else DESK)


def loaded(folder: Path, text: str) -> Loaded:
    """A spec, loaded."""
    path = folder / "tierline.yaml"
    path.write_text(text)
    return load(path, need_secrets=False)
