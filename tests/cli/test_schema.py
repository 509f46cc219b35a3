"""`tierline schema`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.config.presets import page
from tierline.config.schema import json_schema, reference


def test_it_prints_the_json_schema() -> None:
    done = CliRunner().invoke(build(["schema", "version"]), ["schema"])
    assert done.exit_code == 0
    assert json.loads(done.output) == json.loads(json.dumps(json_schema()))


def test_it_writes_the_pages_of_the_reference(tmp_path: Path) -> None:
    done = CliRunner().invoke(build(["schema", "version"]), ["schema", "--reference", str(tmp_path / "pages")])
    assert done.exit_code == 0
    assert (tmp_path / "pages/spec.md").read_text(encoding="utf-8") == reference()
    assert (tmp_path / "pages/providers.md").read_text(encoding="utf-8") == page()
