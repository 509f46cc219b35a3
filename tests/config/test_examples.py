"""Every example is a spec that holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline.config.environment import variables
from tierline.config.load import check, load
from tierline.config.presets import presets

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_checks_without_a_word(example: Path) -> None:
    retired = [problem for problem in check(example, {}) if "retired" not in problem.reason]
    assert retired == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_loads_once_its_variables_are_set(example: Path) -> None:
    names = {*variables(example.read_text(encoding="utf-8")), *(preset.key for preset in presets().values())}
    loaded = load(example, {name: f"the-value-of-{name}-for-a-test" for name in names})
    assert loaded.models
    assert all(model.price.known for model in loaded.models.values())


def test_there_is_a_minimal_one_of_about_fifteen_lines() -> None:
    minimal = next(path for path in EXAMPLES if path.name == "minimal.yaml")
    assert len(minimal.read_text(encoding="utf-8").splitlines()) <= 16
