from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.harness import Running, serving
from server.upstream import Upstream

FLEET = """
version: 1
providers:
  fleet:
    kind: scripted
    script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, mid: {ability: 0.8}, big: {ability: 0.99}, vectors: {}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000, capabilities: [tools, json_object]}
  mid: {provider: fleet, tier: balanced, price: {input: 1, output: 4}, context: 100000, capabilities: [tools, json_object]}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000, capabilities: [tools, json_object]}
  vectors: {provider: fleet, tier: fast, price: {input: 0.01, output: 0}, context: 8000, capabilities: [embeddings]}
tasks:
  greeting: {why: Chatter., models: [mini]}
routes:
  auto: {}
  audited: {log_text: all}
server: {max_body: 64KB, max_messages: 50, drain: 5s}
"""

FAULTS = """
version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", api_key: "${{UPSTREAM_KEY}}", timeout: 5s}}
  nobody: {{dialect: openai_chat, base_url: "http://127.0.0.1:1/v1"}}
tiers: [early, late, busy, mixed, down, fast]
routes: {{auto: {{deadline: 5s}}}}
models:
  steady: {{provider: up, tier: fast, price: {{input: 1, output: 2}}, capabilities: [tools]}}
"""


def _scenario(name: str, tier: str, price: float, upstream: str, provider: str = "up") -> str:
    cost = f"{{input: {price}, output: {price}}}"
    return f"  {name}: {{provider: {provider}, model: {upstream}, tier: {tier}, price: {cost}, capabilities: [tools]}}\n"


SCENARIOS = (
    _scenario("early-1", "early", 1, "cut-early")
    + _scenario("early-2", "early", 2, "steady")
    + _scenario("late-1", "late", 1, "cut-late")
    + _scenario("late-2", "late", 2, "steady")
    + _scenario("busy-1", "busy", 1, "status-429")
    + _scenario("busy-2", "busy", 2, "status-429")
    + _scenario("mixed-1", "mixed", 1, "garbage")
    + _scenario("mixed-2", "mixed", 2, "hangup")
    + _scenario("mixed-3", "mixed", 3, "status-500")
    + _scenario("nobody", "down", 1, "nobody", "nobody")
    + "".join(
        _scenario(name, "down", 1, name)
        for name in ("garbage", "silent", "slow-stream", "no-usage", "status-400", "status-429", "status-503", "hangup", "cut-late")
    )
)


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    with Upstream().running() as running:
        yield running


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway on a scripted fleet."""
    yield from _served(tmp_path_factory.mktemp("fleet") / "tierline.yaml", FLEET)


@pytest.fixture(scope="package")
def faults(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    """A gateway before an upstream with faults."""
    spec = FAULTS.format(port=upstream.port) + SCENARIOS
    yield from _served(tmp_path_factory.mktemp("faults") / "tierline.yaml", spec, UPSTREAM_KEY="sk-upstream")


def _served(path: Path, spec: str, **environ: str) -> Iterator[Running]:
    path.write_text(spec)
    with serving(path, **environ) as running:
        yield running
