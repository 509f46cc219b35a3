"""`tierline discover`, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from evaluation.discover.planted import SPEC, asked, written
from tierline.cli.app import build


def tierline(*words: object) -> Result:
    return CliRunner().invoke(build([str(words[0])]), [str(word) for word in words])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC)
    return path


def test_a_log_is_grouped_and_every_output_is_written(spec: Path, tmp_path: Path) -> None:
    log = written(tmp_path, asked(600))
    outputs = {name: tmp_path / name for name in ("tasks.yaml", "types.md", "types.html", "types.json")}
    done = tierline(
        "discover", "--config", spec, "--log", log, "--suggest", outputs["tasks.yaml"], "--markdown", outputs["types.md"],
        "--html", outputs["types.html"], "--json", outputs["types.json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Types of 600 requests of log.db" in done.output and "(measured)" in done.output
    types = json.loads(outputs["types.json"].read_text())["types"]
    assert types
    for output in ("types.md", "types.html"):
        assert types[0]["name"] in outputs[output].read_text()
    assert outputs["tasks.yaml"].read_text().count("to be set by a person") == len(types)


def test_prompts_of_a_file_are_grouped_as_the_spec_would_decide_them(spec: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    texts = ["Where is my order and its parcel?", "Write a poem on rain and wind."]
    prompts.write_text("".join(json.dumps({"prompt": f"{texts[n % 2]} {'now ' * (n % 3)}"}) + "\n" for n in range(60)))
    done = tierline("discover", "--config", spec, "--requests", prompts, "--json", "-")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["measured"], document["requests"], document["by_words"]) == (False, 60, True)
    assert any("order" in " ".join(one.get("terms", ())) for one in document["types"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--log", "no.db"), "no.db"),
        (("--requests", "no.jsonl"), "no.jsonl"),
        (("--log", "a.db", "--requests", "b.jsonl"), "give --log or --requests, not both"),
    ],
)
def test_what_cannot_be_used_is_said_on_one_line(spec: Path, words: tuple[str, ...], said: str) -> None:
    done = tierline("discover", "--config", spec, *words)
    assert done.exit_code == 2
    assert said in done.output and len(done.output.strip().splitlines()) == 1


def test_an_empty_log_is_said_to_be_empty(spec: Path, tmp_path: Path) -> None:
    done = tierline("discover", "--config", spec, "--log", written(tmp_path, []))
    assert done.exit_code == 2
    assert "holds no request" in done.output
