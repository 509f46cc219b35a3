"""`tierline catalogue`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.config.catalogue import Catalogue

ENVIRON = {"COLUMNS": "200"}


def run(*args: str) -> tuple[int, str]:
    """Exit code and output of one command."""
    done = CliRunner(env=ENVIRON).invoke(build(["catalogue", "version"]), ["catalogue", *args])
    return done.exit_code, done.output


def test_show_tells_price_window_and_where_the_facts_are_from() -> None:
    code, output = run("show", "gpt-5-mini")
    assert code == 0
    for word in ("openai", "0.25", "272,000", "json_schema", "genai-prices", "litellm"):
        assert word in output


def test_show_as_json_names_every_provider_of_the_model() -> None:
    code, output = run("show", "openai/gpt-5-mini", "--json")
    assert code == 0
    assert {row["provider"] for row in json.loads(output)} >= {"openai", "openrouter"}


def test_show_suggests_the_nearest_name() -> None:
    code, output = run("show", "gpt-5-minni")
    assert code == 1
    assert "did you mean 'gpt-5-mini'?" in output


def test_refresh_writes_a_snapshot_from_a_list(tmp_path: Path) -> None:
    row = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 5, "supports_function_calling": True}
    (tmp_path / "list.json").write_text(json.dumps({"gpt-5-mini": row}))
    code, output = run("refresh", "--litellm-json", str(tmp_path / "list.json"), "--out", str(tmp_path / "new.json.gz"))
    assert code == 0
    facts = Catalogue((tmp_path / "new.json.gz").read_bytes()).find("openai", "gpt-5-mini")
    assert facts is not None
    assert facts.context == 5
    assert "models of 16 providers" in output


def test_refresh_says_how_to_get_what_it_lacks(tmp_path: Path) -> None:
    code, output = run("refresh", "--litellm-json", str(tmp_path / "none.json"))
    assert code == 2
    assert "there is no file" in output
