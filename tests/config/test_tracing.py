"""What the check says of `tracing`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline.config.load import check, load

FLEET = """
version: 1
providers: {fleet: {kind: scripted, script: {seed: 1, latency: none, models: {mini: {ability: 1}}}}}
models: {mini: {provider: fleet, tier: fast, price: {input: 0, output: 0}}}
"""


def told(tmp_path: Path, tracing: str) -> list[str]:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + f"tracing: {tracing}\n")
    return [f"{problem.severity} {problem.path}" for problem in check(spec)]


@pytest.mark.parametrize(
    ("tracing", "says"),
    [
        ("{endpoint: 'http://collector:4318', sample: 0.5}", []),
        ("{endpoint: '${COLLECTOR}', headers: {authorization: '${TOKEN}'}}", []),
        ("{endpoint: 'collector:4318'}", ["error tracing.endpoint"]),
        ("{endpoint: 'http://collector:4317'}", ["warning tracing.endpoint"]),
        ("{endpoint: 'https://me:word@collector'}", ["error tracing.endpoint"]),
        ("{endpoint: 'http://c', headers: {x-key: sk-abcdefghijkl0123456789}}", ["warning tracing.headers.x-key"]),
        ("{sample: 0.5}", ["warning tracing.sample"]),
        ("{endpoint: 'http://c', sample: 2}", ["error tracing.sample"]),
    ],
)
def test_each_mistake_is_told_where_it_stands(tmp_path: Path, tracing: str, says: list[str]) -> None:
    assert told(tmp_path, tracing) == says


def test_where_traces_go_does_not_decide_and_is_not_kept(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET)
    before = load(spec, {})
    spec.write_text(FLEET + "tracing: {endpoint: 'http://c', headers: {x-team: '${TOKEN}'}}\n")
    after = load(spec, {"TOKEN": "a-secret-token"})
    assert after.fingerprint == before.fingerprint and b"tracing" not in after.canonical
    assert after.spec.tracing.headers == {"x-team": "a-secret-token"}
