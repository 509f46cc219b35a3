"""The fingerprint changes with what decides, and with nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.spec_text import FLEET
from tierline.config.load import load
from tierline.config.loaded import Loaded

TEXT = (
    FLEET
    + """\
signals:
  anger: {keywords: [refund, lawyer]}
tasks:
  t: {why: x, models: [mini, full], quality_bar: 0.9, latency_budget: 2s, quality: {mini: 0.8, full: 0.95}}
  u: {why: y, risk: high, traffic_share: 0.5}
routes:
  auto:
    difficulty: {fast: 0.4}
    rules: [{when: signals.anger > 0, use: best, why: z}]
    cascade: {max_cost: 0.5}
governance:
  rules: [{when: "risk == 'high'", why: w, allow: {models: [full]}}]
keys:
  team: {secret: "${TEAM_KEY}", models: [mini, full, own]}
decision_log: {retention: 30d}
server: {max_messages: 500}
"""
)
ENVIRON = {"OPENAI_API_KEY": "sk-one", "TEAM_KEY": "a-secret-that-is-long-enough"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs")


def loaded(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> Loaded:
    """A spec of this text."""
    file = folder / "tierline.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def shuffled(data: Any, chance: random.Random) -> Any:
    """The same data with the keys of every mapping in another order."""
    if isinstance(data, dict):
        keys = list(data)
        chance.shuffle(keys)
        return {key: shuffled(data[key], chance) for key in keys}
    return [shuffled(item, chance) for item in data] if isinstance(data, list) else data


@given(st.randoms(use_true_random=False), st.sampled_from([40, 80, 1000]), st.booleans())
def test_the_order_of_keys_and_the_layout_change_nothing(folder: Path, chance: random.Random, width: int, flow: bool) -> None:
    again = yaml.safe_dump(shuffled(yaml.safe_load(TEXT), chance), sort_keys=False, width=width, default_flow_style=flow)
    first, second = loaded(folder, TEXT), loaded(folder, again)
    assert (first.fingerprint, first.canonical) == (second.fingerprint, second.canonical)
    assert list(first.models) == list(second.models)
    assert list(first.spec.tasks) == list(second.spec.tasks)


@given(st.text("abcdefghijklmnop0123456789-", min_size=20, max_size=60), st.text("abcdef", min_size=1))
def test_the_value_of_a_secret_changes_nothing(folder: Path, secret: str, other: str) -> None:
    assert loaded(folder, TEXT).fingerprint == loaded(folder, TEXT, {"TEAM_KEY": secret, "OPENAI_API_KEY": other}).fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retention: 30d", "retention: 60d"),
        ("max_messages: 500", "max_messages: 501"),
        ("version: 1", "# a comment\nversion: 1"),
        ("latency_budget: 2s", "latency_budget: 2000ms"),
        ("tier: fast}", 'tier: "fast"}'),
        ("risk: high,", "risk: high, prefer: cost,"),
    ],
)
def test_what_does_not_decide_changes_nothing(folder: Path, old: str, new: str) -> None:
    assert loaded(folder, TEXT).fingerprint == loaded(folder, TEXT.replace(old, new)).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("quality_bar: 0.9", "quality_bar: 0.91", "spec"),
        ("latency_budget: 2s", "latency_budget: 3s", "spec"),
        ("mini: 0.8", "mini: 0.81", "spec"),
        ("keywords: [refund, lawyer]", "keywords: [lawyer, refund]", "spec"),
        ("models: [mini, full], quality_bar", "models: [mini], fallback: [full], quality_bar", "spec"),
        ("signals.anger > 0", "signals.anger > 1", "spec"),
        ("fast: 0.4", "fast: 0.5", "spec"),
        ("max_cost: 0.5", "max_cost: 0.6", "spec"),
        ("allow: {models: [full]}", "allow: {models: [full, mini]}", "spec"),
        ("models: [mini, full, own]", "models: [mini, full]", "spec"),
        ("residency: on_prem", "residency: cloud", "models"),
        ("model: gpt-5-mini", "model: gpt-5-nano", "models"),
        ("price: {input: 0, output: 0}", "price: {input: 0, output: 1}", "prices"),
        ("model: gpt-5-mini", "model: gpt-5-nano", "prices"),
        ("capabilities: [tools]", "capabilities: [tools, vision]", "models"),
    ],
)
def test_what_decides_changes_the_fingerprint_and_its_own_part(folder: Path, old: str, new: str, part: str) -> None:
    first, second = loaded(folder, TEXT), loaded(folder, TEXT.replace(old, new))
    assert old in TEXT
    assert first.fingerprint != second.fingerprint
    assert first.parts[part] != second.parts[part]


def test_the_parts_are_named(folder: Path) -> None:
    spec = loaded(folder, TEXT)
    assert set(spec.parts) == {"spec", "models", "prices", "catalogue"}
    assert all(len(digest) == 12 for digest in (*spec.parts.values(), spec.fingerprint))
