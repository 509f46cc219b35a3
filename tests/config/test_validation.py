"""The names of checks, and kinds that other packages bring."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.spec_text import FLEET, problems
from tierline.config.answer_checks import KINDS
from tierline.config.load import load
from tierline.config.plugin_names import registered
from tierline.config.validation import all_checks, checks_of

PACKAGE = """
import msgspec
from tierline.types.outcome import Finding

class Haiku:
    asks = False

    class Settings(msgspec.Struct, forbid_unknown_fields=True):
        haiku: int
        strict: bool = False

    def __init__(self, check, loaded):
        self.name = check.name

    def check(self, exchange):
        return Finding(exchange.text.count("\\n") == 2)
"""


def test_the_second_of_a_kind_bears_its_number() -> None:
    entries = [{"pattern": "a"}, {"json": "any", "retry": 2}, {"pattern": "b"}, {"pattern": "c"}]
    assert [check.name for check in checks_of("t", entries)] == ["t/pattern", "t/json", "t/pattern.2", "t/pattern.3"]


def test_a_check_keeps_its_settings_and_retries_apart() -> None:
    (check,) = checks_of("route:auto", [{"at_least": 0.5, "judge": "Is it?", "retry": 1}])
    assert (check.name, check.kind, check.value, check.settings, check.retry) == (
        "route:auto/judge",
        "judge",
        "Is it?",
        {"at_least": 0.5},
        1,
    )


def test_every_kind_of_the_reference_is_registered_as_plug_ins_are() -> None:
    assert set(KINDS) == set(registered("tierline.validators"))


def test_checks_of_tasks_and_routes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(FLEET + "tasks: {t: {why: x, validate: [{json: any}]}}\nroutes: {auto: {validate: [{refusal: any}]}}\n")
    assert [check.name for check in all_checks(load(path, {}, need_secrets=False).spec)] == ["t/json", "route:auto/refusal"]


def test_what_does_not_fit_does_not_move_the_places_of_what_follows(tmp_path: Path) -> None:
    found = problems(tmp_path, FLEET + "tasks: {t: {why: x, validate: [refusal, {json: any, retry: 9}]}}\n")
    assert [problem.path for problem in found] == ["tasks.t.validate[0]", "tasks.t.validate[1].retry"]


def test_a_schema_file_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    path, schema = tmp_path / "tierline.yaml", tmp_path / "order.json"
    path.write_text(FLEET + "tasks: {t: {why: x, validate: [{schema: order.json}]}}\n")
    schema.write_text('{"type": "object"}')
    before = load(path, {}, need_secrets=False)
    schema.write_text('{"type": "array"}')
    after = load(path, {}, need_secrets=False)
    assert before.fingerprint != after.fingerprint
    assert before.parts["spec"] == after.parts["spec"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{haiku: 3}", ""),
        ("{haiku: 3, strict: true, retry: 1}", ""),
        ("{haiku: many}", "validate[0].haiku: expected a whole number, got 'many'"),
        ("{haiku: 3, stirct: true}", "validate[0].stirct: unknown key 'stirct' → did you mean 'strict'?"),
        ("{haiku: 3, retry: 9}", "validate[0].retry: expected a whole number from 0 to 3"),
        ("{haikus: 3}", "validate[0].haikus: there is no check 'haikus' → did you mean 'haiku'?"),
    ],
)
def test_a_kind_of_another_package_is_checked_by_its_own_settings(entry: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "haikus.py").write_text(PACKAGE)
    metadata = tmp_path / "haikus-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: haikus\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[tierline.validators]\nhaiku = haikus:Haiku\n")
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + f"tasks: {{t: {{why: x, validate: [{entry}]}}}}\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = f"from tierline.config.load import check\nprint(*check({str(spec)!r}), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert said in done.stdout if said else not done.stdout.strip()


@pytest.mark.parametrize(
    ("entry", "module", "extra"),
    [
        ("{language: de}", "pycld2", "language"),
        ("{code: [sql]}", "sqlglot", "code"),
        ("{code: [typescript]}", "tree_sitter", "code"),
        ("{toxicity: 0.9}", "profanity_check", "toxicity"),
    ],
)
def test_a_check_whose_extra_is_not_installed_says_which(entry: str, module: str, extra: str, tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + f"tasks: {{t: {{why: x, validate: [{entry}]}}}}\n")
    program = (
        f"import sys; sys.modules[{module!r}] = None\nfrom tierline.config.load import check\n"
        f"for problem in check({str(spec)!r}): print(problem.severity, problem.path, problem.suggestion)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kind = entry[1:].partition(":")[0]
    assert done.stdout.strip() == f"error tasks.t.validate[0].{kind} install tierline[{extra}]"
