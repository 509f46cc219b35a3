"""Specs that answer for an arm are held to what stands above an experiment."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.spec_text import FLEET
from tierline.config.load import check, load

EXPERIMENT = "experiments: {e: {arms: {now: 0.5, next: {share: 0.5, spec: next.yaml}}}}\n"
GOVERNED = 'governance: {rules: [{when: code, allow: {residency: on_prem}, why: "stays"}]}\n'


def written(folder: Path, spec: str, arm: str) -> Path:
    (folder / "next.yaml").write_text(FLEET + arm)
    path = folder / "tierline.yaml"
    path.write_text(FLEET + EXPERIMENT + spec)
    return path


def test_an_arms_spec_is_loaded_beside_the_spec(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, GOVERNED, GOVERNED + "tasks: {orders: {why: x}}\n"), {}, need_secrets=False)
    assert loaded.arms["e/next"].fingerprint == load(tmp_path / "next.yaml", {}, need_secrets=False).fingerprint


@pytest.mark.parametrize(
    ("spec", "arm", "reason"),
    [
        (GOVERNED, "", "an experiment never crosses governance"),
        ("keys: {k: {secret: '${K}', models: [own]}}\n", "keys: {k: {secret: '${K}'}}\n", "may do other things"),
        ("", "experiments: {x: {arms: {mini: 0.5, full: 0.5}}}\n", "experiments of its own"),
        ("routes: {chat: {}}\n", "", "has no route 'chat'"),
        ("", "taks: {}\n", "that spec is refused: "),
    ],
)
def test_one_that_would_be_a_way_around_something_is_refused(tmp_path: Path, spec: str, arm: str, reason: str) -> None:
    path = written(tmp_path, spec, arm)
    found = [problem for problem in check(path, {}) if problem.severity == "error"]
    assert [problem.path for problem in found] == ["experiments.e.arms.next.spec"]
    assert reason in found[0].reason
