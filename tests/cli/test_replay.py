"""`tierline replay`, `simulate` and `sweep`, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tierline.cli.app import build

SPEC = """
version: 1
tiers: [fast, best]
providers: {p: {base_url: "http://localhost:1/v1"}}
models:
  mini: {provider: p, tier: fast, price: {input: 0.2, output: 0.8}, context: 200000}
  opus: {provider: p, tier: best, price: {input: 15, output: 75}, context: 200000}
routes: {auto: {difficulty: {fast: FAST}}}
"""


def tierline(*arguments: object) -> Result:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(build([words[0]]), words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two specs, a log of the first, and a table of measured answers."""
    from evaluation.logs import asking, serve
    from tierline.config.load import load
    from tierline.routing.router import Router

    made = tmp_path_factory.mktemp("replay")
    for name, fast in (("old", 0.3), ("new", 0.6)):
        (made / f"{name}.yaml").write_text(SPEC.replace("FAST", str(fast)))
    router = Router(load(made / "old.yaml", need_secrets=False))
    serve(made / "tierline.db", router, asking(200), lambda _d, _m: 0.9)
    duckdb.sql(
        "SELECT 'q' || (i // 2) AS query_id, 'What is ' || (i // 2) || ' times ' || repeat('seven plus ', i // 20) || '3?' AS query, "
        "'t' AS task, CASE WHEN i % 2 = 0 THEN 'mini' ELSE 'opus' END AS model, "
        "CASE WHEN i % 2 = 1 OR i % 3 = 0 THEN 1.0 ELSE 0.0 END AS score, CASE WHEN i % 2 = 0 THEN 0.001 ELSE 0.02 END AS cost_usd "
        "FROM range(400) r(i)"
    ).write_parquet(str(made / "answers.parquet"))
    return made


def test_replay_tells_people_what_changes_and_what_the_log_can_prove(folder: Path) -> None:
    done = tierline("replay", "--log", folder / "tierline.db", "--spec", folder / "new.yaml")
    assert done.exit_code == 0, done.stderr
    for words in ("go to another model first", "What changes", "opus", "No support", "share left to chance"):
        assert words in done.stdout


def test_replay_under_its_own_spec_comes_out_the_same(folder: Path) -> None:
    found = _json(tierline("replay", "--log", folder / "tierline.db", "--spec", folder / "old.yaml", "--json", "-"))
    assert found["rows"]["own"] == found["rows"]["same"] == 200
    assert found["rows"]["unfaithful"] == [] and found["evidence"]["coverage"] == 1.0


def test_replay_takes_as_many_rows_as_it_is_told(folder: Path) -> None:
    found = _json(tierline("replay", "--log", folder / "tierline.db", "--spec", folder / "new.yaml", "--limit", 50, "--json", "-"))
    assert found["rows"]["read"] == 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "--log", "nowhere.db", "--spec", "{}/new.yaml"), "there is no decision log"),
        (("replay", "--log", "{}/tierline.db", "--spec", "nowhere.yaml"), "nowhere.yaml"),
        (("replay", "--log", "{}/tierline.db", "--spec", "{}/new.yaml", "--route", "nothing"), "holds no row to replay"),
        (("replay", "--log", "{}/answers.parquet", "--spec", "{}/new.yaml"), "not a database"),
        (("replay", "--log", "{}/tierline.db", "--spec", "{}/new.yaml", "--since", "soon"), "is no time"),
        (("simulate", "--spec", "{}/new.yaml"), "give --data, --log or --worksheet"),
        (("simulate", "--spec", "{}/new.yaml", "--log", "{}/tierline.db", "--workload", "{}/new.yaml"), "no JSON object"),
        (("sweep", "--data", "{}/answers.parquet", "--spec", "{}/new.yaml", "--vary", "nonsense"), "is no axis"),
    ],
)
def test_bad_input_is_said_in_one_line(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = tierline(*(argument.format(folder) for argument in arguments))
    assert done.exit_code == 2
    assert said in done.stderr and "Traceback" not in done.stderr


def test_requests_that_nobody_has_decided_are_compared_between_two_specs(folder: Path) -> None:
    file = folder / "requests.jsonl"
    hard = "Prove that the sum of two odd numbers is even, derive the general case, and discuss why the converse fails."
    file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in ["Hello", hard, "Thanks"]))
    found = _json(tierline("replay", "--log", file, "--was", folder / "old.yaml", "--spec", folder / "old.yaml", "--json", "-"))
    assert found["rows"]["read"] == found["rows"]["same"] == 3
    assert found["evidence"]["quality"] is None
    alone = tierline("replay", "--log", file, "--spec", folder / "new.yaml")
    assert alone.exit_code == 2 and "--was" in alone.stderr


def test_simulate_answers_a_logs_requests_anew(folder: Path) -> None:
    arguments = ("simulate", "--spec", folder / "new.yaml", "--log", folder / "tierline.db", "--requests", 300, "--rate", 10, "--json", "-")
    found = _json(tierline(*arguments))
    assert found == _json(tierline(*arguments)), "the same seed gives the same"
    assert found["requests"] == 300 and found["failed"] == 0.0
    assert found["quality"]["low"] < 0.9 < found["quality"]["high"]
    assert found["latency"]["p50"] == pytest.approx(0.5)


def test_sweep_shows_the_front_and_an_honest_point(folder: Path) -> None:
    found = _json(tierline("sweep", "--data", folder / "answers.parquet", "--spec", folder / "new.yaml", "--target", 0.6, "--json", "-"))
    assert found["queries"] == 200
    assert [point["cost"] for point in found["front"]] == sorted(point["cost"] for point in found["front"])
    (honest,) = found["honest"]
    assert honest["best_single"] == "opus" and honest["chosen_on"] + honest["measured_on"] == 200
    assert honest["saved"]["value"] > 0


def _json(done: Result) -> Any:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)
