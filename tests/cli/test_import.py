"""`tierline import litellm`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tierline.cli.app import build
from tierline.config.load import check

CONFIG = "model_list:\n  - model_name: mini\n    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY, rpm: 9}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


def run(*args: str) -> Result:
    """One command."""
    return CliRunner().invoke(build(["import", "version"]), ["import", "litellm", *args])


def test_it_writes_a_spec_that_checks(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tierline.yaml"
    done = run(str(config), "-o", str(out))
    assert done.exit_code == 0
    assert [problem for problem in check(out, {}) if problem.severity == "error"] == []


def test_without_an_output_it_prints_the_spec(config: Path) -> None:
    done = run(str(config))
    assert done.exit_code == 0
    assert done.output.startswith("# Imported from a LiteLLM configuration")


def test_it_does_not_overwrite_unless_told_to(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tierline.yaml"
    out.write_text("mine")
    assert run(str(config), "-o", str(out)).exit_code == 2
    assert out.read_text() == "mine"
    assert run(str(config), "-o", str(out), "--force").exit_code == 0
    assert out.read_text() != "mine"


def test_what_is_no_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("a: 1\n")
    done = run(str(tmp_path / "other.yaml"))
    assert done.exit_code == 2
    assert "no model_list" in done.output
