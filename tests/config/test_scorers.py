"""A spec that names a trained scorer: its file is examined with it, and is part of its fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring import made
from tierline.config.load import check, load

GOLDEN = Path(__file__).parent / "golden" / "scorers" / "support-2026-11.tl"
SPEC = """version: 1
providers: {here: {kind: scripted, script: {models: {a: {}, b: {}}}}}
models:
  mini: {provider: here, model: a, tier: fast, price: {input: 1, output: 1}}
  second: {provider: here, model: SECOND, tier: best, price: {input: 2, output: 2}}
routes: {auto: {scorer: {kind: linear, artifact: scorer.tl}}}
"""


def spec(folder: Path, second: str = "sonnet", content: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "scorer.tl").write_bytes(GOLDEN.read_bytes() if content is None else content)
    path = folder / "tierline.yaml"
    path.write_text(SPEC.replace("SECOND", second))
    return path


def test_a_spec_with_a_whole_file_about_its_models_is_fine(tmp_path: Path) -> None:
    assert check(spec(tmp_path)) == ()


def test_a_model_that_the_file_does_not_know_is_warned_of(tmp_path: Path) -> None:
    (problem,) = check(spec(tmp_path, "b"))
    assert (problem.severity, problem.path) == ("warning", "routes.auto.scorer.artifact")
    assert "does not know second" in problem.reason


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "no scorer"), (GOLDEN.read_bytes()[:-1], "damaged"), (b"hello, I am no scorer at all", "no scorer")]
)
def test_a_file_that_cannot_be_used_refuses_the_spec_and_says_what_to_do(tmp_path: Path, content: bytes, reason: str) -> None:
    (problem,) = check(spec(tmp_path, content=content))
    assert (problem.severity, problem.line, problem.path) == ("error", 6, "routes.auto.scorer.artifact")
    assert reason in problem.reason
    assert "tierline train" in problem.suggestion or "train it anew" in problem.suggestion


def test_a_file_about_other_models_refuses_the_spec(tmp_path: Path) -> None:
    path = spec(tmp_path)
    path.write_text(path.read_text().replace("mini:", "first:").replace("sonnet", "b"))
    (problem,) = check(path)
    assert "knows no model of this spec: it knows mini, sonnet, opus, local" in problem.reason


def test_another_file_makes_another_fingerprint_and_the_same_one_does_not(tmp_path: Path) -> None:
    one, same = load(spec(tmp_path / "one")), load(spec(tmp_path / "same"))
    other = load(spec(tmp_path / "other", content=made.written(tmp_path).read_bytes()))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.scorers == ("scorer.tl",)
