"""The demo's embedded spec tells the truth about its fleet."""

from pathlib import Path

import pytest

from tierline.config.load import check, load
from tierline.config.loaded import Loaded
from tierline.demo.folder import write_demo
from tierline.demo.workload import generate
from tierline.providers.script import Script

TASK_OF = {
    "where is my order": "order_status",
    "label a ticket": "ticket_triage",
    "extract an order as JSON": "order_extraction",
    "policy question": "policy_questions",
    "code, easy": "integration_help",
    "code, hard": "code_review",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(write_demo(tmp_path_factory.mktemp("demo")))


def test_it_has_no_problems_at_all(tmp_path: Path) -> None:
    assert check(write_demo(tmp_path)) == ()


def test_it_holds_six_models_over_three_tiers_and_two_providers(loaded: Loaded) -> None:
    assert len(loaded.models) == 6
    assert {model.tier for model in loaded.models.values()} == {"fast", "balanced", "best"}
    assert len(loaded.providers) == 2


def test_declared_pass_rates_are_those_of_another_day(loaded: Loaded) -> None:
    another_day = generate(3000, seed=8)
    for family, task in TASK_OF.items():
        mine = [(n, prompt.words) for n, prompt in enumerate(another_day) if prompt.family == family]
        for name, declared in loaded.spec.tasks[task].quality.items():
            model = loaded.models[name]
            script = Script.of(loaded.providers[model.provider].script)
            counted = sum(script.is_able(model.upstream, words, f"q{n}") for n, words in mine) / len(mine)
            assert counted == pytest.approx(declared, abs=0.03), (task, name)


def test_every_prompt_of_the_day_has_a_marked_difficulty(loaded: Loaded) -> None:
    for provider in loaded.providers.values():
        script = Script.of(provider.script)
        assert [p.words for p in generate(600) if not any(marker in p.words for marker in script.difficulty)] == []


def test_writing_it_again_removes_the_old_log(tmp_path: Path) -> None:
    write_demo(tmp_path)
    (tmp_path / "demo.db").write_bytes(b"old")
    write_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tierline.yaml"]
