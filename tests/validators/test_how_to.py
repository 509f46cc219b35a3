"""The how-to shows every kind of check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tierline.config.answer_checks import KINDS
from tierline.config.validation import kinds_of

PAGE = Path(__file__).parents[2] / "docs/how-to/check-answers.md"


def shown() -> set[str]:
    """The kinds that stand in its examples."""
    blocks = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)]
    return {kind for block in blocks for task in block["tasks"].values() for entry in task["validate"] for kind in kinds_of(entry)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example(kind: str) -> None:
    assert kind in shown()
