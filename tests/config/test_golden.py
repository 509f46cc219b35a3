"""The design's own example is understood whole: what is not available yet is refused, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tierline.config.load import check, load
from tierline.config.validation import checks_of

GOLDEN = Path(__file__).parent / "golden"
DESIGN = GOLDEN / "design.yaml"
ENVIRON = {
    "OPENAI_API_KEY": "sk-openai-for-the-test",
    "ANTHROPIC_API_KEY": "sk-anthropic-for-the-test",
    "TEAM_A_KEY": "the-key-of-team-a-for-the-test",
    "ADMIN_KEY": "the-key-of-the-admin-for-the-test",
    "ORDERS_DB": "postgresql://orders.internal/shop",
    "ALERT_WEBHOOK": "https://hooks.example.com/tierline",
}


def expected() -> list[tuple[int, str]]:
    """Line and path of every key that is not available yet."""
    lines = (GOLDEN / "expected.txt").read_text(encoding="utf-8").splitlines()
    return [(int(line.split()[0]), line.split()[1]) for line in lines if not line.startswith("#")]


def available(data: dict[str, Any]) -> dict[str, Any]:
    """The example without the keys that are still to come."""
    for _, path in expected():
        *above, last = path.split(".")
        at = data
        for part in above:
            at = at[part]
        del at[last]
    return data


def test_the_example_yields_exactly_what_is_not_available_yet() -> None:
    errors = [problem for problem in check(DESIGN, {}) if problem.severity == "error"]
    assert [(problem.line, problem.path) for problem in errors] == expected()
    assert all("not available yet" in problem.reason and problem.suggestion for problem in errors)


def test_the_example_is_warned_of_what_will_surprise_only() -> None:
    warnings = [(problem.path, problem.severity) for problem in check(DESIGN, {}) if problem.severity != "error"]
    paths = [
        "tasks.policy_questions",
        "tasks.background_digest",
        "tasks.background_digest.latency_budget",
        "routes.auto.scorer.ask.model",
        "governance.rules[1]",
    ]
    assert warnings == [(path, "warning") for path in paths]


def test_the_example_without_those_keys_loads_completely(tmp_path: Path) -> None:
    data = available(yaml.safe_load(DESIGN.read_text(encoding="utf-8")))
    file = tmp_path / "tierline.yaml"
    shutil.copy(GOLDEN / "faq.csv", tmp_path)
    shutil.copytree(GOLDEN / "scorers", tmp_path / "scorers")
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    shutil.copytree(GOLDEN / "schemas", tmp_path / "schemas")
    loaded = load(file, ENVIRON)
    assert set(loaded.models) == {"mini", "sonnet", "opus", "local"}
    assert loaded.models["local"].capabilities == ("chat", "tools", "json_object", "json_schema")
    assert (loaded.models["local"].residency, loaded.models["local"].region) == ("on_prem", "eu")
    assert all(model.price.known for model in loaded.models.values())
    assert {key.name for key in loaded.keys.values()} == {"team-a", "admin"}
    assert [rule.use for rule in loaded.spec.routes["auto"].rules] == ["best", ["sonnet"], ["opus"], None]
    assert loaded.spec.tasks["background_digest"].latency_budget == 600


def test_the_schema_file_that_the_example_names_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "tierline.yaml"
    file.write_text(DESIGN.read_text(encoding="utf-8"), encoding="utf-8")
    missing = [problem for problem in check(file, {}) if problem.path.startswith("tasks.order_extraction.validate")]
    assert [(problem.line, problem.path) for problem in missing] == [(33, "tasks.order_extraction.validate[0].schema")]
    assert "schemas/order.json cannot be read: No such file" in missing[0].reason


def test_the_examples_checks_have_names_and_retries() -> None:
    data = available(yaml.safe_load(DESIGN.read_text(encoding="utf-8")))
    checks = checks_of("order_extraction", data["tasks"]["order_extraction"]["validate"])
    assert [(check.name, check.retry) for check in checks] == [("order_extraction/schema", 1), ("order_extraction/max_chars", 0)]


def test_the_golden_file_is_the_designs_example_and_names_no_machine() -> None:
    text = DESIGN.read_text(encoding="utf-8")
    assert text.startswith("version: 1\n")
    assert text.count("\n") == 91
