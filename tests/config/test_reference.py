"""The JSON Schema and the reference say what the loader does."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config.spec_text import FLEET
from tierline.config import unavailable
from tierline.config.conditions import FUNCTIONS
from tierline.config.expressions import NAMES
from tierline.config.schema import json_schema, reference, sections

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def as_json(data: Any) -> Any:
    """Data as an editor hands it to a schema: dates are texts."""
    if isinstance(data, dict):
        return {key: as_json(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_json(item) for item in data]
    return data.isoformat() if isinstance(data, datetime.date) else data


def refused(text: str) -> list[str]:
    """The paths that the schema refuses."""
    return sorted(error.json_path.removeprefix("$.") for error in VALIDATOR.iter_errors(as_json(yaml.safe_load(text))))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_an_editor_takes_the_examples(example: Path) -> None:
    assert refused(example.read_text(encoding="utf-8")) == []


def test_an_editor_refuses_what_is_not_available_yet() -> None:
    text = (ROOT / "tests/config/golden/design.yaml").read_text(encoding="utf-8")
    expected = (ROOT / "tests/config/golden/expected.txt").read_text(encoding="utf-8").splitlines()
    keys = {line.split()[1].replace("team-a", "['team-a']").replace("keys.[", "keys[") for line in expected if not line.startswith("#")}
    assert set(refused(text)) == keys - {"providers.anthropic", "routes.auto.scorer.kind"}  # names from registries are no part of a schema


@pytest.mark.parametrize(
    ("snippet", "path"),
    [
        ("taks: {}", "$"),
        ("tasks: {t: {why: x, quality_bar: 2}}", "tasks.t.quality_bar"),
        ("tasks: {t: {why: x, latency_budget: soon}}", "tasks.t.latency_budget"),
        ("routes: {auto: {select: cheapest}}", "routes.auto.select"),
        ("server: {max_body: 10 MiB}", "server.max_body"),
    ],
)
def test_an_editor_refuses_what_the_loader_refuses(snippet: str, path: str) -> None:
    assert refused(FLEET + snippet) == [path]


def test_every_key_that_can_be_written_has_a_meaning_in_the_reference() -> None:
    for row in reference().splitlines():
        cells = row.split(" | ")
        assert len(cells) not in (3, 4) or cells[-1].removesuffix("|").strip(), row


def test_the_committed_reference_is_up_to_date() -> None:
    page = ROOT / "docs/reference/spec.md"
    assert page.read_text(encoding="utf-8") == reference(), "run: make docs"


def test_every_row_of_the_table_of_what_is_to_come_is_a_key_of_the_spec() -> None:
    keys = {(*path, field.encode_name) for path, struct in sections() for field in struct.fields}
    assert set(unavailable.KEYS) <= keys


def test_the_reference_names_everything_an_expression_may_use() -> None:
    page = reference()
    assert all(f"| `{name}` |" in page for name in NAMES)
    assert all(f"`{name}`" in page for name in FUNCTIONS)
