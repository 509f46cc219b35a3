"""`tierline propose` from a table and from a log: what it changes, what it certifies, and what it refuses."""

from __future__ import annotations

import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from evaluation.labelled import Asked, golden, labelled, logged, shadowed
from evaluation.logs import serve
from tierline.cli.app import build
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.evaluation.propose.measured import of_log
from tierline.ledger.judges import JudgeVerdict, judge_name
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router
from tierline.testing import builders
from tierline.types.label import Label
from tierline.types.request import Hints
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

SPEC = """\
# our routing; keep this line
version: 1
providers:
  fleet: {kind: scripted, script: {models: {mini: {ability: 0.5}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}}
tasks:
  easy:                          # most of it
    why: A test.
    quality_bar: 0.9
    models: [big, mini]          # nobody had measured mini
    quality: {big: 0.97, mini: 0.6}
  hard: {why: A test., quality_bar: 0.9, models: [big, mini], quality: {big: 0.97, mini: 0.4}}
routes:
  auto: {}
"""


def table(path: Path, easy: float, rows: int = 400) -> Path:
    """Answers of two models: mini is good enough on `easy` so often, on `hard` in 40 of a hundred; big nearly always."""
    dice = random.Random(7)
    lines = ["query_id,task,prompt,model,score,cost_usd"]
    for number in range(rows):
        task = "easy" if number % 4 else "hard"
        for model, chance, cost in (("mini", easy if task == "easy" else 0.4, 0.0001), ("big", 0.97, 0.005)):
            good = int(dice.random() < chance)
            lines.append(f"q{number},{task},Question {number} of {task},{model},{good},{cost * (1 + dice.random())}")
    path.write_text("\n".join(lines) + "\n")
    return path


def propose(folder: Path, *words: str) -> Result:
    command = ["propose", "--spec", str(folder / "tierline.yaml"), "--out", str(folder / "candidate.yaml"), *words]
    return CliRunner().invoke(build(["propose"]), command)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tierline.yaml").write_text(SPEC)
    return tmp_path


def certified(folder: Path) -> Any:
    return json.loads((folder / "candidate.certificate.json").read_text())


def test_a_cheaper_model_that_clears_the_bar_is_proposed_and_certified(folder: Path) -> None:
    found = propose(folder, "--data", str(table(folder / "answers.csv", 0.97)), "--margin", "0.05")
    assert found.exit_code == 0, found.output
    candidate = load(folder / "candidate.yaml")
    assert candidate.spec.tasks["easy"].models == ["mini", "big"]
    assert candidate.spec.tasks["hard"].models == ["big", "mini"], "mini misses the bar there"
    assert 0.9 < candidate.spec.tasks["easy"].quality["mini"] < 1.0
    given = certified(folder)
    assert given["candidate"] == candidate.fingerprint and given["before"] == load(folder / "tierline.yaml").fingerprint
    assert given["basis"] == "cheaper" and given["cost"]["high"] < 0 and given["quality"]["low"] >= -given["margin"]
    assert given["regret"] is not None and given["worst"] and given["data"][0]["file"] == "answers.csv"
    assert "tasks.easy.models" in found.output and "+    models: [mini, big]" in found.output


def test_comments_and_what_is_not_changed_stay_as_they_are(folder: Path) -> None:
    propose(folder, "--data", str(table(folder / "answers.csv", 0.97)))
    text = (folder / "candidate.yaml").read_text()
    for kept in ("# our routing; keep this line", "# most of it", "# nobody had measured mini"):
        assert kept in text
    changed = [line for line in text.splitlines() if line not in SPEC.splitlines() and not line.startswith("#")]
    assert len(changed) == 2, changed
    assert text.startswith("# proposed by tierline propose on ") and "tasks.easy.quality.mini: 0.6 → 0.9" in text


def test_where_the_spec_is_right_nothing_is_proposed(folder: Path) -> None:
    data = str(table(folder / "answers.csv", 0.97))
    propose(folder, "--data", data)
    (folder / "tierline.yaml").write_text((folder / "candidate.yaml").read_text())
    (folder / "candidate.yaml").unlink()
    again = propose(folder, "--data", data)
    assert again.exit_code == 1 and "nothing is proposed" in again.output
    assert not (folder / "candidate.yaml").exists()


def test_a_change_that_is_not_shown_to_help_is_refused_its_certificate(folder: Path) -> None:
    """Half of 200 rows say that mini is not what the spec says; the other half cannot say that quality holds."""
    found = propose(folder, "--data", str(table(folder / "answers.csv", 0.9, rows=200)), "--margin", "0.001")
    assert found.exit_code == 1, found.output
    assert certified(folder)["basis"] == "none" and "certificate refused" in found.output


def test_without_evidence_it_says_what_to_give(folder: Path) -> None:
    found = propose(folder)
    assert found.exit_code == 2 and "--log, --data or both" in found.output


BY_DIFFICULTY = """\
version: 1
tiers: [fast, best]
providers:
  fleet: {kind: scripted, script: {models: {mini: {ability: 0.5}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}}
routes:
  auto: {select: by_difficulty, difficulty: {fast: 0.05}}   # a guess of the first day
"""


def by_length(path: Path, mini: float) -> Path:
    """Answers to short and long questions: mini is as good as big on the short ones, and on the long ones so often."""
    dice = random.Random(3)
    lines = ["query_id,prompt,model,score,cost_usd"]
    for number in range(1600):
        hard = dice.random()
        words = "and prove step by step why the integral converges, with every case and 3 constraints " * int(hard * 6)
        for model, good, cost in (("mini", hard < 0.55 or dice.random() < mini, 0.0001), ("big", dice.random() < 0.97, 0.005)):
            lines.append(f'q{number},"Say hello {words}{number}",{model},{int(good)},{cost * (1 + dice.random())}')
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_ceiling_that_costs_less_and_keeps_the_quality_is_proposed_from_a_sweep(folder: Path) -> None:
    (folder / "tierline.yaml").write_text(BY_DIFFICULTY)
    found = propose(folder, "--data", str(by_length(folder / "answers.csv", 0.3)), "--margin", "0.03")
    assert found.exit_code == 0, found.output
    ceiling = load(folder / "candidate.yaml").spec.routes["auto"].difficulty["fast"]
    assert 0.3 < ceiling < 0.99, "the long questions stay with big"
    assert "# a guess of the first day" in (folder / "candidate.yaml").read_text()
    assert certified(folder)["basis"] == "cheaper" and certified(folder)["quality"]["low"] >= -0.03


def test_no_ceiling_is_proposed_where_the_cheap_model_is_bad_at_everything(folder: Path) -> None:
    (folder / "tierline.yaml").write_text(BY_DIFFICULTY)
    data = by_length(folder / "answers.csv", 0.3)
    data.write_text(data.read_text().replace(",mini,1,", ",mini,0,"))
    found = propose(folder, "--data", str(data), "--margin", "0.01")
    assert found.exit_code == 1 and "nothing is proposed" in found.output


LOGGED = """\
version: 1
tiers: [fast, best]
providers:
  fleet: {kind: scripted, script: {seed: 3, latency: none, models: {mini: {ability: 0.5}, strongest: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  strongest: {provider: fleet, tier: best, price: {input: 5, output: 20}}
tasks:
  sums: {why: A test., match: {keywords: [sum]}, quality_bar: 0.9, models: [strongest, mini], quality: {strongest: 0.97, mini: 0.6}}
routes:
  auto: {}
experiments:
  try-mini: {why: Is it good enough?, tasks: [sums], arms: {strongest: 0.2, mini: 0.2}}
"""


def served(folder: Path, requests: int, mini: float) -> Path:
    """A log of the gateway's own deciding, with an experiment that asked mini now and then, and feedback on every answer."""
    (folder / "tierline.yaml").write_text(LOGGED)
    dice, loaded = random.Random(5), load(folder / "tierline.yaml")
    asked = [
        (msgspec.structs.replace(builders.features(request_id=f"r{n}", draw=dice.random()), hints=Hints(task="sums")), NO_SCORES, NO_VIEW)
        for n in range(requests)
    ]
    return serve(folder / "tierline.db", Router(loaded), asked, lambda _, model: mini if model == "mini" else 0.97)


def test_what_a_log_with_an_experiment_shows_is_proposed_and_certified_by_the_log_alone(folder: Path) -> None:
    log = served(folder, 3000, 0.97)
    found = propose(folder, "--log", str(log), "--margin", "0.05", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.output)
    assert load(folder / "candidate.yaml").spec.tasks["sums"].quality["mini"] > 0.9
    assert "(log)" in next(one["evidence"] for one in told["changes"] if one["where"] == "tasks.sums.quality.mini")
    given = certified(folder)
    assert given["basis"] == "cheaper" and given["coverage"] > 0.9 and given["data"][0]["file"] == "tierline.db"


def test_a_log_that_shows_a_model_to_be_worse_certifies_nothing_cheaper(folder: Path) -> None:
    log = served(folder, 3000, 0.7)
    found = propose(folder, "--log", str(log))
    assert found.exit_code == 1, found.output
    assert certified(folder)["basis"] == "none"
    assert load(folder / "candidate.yaml").spec.tasks["sums"].quality["mini"] < 0.8


def test_a_certificate_names_the_evidence_that_it_is_from(folder: Path) -> None:
    log = served(folder, 1500, 0.97)
    propose(folder, "--log", str(log), "--margin", "0.05")
    first = certified(folder)["data"]
    propose(folder, "--log", str(log), "--margin", "0.05")
    assert certified(folder)["data"] == first
    with closing(LogReader(log)) as reader:
        named = [record.features.request_id for record in reader.records()]
    labelled(log, *[Label(one, "strongest", float(number % 10 > 0), "golden", 9.0) for number, one in enumerate(named[:100])])
    assert propose(folder, "--log", str(log), "--margin", "0.05").exit_code in (0, 1)
    assert certified(folder)["data"] != first, "what is said of the answers is part of the evidence"


def test_a_row_counts_for_as_many_requests_as_its_chance_says(tmp_path: Path) -> None:
    """Nine tenths are sent to mini by rule and are easy; one tenth is tried on it by chance, one in twenty, and is hard."""
    easy = [Asked(f"e{n}", passed=True) for n in range(1800)]
    hard = [Asked(f"h{n}", passed=n % 4 == 0, propensity=0.05) for n in range(400)]
    cell = of_log(logged(tmp_path / "log.db", [*easy, *hard], texts=False))["sums", "mini"]
    whole = (1800 + 0.25 * 400 / 0.05) / (1800 + 400 / 0.05)
    assert cell.quality.low is not None and cell.quality.high is not None
    assert cell.quality.low < whole < cell.quality.high and cell.quality.value is not None and cell.quality.value < 0.5
    assert cell.effective < 0.6 * cell.quality.rows


def test_a_judge_is_heard_once_it_is_validated(tmp_path: Path) -> None:
    log = logged(tmp_path / "log.db", [Asked(f"r{n}") for n in range(80)], texts=False)
    judge = judge_name("opus", "Is it right?")
    labelled(log, *[Label(f"r{n}", "mini", 0.0, "judge", 2000.0, judge) for n in range(80)])
    assert of_log(log)["sums", "mini"].quality.rows == 0
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(3000.0, judge, "", {"labels": 200, "right_of_good": 0.9, "right_of_bad": 0.9}, valid=True))
    assert of_log(log)["sums", "mini"].quality.value == 0.0


def test_a_trained_scorer_is_proposed_and_certified_on_what_it_has_not_seen(folder: Path) -> None:
    (folder / "tierline.yaml").write_text(BY_DIFFICULTY)
    seen, fresh = by_length(folder / "seen.csv", 0.1), folder / "fresh.csv"
    lines = seen.read_text().splitlines()
    fresh.write_text("\n".join([lines[0], *lines[2001:]]) + "\n")
    seen.write_text("\n".join(lines[:2001]) + "\n")
    command = ["train", "--data", str(seen), "--out", str(folder / "scorer.tl"), "--resamples", "100"]
    trained = CliRunner().invoke(build(["train"]), command)
    assert trained.exit_code == 0, trained.output
    found = propose(folder, "--data", str(fresh), "--scorer", str(folder / "scorer.tl"), "--margin", "0.05", "--json")
    route = load(folder / "candidate.yaml").spec.routes["auto"]
    assert (route.scorer.kind, route.scorer.artifact) == ("linear", "scorer.tl")
    told = json.loads(found.output)
    assert told["certificate"]["cost"]["value"] < 0 and (found.exit_code == 0) == (told["certificate"]["basis"] != "none")


def test_a_log_whose_shadows_were_judged_certifies_by_itself(folder: Path) -> None:
    """Every request was answered by big, and mini answered beside, unseen; both are judged, and the prompts are kept."""
    (folder / "tierline.yaml").write_text(SPEC)
    dice = random.Random(11)
    asked = [Asked(f"r{n}", prompt=f"Please say hello to number {n}", model="big", task="easy") for n in range(500)]
    log = logged(folder / "tierline.db", asked)
    for one in asked:
        shadowed(log, one.id, "mini", against="big", cost=0.0001 * (1 + dice.random()), judging=0.0)
    chances = {"big": 0.97, "mini": 0.97}
    labelled(log, *[golden(one.id, float(dice.random() < chance), model) for one in asked for model, chance in chances.items()])
    found = propose(folder, "--log", str(log), "--margin", "0.05", "--json")
    assert found.exit_code == 0, found.output
    assert load(folder / "candidate.yaml").spec.tasks["easy"].quality["mini"] > 0.9
    assert certified(folder)["basis"] == "cheaper" and certified(folder)["advantage"]["value"] is not None
