"""`tierline train`, its file, and the spec that serves by it: the whole way, as a person goes it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from evaluation.worlds import Rows, write_csv, write_jsonl
from scoring import made
from server.harness import Running, Said, serving, until
from tierline.cli.app import build
from tierline.config.scorer_file import read_scorer

EASY, HARD = (
    "where is my parcel and the tracking of the delivery 4711",
    "what does this clause of the contract mean for the tenant and liability",
)
SPEC = """version: 1
providers:
  desk:
    kind: scripted
    script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, sonnet: {ability: 0.7}, opus: {ability: 0.99}}}
models:
  mini: {provider: desk, tier: fast, price: {input: 0.2, output: 0.8}}
  sonnet: {provider: desk, tier: balanced, price: {input: 3, output: 15}}
  opus: {provider: desk, tier: best, price: {input: 15, output: 75}}
routes:
  auto: {scorer: {kind: linear, artifact: scorer.tl}, log_text: all}
"""


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build([str(words[0])]), list(map(str, words)))


def rows(queries: int = 300) -> Rows:
    table = made.table(queries)
    return [
        {
            "query_id": query,
            "query": (table.text or ())[i],
            "task": table.task[i],
            "model": model,
            "score": table.score[i, m],
            "cost_usd": table.cost[i, m],
        }
        for i, query in enumerate(table.query)
        for m, model in enumerate(table.models)
    ]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with answers, the scorer that was trained on them, and a spec that serves by it."""
    folder = tmp_path_factory.mktemp("trained")
    write_csv(folder / "answers.csv", rows())
    (folder / "tierline.yaml").write_text(SPEC)
    said = run("train", "--data", folder / "answers.csv", "--out", folder / "scorer.tl", "--resamples", "100", "--json", folder / "e.json",
               "--report", folder / "e.html", "--licence", "CC0-1.0")  # fmt: skip
    assert said.exit_code == 0, said.output
    (folder / "said.txt").write_text(said.output)
    return folder


def test_it_prints_the_reference_rows_the_figures_and_the_guard(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    for words in (
        "random",
        "best single",
        "zero router",
        "task mean",
        "oracle",
        "learned",
        "unguarded",
        "beats the mix",
        "3 of 3 tasks may be routed",
    ):
        assert words in said
    document = json.loads((folder / "e.json").read_text())
    assert document["candidates"] == ["learned"]
    assert document["routers"]["learned"]["advantage"]["low"] > 0
    assert "<html" in (folder / "e.html").read_text()


def test_the_card_tells_where_the_file_came_from_and_what_it_reached(folder: Path) -> None:
    said = run("train", "--card", folder / "scorer.tl")
    assert said.exit_code == 0
    for words in ("on 300 queries", "answers.csv (fingerprint", "CC0-1.0", "mini 300", "zero router", "learned", "calibration: ECE"):
        assert words in said.output
    card = read_scorer(folder / "scorer.tl").header.card
    assert set(card["tasks"]) == {"orders", "law", "code"}
    assert all(verdict["route"] for verdict in card["tasks"].values())
    assert card["learned"]["curve"] and card["learned"]["reliability"]


def test_the_same_seed_gives_the_same_file(folder: Path, tmp_path: Path) -> None:
    for name in ("one.tl", "two.tl"):
        assert run("train", "--data", folder / "answers.csv", "--out", tmp_path / name, "--folds", "2", "--resamples", "100").exit_code == 0
    assert (tmp_path / "one.tl").read_bytes() == (tmp_path / "two.tl").read_bytes()


def test_a_file_is_evaluated_on_other_queries_only(folder: Path, tmp_path: Path) -> None:
    refused = run("evaluate", "--scorer", folder / "scorer.tl", "--data", folder / "answers.csv")
    assert refused.exit_code == 2
    assert "trained on every one" in refused.output
    fresh = [{**row, "query_id": f"new {row['query_id']}", "query": f"{row['query']} {row['query_id']}x"} for row in rows(150)]
    said = run("evaluate", "--scorer", folder / "scorer.tl", "--data", write_jsonl(tmp_path / "fresh.jsonl", fresh), "--resamples", "100")
    assert said.exit_code == 0, said.output
    assert "scorer.tl at its operating point" in said.output
    assert "beats the mix of its cost" in said.output
    assert "ECE" in said.output


def test_what_cannot_be_trained_on_says_what_to_do(tmp_path: Path) -> None:
    few = write_csv(tmp_path / "few.csv", rows(6))
    for words, says in (
        (("train",), "--out"),
        (("train", "--out", tmp_path / "s.tl"), "--data FILE or --log DB"),
        (("train", "--out", tmp_path / "s.tl", "--data", few), "only"),
        (("train", "--card", few), "no scorer of Tierline"),
    ):
        said = run(*words)
        assert said.exit_code == 2
        assert says in said.output


def asked(gateway: Running, words: str) -> Said:
    return gateway.ask("POST", "/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": words}]})


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A folder of one's own with the spec and the scorer."""
    (tmp_path / "scorer.tl").write_bytes((folder / "scorer.tl").read_bytes())
    (tmp_path / "tierline.yaml").write_text(SPEC)
    return tmp_path


def test_a_gateway_routes_by_the_file_and_takes_up_a_new_one(own: Path) -> None:
    with serving(own / "tierline.yaml") as gateway:
        easy, hard = asked(gateway, EASY), asked(gateway, HARD)
        assert [said.headers["x-tierline-model"] for said in (easy, hard)] == ["mini", "opus"]
        learned = made.usual()
        made.written(own, msgspec.structs.replace(learned, artifact=msgspec.structs.replace(learned.artifact, route=(False,) * 3)))
        policy = easy.headers["x-tierline-policy"]
        again = until(lambda: said if (said := asked(gateway, EASY)).headers["x-tierline-policy"] != policy else None)
        assert again.headers["x-tierline-model"] == "opus"
        (own / "scorer.tl").write_bytes(b"broken")
        until(lambda: "the spec was not taken" in gateway.output)
        assert asked(gateway, EASY).headers["x-tierline-policy"] == again.headers["x-tierline-policy"]


def test_a_gateway_does_not_start_with_a_file_that_cannot_be_used(own: Path) -> None:
    (own / "scorer.tl").write_bytes(b"broken")
    said = run("check", own / "tierline.yaml")
    assert said.exit_code == 1
    assert "no scorer of Tierline" in said.output


def test_a_log_with_feedback_and_prompts_is_trained_on_and_its_few_labels_are_refused(own: Path) -> None:
    with serving(own / "tierline.yaml") as gateway:
        for number in range(24):
            said = asked(gateway, f"{EASY if number % 2 else HARD} number {'x' * number}")
            told = gateway.ask("POST", "/v1/feedback", {"decision": said.headers["x-tierline-decision"], "score": 1.0})
            assert told.status == 200, told.body
    said = run("train", "--log", own / "tierline.db", "--out", own / "logged.tl")
    assert said.exit_code == 0, said.output
    assert "0 of 1 tasks may be routed" in said.output
    assert read_scorer(own / "logged.tl").header.card["queries"] == 24
