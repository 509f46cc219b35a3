"""A file that is no spec is refused in one sentence that says where and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.spec_text import FLEET, problems
from tierline.config import document
from tierline.config.load import check

BROKEN = {
    "an empty file": ("", 0, "the file is empty", "version: 1"),
    "only a comment": ("# nothing\n", 0, "the file is empty", "version: 1"),
    "a list": ("- a\n- b\n", 1, "not a mapping", "version: 1"),
    "a bare text": ("hello\n", 1, "not a mapping", "version: 1"),
    "a tab": ("version: 1\nmodels:\n\tm: {}\n", 3, "not YAML", "tabs"),
    "an open bracket": ("version: 1\nmodels: {m: {\n", 3, "not YAML", "quotes"),
    "a colon in a text": ("version: 1\nmodels: a: b\n", 2, "not YAML", "quotes"),
    "two documents": ("version: 1\n---\nversion: 1\n", 2, "more than one YAML document", "---"),
    "an unknown alias": ("version: 1\nmodels: *m\n", 2, "undefined alias", "&name"),
    "a control character": ("version: 1\nmodels: \x07\n", 0, "not YAML", ""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_yaml_mapping_is_one_problem(case: str, tmp_path: Path) -> None:
    text, line, reason, suggestion = BROKEN[case]
    (found,) = problems(tmp_path, text)
    assert (found.line, found.severity) == (line, "error")
    assert reason in found.reason
    assert suggestion in found.suggestion


SLOPPY = {
    "a key twice": ("tasks:\n  t: {why: x}\n  t: {why: y}\n", 12, "tasks.t", "stands twice; the first is on line 11"),
    "a key that is no text": ("? [a, b]\n: x\n", 10, "", "a key must be text"),
    "a tag": ("tasks:\n  t: {why: !!python/name:os.system x}\n", 11, "tasks.t.why", "means nothing here"),
    "a date that is none": ("tasks:\n  t: {why: x, reviewed: 2026-13-45}\n", 11, "tasks.t.reviewed", "looks like a date"),
    "an endless number": ("tasks:\n  t: {why: x, failure_cost: .inf}\n", 11, "tasks.t.failure_cost", "not a finite number"),
    "no number": ("tasks:\n  t: {why: x, failure_cost: .nan}\n", 11, "tasks.t.failure_cost", "not a finite number"),
    "an alias to itself": ("tasks: &t\n  t: *t\n", 10, "tasks.t", "contains itself"),
    "a merge of a text": ("tasks:\n  t: {why: x, <<: y}\n", 11, "tasks.t.<<", "only a mapping can be merged"),
}


@pytest.mark.parametrize("case", SLOPPY)
def test_what_yaml_would_let_pass_is_reported_at_its_place(case: str, tmp_path: Path) -> None:
    snippet, line, path, reason = SLOPPY[case]
    found = problems(tmp_path, FLEET + snippet)
    assert (found[0].line, found[0].path) == (line, path)
    assert reason in found[0].reason


def test_a_file_that_is_not_there_or_not_a_file_is_one_problem(tmp_path: Path) -> None:
    (missing,) = check(tmp_path / "none.yaml", {})
    (folder,) = check(tmp_path, {})
    assert "cannot be read" in missing.reason
    assert "cannot be read" in folder.reason


def test_bytes_that_are_not_utf8_are_found_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"version: 1\nmodels: {}\n# caf\xe9\n")
    (found,) = check(tmp_path / "s.yaml", {})
    assert (found.line, found.reason) == (3, "the file is not UTF-8 text")


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xef\xbb\xbf" + FLEET.encode())
    assert check(tmp_path / "s.yaml", {}) == ()


def test_a_file_too_large_to_be_a_spec_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"#" * (document.MAX_BYTES + 1))
    (found,) = check(tmp_path / "s.yaml", {})
    assert "larger than 4 MB" in found.reason


def test_aliases_that_unfold_to_millions_are_refused(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    found = problems(tmp_path, "\n".join(levels))
    assert any("unfolds to more than" in problem.reason for problem in found)


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_deep_nesting_is_refused_and_harms_nobody(depth: int, tmp_path: Path) -> None:
    found = problems(tmp_path, "a: " + "[" * depth + "]" * depth)
    assert found[0].severity == "error"


def test_aliases_and_merges_work_and_keep_their_lines(tmp_path: Path) -> None:
    text = FLEET + "tasks:\n  a: &a\n    why: x\n    models: [mini]\n  b: {<<: *a, models: [nobody]}\n  c: *a\n"
    (found,) = problems(tmp_path, text)
    assert (found.line, found.path) == (14, "tasks.b.models[0]")


def test_keys_that_yaml_takes_for_numbers_and_booleans_are_names(tmp_path: Path) -> None:
    assert problems(tmp_path, FLEET + "tasks:\n  2026: {why: x}\n  on: {why: x}\n  4.1: {why: x}\n") == ()
