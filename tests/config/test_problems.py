"""Every kind of problem is found alone, on its line, at its path, with words that help. The cases are data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.spec_text import FLEET, marked_line, problems

CASES = Path(__file__).parent / "cases"


def cases(name: str) -> Mapping[str, Mapping[str, str]]:
    """The cases of one file, by title."""
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def whole(spec: str) -> str:
    """What does not say that it is a whole spec is added to one without a problem."""
    return spec if spec.startswith("version:") else FLEET + spec


ERRORS, WHOLE, WARNINGS, HARMLESS = cases("errors"), cases("whole_specs"), cases("warnings"), cases("harmless")


@pytest.mark.parametrize("title", ERRORS)
def test_an_error_is_found_alone_with_its_line_path_reason_and_suggestion(title: str, tmp_path: Path) -> None:
    case = ERRORS[title]
    text = FLEET + case["spec"]
    found = [problem for problem in problems(tmp_path, text) if problem.severity == "error"]
    assert [(p.path, p.line) for p in found] == [(case["path"], marked_line(text))]
    assert case["reason"] in found[0].reason
    assert case.get("suggestion", "") in found[0].suggestion


@pytest.mark.parametrize("title", WHOLE)
def test_a_whole_spec_with_one_error_reports_that_error(title: str, tmp_path: Path) -> None:
    case = WHOLE[title]
    found = [problem for problem in problems(tmp_path, case["spec"]) if problem.severity == "error"]
    assert [(p.path, p.line) for p in found] == [(case["path"], marked_line(case["spec"]))]
    assert case["reason"] in found[0].reason


@pytest.mark.parametrize("title", WARNINGS)
def test_what_will_surprise_is_warned_of_and_does_not_refuse_the_spec(title: str, tmp_path: Path) -> None:
    case = WARNINGS[title]
    text = whole(case["spec"])
    found = problems(tmp_path, text)
    assert [(p.severity, p.path, p.line) for p in found] == [("warning", case["path"], marked_line(text))]
    assert case["reason"] in found[0].reason


@pytest.mark.parametrize("title", HARMLESS)
def test_what_works_is_left_alone(title: str, tmp_path: Path) -> None:
    assert list(problems(tmp_path, whole(HARMLESS[title]["spec"]))) == []


def test_every_problem_of_a_file_is_reported_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = FLEET + "taks: {}\ntasks:\n  t: {why: x, models: [nobody], quality_bar: 3}\n"
    text += "routes:\n  auto: {rules: [{when: cod, use: best, why: x}]}\nalerts: {watch: [x]}\n"
    found = problems(tmp_path, text)
    assert [p.path for p in found] == ["taks", "tasks.t.models[0]", "tasks.t.quality_bar", "routes.auto.rules[0].when", "alerts.watch[0]"]


def test_a_model_that_does_not_fit_is_not_reported_as_missing_wherever_it_is_named(tmp_path: Path) -> None:
    text = FLEET.replace("tier: best}", "teir: best}") + "tasks:\n  t: {why: x, models: [full]}\n"
    assert {p.path for p in problems(tmp_path, text)} == {"models.full", "models.full.teir"}


def test_key_secrets_must_be_long_and_differ(tmp_path: Path) -> None:
    text = FLEET + "keys:\n  a: {secret: '${A}'}\n  b: {secret: '${B}'}\n  c: {secret: '${C}'}\n"
    found = problems(tmp_path, text, {"A": "x" * 24, "B": "x" * 24, "C": "short"})
    assert [(p.path, p.severity) for p in found] == [("keys.b.secret", "error"), ("keys.c.secret", "error")]
    assert all("xxx" not in str(p) and "short" not in str(p) for p in found)


def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path) -> None:
    text = FLEET + "keys:\n  team: ${TEAM_KEY}\n  other: {secret: a-long-enough-secret-here, routes: '${TEAM_KEY}'}\n"
    found = problems(tmp_path, text, {"TEAM_KEY": "short-secret"})
    assert [p.path for p in found if p.severity == "error"] == ["keys.team", "keys.other.routes"]
    assert all("short-secret" not in str(p) for p in found)


def test_a_providers_key_in_the_file_is_warned_of_without_repeating_it(tmp_path: Path) -> None:
    text = FLEET.replace("openai: {}", "openai: {api_key: sk-proj-abcdefghijkl, headers: {x-token: hf_abcdefghijklmnop}}")
    found = problems(tmp_path, text)
    assert [p.path for p in found] == ["providers.openai.api_key", "providers.openai.headers.x-token"]
    assert all(p.severity == "warning" and "abcdef" not in str(p) for p in found)


def test_no_spec_can_make_its_own_check_slow(tmp_path: Path) -> None:
    rules = [
        f"      - {{when: turns > {900 - n} || questions > {900 - n} || input_tokens > {900 - n}, use: best, why: x}}" for n in range(300)
    ]
    start = time.process_time()
    found = problems(tmp_path, FLEET + "routes:\n  auto:\n    rules:\n" + "\n".join(rules))
    assert found == ()
    assert time.process_time() - start < 5


@given(st.integers(0, 4000), st.integers(0, 40), st.text("{}[]:,'\"\n -&*!$%#abc01", max_size=12))
def test_whatever_is_typed_the_check_answers_with_problems(
    tmp_path_factory: pytest.TempPathFactory, at: int, gone: int, typed: str
) -> None:
    text = (Path(__file__).parents[2] / "examples/support.yaml").read_text(encoding="utf-8")
    at %= len(text)
    found = problems(tmp_path_factory.getbasetemp(), text[:at] + typed + text[at + gone :])
    assert all(problem.reason and problem.line >= 0 for problem in found)
