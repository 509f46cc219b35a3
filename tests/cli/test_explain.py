"""The explain command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from test_library import SPEC


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tierline", "explain", *arguments], input=stdin, capture_output=True, text=True, check=False
    )


def spec(tmp_path: Path) -> str:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC)
    return str(path)


def test_it_tells_the_choice_in_sentences(tmp_path: Path) -> None:
    done = run("-c", spec(tmp_path), "Where is my order 4711?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mini")
    assert "taken for the task 'orders'" in done.stdout


def test_it_prints_json_and_reads_standard_input(tmp_path: Path) -> None:
    done = run("-c", spec(tmp_path), "-", "--json", stdin="Where is my order?")
    told = json.loads(done.stdout)
    assert told["decision"]["task"] == "orders"
    assert told["explanation"]["sentences"]


def test_a_name_that_nobody_knows_exits_with_two(tmp_path: Path) -> None:
    done = run("-c", spec(tmp_path), "hello", "--model", "minni")
    assert done.returncode == 2
    assert "did you mean mini" in done.stderr


def test_a_missing_spec_exits_with_two(tmp_path: Path) -> None:
    done = run("-c", str(tmp_path / "none.yaml"), "hello")
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
