"""`${NAME}` in any text of a spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.spec_text import FLEET, problems
from tierline.config.environment import filled, malformed, variables
from tierline.config.load import load
from tierline.types.errors import SpecInvalid

KEYED = FLEET + "keys:\n  team:\n    secret: ${TEAM_KEY}\ntasks:\n  t: {why: 'for ${WHO:-everyone}'}\n"
SECRETS = {"OPENAI_API_KEY": "sk-test", "TEAM_KEY": "a-secret-that-is-long-enough"}


def test_variables_are_read_defaults_stand_in_and_a_doubled_dollar_is_plain() -> None:
    assert filled("${A}-${B:-b}-$${C}-$D", {"A": "1"}) == "1-b-${C}-$D"


def test_a_variable_that_is_not_set_stays_as_it_is_written() -> None:
    assert filled("${A}", {}) == "${A}"


def test_only_variables_without_a_default_are_needed() -> None:
    assert variables("${A} ${B:-x} $${C}") == ("A",)


def test_a_brace_that_opens_no_variable_is_malformed() -> None:
    assert [malformed(text) for text in ("${A B}", "${A", "${1}", "${A}", "$A", "$${")] == [True, True, True, False, False, False]


def test_a_spec_is_checked_without_any_secret(tmp_path: Path) -> None:
    assert problems(tmp_path, KEYED) == ()


def test_a_missing_secret_is_an_error_where_it_is_needed_that_names_variable_path_and_line(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(KEYED)
    with pytest.raises(SpecInvalid) as raised:
        load(tmp_path / "s.yaml", {})
    found = [(p.line, p.path, p.reason) for p in raised.value.problems]
    assert found == [
        (3, "providers.openai", "the environment variable OPENAI_API_KEY is not set"),
        (12, "keys.team.secret", "the environment variable TEAM_KEY is not set"),
    ]


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    found = problems(tmp_path, KEYED, {**SECRETS, "TEAM_KEY": ""}, need_secrets=True)
    assert "TEAM_KEY is empty" in found[0].reason


def test_a_variable_in_a_text_is_filled_at_load(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(KEYED)
    assert load(tmp_path / "s.yaml", SECRETS).spec.tasks["t"].why == "for everyone"
    assert load(tmp_path / "s.yaml", {**SECRETS, "WHO": "you"}).spec.tasks["t"].why == "for you"


def test_a_duration_from_a_variable_is_read_and_is_not_judged_while_it_is_missing(tmp_path: Path) -> None:
    text = FLEET + "routes:\n  auto: {deadline: '${WAIT}'}\n"
    assert problems(tmp_path, text) == ()
    assert problems(tmp_path, text, {"WAIT": "5s"}) == ()
    assert "no duration" in problems(tmp_path, text, {"WAIT": "soon"})[0].reason
