"""`tierline labels`, as a person uses it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evaluation.labelled import Asked, golden, labelled, logged, said, shadowed
from tierline.cli.app import build
from tierline.evaluation.datasets import Reading, read
from tierline.ledger.feedback import Feedback
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader
from tierline.types.label import Label

SPEC = """version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1"}}
models:
  fair: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
  first: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
  silent: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
routes:
  auto: {{}}
"""


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build(["labels"]), ["labels", *map(str, words)])


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = logged(tmp_path / "tierline.db", [Asked(f"r{n}", f"What is {n} + 1?", str(n + n % 2), passed=True) for n in range(40)])
    said(path, *[Feedback(f"r{n}", 2.0, accept=n % 2 == 1 or n < 8, source="shop", kind="user") for n in range(30)])
    labelled(path, *[golden(f"r{n}", float(n % 2)) for n in range(20)])
    shadowed(path, "r1", judge="opus@1", judgement="won")
    labelled(path, Label("r1", "opus", 1.0, "judge", 4.0, "opus@1", 0.0))
    return path


def test_sources_are_shown_with_their_trust_and_who_agrees_with_whom(log: Path) -> None:
    shown = run("--log", log)
    assert shown.exit_code == 0, shown.output
    for words in (
        "feedback:shop/user",
        "golden:set",
        "validator:sums/schema",
        "judge:opus@1",
        "not validated: no trust",
        "kappa",
        "measured",
    ):
        assert words in shown.output
    told = json.loads(run("--log", log, "--json").stdout)["overview"]
    voices = {row["voice"]: row for row in told["voices"]}
    assert voices["judge:opus@1"]["trust"] == 0.0
    assert voices["feedback:shop/user"]["seen"] == 20
    assert voices["validator:sums/schema"]["bad"] < 0.5
    assert (told["answers"], told["shadows"]) == (41, 1)


def test_conflicts_are_listed_with_what_each_said(log: Path) -> None:
    listed = json.loads(run("--log", log, "--conflicts", "--json").stdout)
    assert {one["answer"]["request_id"] for one in listed} >= {"r0", "r2", "r4", "r6"}
    one = next(one for one in listed if one["answer"]["request_id"] == "r0")
    assert {voice: score for voice, score, _ in one["combined"]["voices"]}["golden:set"] == 0.0
    assert "golden:set 0 (1.00)" in run("--log", log, "--conflicts").output


def test_trust_can_be_given_and_a_wrong_word_is_told(log: Path) -> None:
    told = json.loads(run("--log", log, "--trust", "golden=0.9", "--json").stdout)["overview"]
    assert next(row for row in told["voices"] if row["voice"] == "golden:set")["trust"] == 0.9
    refused = run("--log", log, "--trust", "neighbour=0.9")
    assert (refused.exit_code, "SOURCE" in refused.output) == (2, True)


def test_a_golden_set_comes_in_and_a_table_goes_out_that_every_command_reads(log: Path, tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"prompt": "What is 21 + 1?", "reference": "22"}\n{"prompt": "nobody asked", "reference": "1"}\n')
    brought = run("import", tmp_path / "more.jsonl", "--log", log)
    assert "1 labels written" in brought.output
    assert "1 rows found no answer" in brought.output
    for suffix in ("parquet", "jsonl", "csv"):
        out = tmp_path / f"labels.{suffix}"
        assert run("export", "--log", log, "--out", out).exit_code == 0
        table = read([out], Reading(text=True)).table
        assert len(table.query) == 40
        assert (table.text or [""])[0].startswith("What is")
    rows = {row["query_id"]: row for row in map(json.loads, (tmp_path / "labels.jsonl").read_text().splitlines())}
    assert rows["r1"]["label_source"] == "golden"
    assert rows["r0"]["conflict"] is True
    assert rows["r1"]["score"] > 0.95 > rows["r35"]["score"] > rows["r0"]["score"]
    assert rows["r1"]["certainty"] > rows["r35"]["certainty"]


def test_what_is_not_there_is_said_in_a_line(tmp_path: Path) -> None:
    for words in (("--log", tmp_path / "no.db"), ("import", tmp_path / "no.jsonl", "--log", tmp_path / "no.db")):
        refused = run(*words)
        assert refused.exit_code == 2
        assert "no decision log" in refused.output
    assert not (tmp_path / "no.db").exists()


class Judges(ThreadingHTTPServer):
    daemon_threads = True
    asked = 0


class Compare(BaseHTTPRequestHandler):
    """As judges: `fair` names the answer that says right, `first` the first, `silent` none."""

    protocol_version = "HTTP/1.1"
    server: Judges

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked += 1
        words = body["messages"][-1]["content"]
        answers = re.findall(r"<answer \d>\n(.*?)\n</answer \d>", words, re.DOTALL)
        said: dict[str, Any] = {}
        if not answers:
            said = {"reason": "so", "score": 10 if "says right" in words.partition("answer>>")[2] else 0}
        elif body["model"] != "silent":
            said = {"best": 1 if body["model"] == "first" or "right" in answers[0] else 2}
        message = {"role": "assistant", "content": json.dumps(said)}
        usage = {"prompt_tokens": 90, "completion_tokens": 9}
        told = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}  # fmt: skip
        data = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def judges(tmp_path: Path) -> Iterator[Judges]:
    server = Judges(("127.0.0.1", 0), Compare)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    (tmp_path / "tierline.yaml").write_text(SPEC.format(port=server.server_port))
    rows = [
        {"query": f"question {n}", "model": model, "response": f"{model} says {word} {n}", "score": float(word == "right"), "task": "sums"}
        for n in range(60)
        for model, word in (("mini", ("right", "wrong")[n % 2]), ("opus", ("wrong", "right")[n % 2]))
    ]
    (tmp_path / "known.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def held(tmp_path: Path, log: Path, judge: str, *words: str) -> Result:
    given = ("--spec", tmp_path / "tierline.yaml", "--data", tmp_path / "known.jsonl", "--log", log, "--judge", judge)
    return run("judge", *given, "--budget", "1", *words)


def standing(log: Path) -> dict[tuple[str, str], JudgeVerdict]:
    with closing(LedgerReader(log)) as ledger:
        return ledger.judges()


def test_a_fair_judge_is_valid_and_a_judge_of_places_is_not(judges: Judges, log: Path, tmp_path: Path) -> None:
    fair = held(tmp_path, log, "fair", "--json")
    assert fair.exit_code == 0, fair.output
    told = json.loads(fair.stdout)
    assert (told["way"], told["valid"], told["run"]["asked"]) == ("pairs", True, 120)
    swayed = held(tmp_path, log, "first")
    assert swayed.exit_code == 1
    assert "position bias +0.50" in swayed.output
    assert "NOT valid" in swayed.output
    verdicts = standing(log)
    assert {name.partition("@")[0]: verdict.valid for (name, _), verdict in verdicts.items()} == {"fair": True, "first": False}
    before = judges.asked
    assert held(tmp_path, log, "fair").exit_code == 0
    assert judges.asked == before


def test_a_judge_of_answers_alone_is_another_judge_than_of_pairs(judges: Judges, log: Path, tmp_path: Path) -> None:
    alone = json.loads(held(tmp_path, log, "fair", "--way", "alone", "--json").stdout)
    assert alone["valid"] is True
    assert alone["judge"] != json.loads(held(tmp_path, log, "fair", "--json").stdout)["judge"]


def test_a_judge_that_says_nothing_leaves_an_earlier_verdict_as_it_is(judges: Judges, log: Path, tmp_path: Path) -> None:
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(1.0, "silent@1", ALL, {}, True))
    silent = held(tmp_path, log, "silent")
    assert silent.exit_code == 1
    assert "100% of its replies cannot be read" in silent.output
    assert [verdict.valid for verdict in standing(log).values()] == [True]


def test_the_budget_is_a_cap_and_the_same_command_goes_on(judges: Judges, log: Path, tmp_path: Path) -> None:
    short = held(tmp_path, log, "fair", "--budget", "0.001")
    assert (short.exit_code, "the budget is spent" in short.output) == (1, True)
    assert standing(log) == {}
    assert 0 < judges.asked < 30
    assert held(tmp_path, log, "fair").exit_code == 0
    assert judges.asked == 120


def test_once_a_judge_is_valid_its_labels_speak_and_not_before(log: Path) -> None:
    def trust() -> float:
        rows = json.loads(run("--log", log, "--json").stdout)["overview"]["voices"]
        return float(next(row for row in rows if row["voice"] == "judge:opus@1")["trust"])

    assert trust() == 0.0
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(1.0, "opus@1", ALL, {"right_of_good": 0.8, "right_of_bad": 0.9, "labels": 60}, True))
    assert trust() == pytest.approx(0.85)
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(2.0, "opus@1", ALL, {"misses": ["kappa 0.1, needs 0.6"]}, False))
    assert trust() == 0.0
    assert "kappa 0.1, needs 0.6" in run("--log", log).output
