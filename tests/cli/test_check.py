"""`tierline check`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tierline.cli.app import build

EXAMPLES = Path(__file__).parents[2] / "examples"
BROKEN = (
    "version: 1\nproviders: {openai: {}}\nmodels:\n  m: {provider: openai, model: gpt-5, tier: fast, tear: x}\ntasks:\n  t: {models: [n]}\n"
)


def run(*args: str, environ: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit code and output of one command."""
    done = CliRunner(env={"COLUMNS": "200", **(environ or {})}).invoke(build(["check", "version"]), ["check", *args])
    return done.exit_code, done.output


def test_a_good_spec_is_summed_up_and_exits_zero() -> None:
    code, output = run(str(EXAMPLES / "support.yaml"))
    assert code == 0
    for word in ("fine", "mini", "openai/gpt-5-mini", "0.25", "json_schema", "order_extraction", "routes: auto, night", "fingerprint: "):
        assert word in output


def test_every_problem_is_one_line_with_file_line_path_reason_and_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(BROKEN)
    code, output = run(str(file))
    assert code == 1
    lines = output.splitlines()
    assert f"{file}:4: models.m.tear: unknown key 'tear' → did you mean 'tier'?" in lines
    assert f"{file}:6: tasks.t: 'why' is missing → add why: text" in lines
    assert lines[-2] == "2 problems, no warnings"


def test_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(BROKEN)
    code, output = run(str(file), "--json")
    found = json.loads(output)
    assert (code, found["ok"], found["spec"]) == (1, False, None)
    assert found["problems"][0]["path"] == "models.m.tear"


def test_a_good_spec_as_json_holds_models_and_fingerprint() -> None:
    code, output = run(str(EXAMPLES / "minimal.yaml"), "--json")
    found = json.loads(output)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert found["spec"]["models"]["mini"]["price"]["input"] == 0.25
    assert len(found["spec"]["fingerprint"]) == 12


def test_secrets_are_asked_for_only_on_request() -> None:
    code, output = run(str(EXAMPLES / "minimal.yaml"), "--need-secrets", environ={"OPENAI_API_KEY": ""})
    assert code == 1
    assert "OPENAI_API_KEY" in output


def test_warnings_do_not_fail_the_check(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-none, tier: fast}}\n")
    code, output = run(str(file))
    assert code == 0
    assert output.startswith(f"warning: {file}:3: models.m: nobody knows")
    assert "no problems, 1 warning" in output


def test_a_file_that_is_not_there_fails_with_one_line(tmp_path: Path) -> None:
    code, output = run(str(tmp_path / "none.yaml"))
    assert code == 1
    assert "the file cannot be read: No such file or directory" in output
