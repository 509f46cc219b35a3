"""The log commands, run as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.cli.log import moment
from tierline.decision_log.export import read_line
from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.keys import Given
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
from tierline.types.decision import Decision, Drop, Dropped, Reason, Step, Why
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Aside, Usage, Verdict
from tierline.types.record import Record, Tried

TRIED = (
    Tried("mini", "first", False, 0.0, 0.2, None, NO_USAGE, "overloaded", 529),
    Tried("local", "fallback", True, 0.0004, 0.8, 0.2, Usage(931, 151), verdicts=(Verdict("schema", True),)),
)


def record(request_id: str, at: float, task: str = "orders", tried: tuple[Tried, ...] = TRIED) -> Record:
    decision = Decision(
        request_id,
        "auto",
        "3f9a1c0b77de",
        (Step("fast", ("mini", "local")),),
        task=task,
        reasons=(Reason(Why.CHEAPEST_ABOVE_BAR, "mini", 0.971, 0.97),),
        dropped=(Dropped("opus", Drop.PRICE, "max_cost", 0.03, 0.01),),
    )
    return Record(at, Features(request_id, language="en"), decision, tried, winner=len(tried) - 1 if tried else None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.db"
    with closing(SqliteLog(path)) as log:
        log.put(record("a", 1.0), b"where is my order?")
        log.put(record("b", 2.0, task="policy"))
        log.put(record("c", 3.0, tried=TRIED[1:]))
    return path


def run(*arguments: str | Path, code: int = 0, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tierline", "log", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_stats_tell_for_how_many_a_small_model_was_asked_and_what_that_took(path: Path) -> None:
    asides = (Aside("tool", "faq", False, error="miss"), Aside("classify", "mini", True, 0.0001, 0.03, Usage(100, 20)))
    remembered = (Aside("classify", "mini", True, detail="remembered"),)
    with closing(SqliteLog(path)) as log:
        log.put(msgspec.structs.replace(record("d", 4.0), asides=asides))
        log.put(msgspec.structs.replace(record("e", 5.0), asides=remembered))
    figures = json.loads(run("stats", "--by", "task", "--log", path, "--json"))
    assert figures["total"]["asked_rate"] == pytest.approx(2 / 5)
    assert figures["total"]["asked_cost_share"] == pytest.approx(0.0001 / (5 * 0.0004 + 0.0001))
    assert {group["name"]: group["asked_rate"] for group in figures["groups"]} == {"orders": pytest.approx(2 / 4), "policy": 0.0}
    assert "for 40.0% of all requests, which took 4.76% of all cost" in run("stats", "--log", path)


def test_tail_shows_the_newest_rows_a_line_each(path: Path) -> None:
    heading, *lines = run("tail", "-n", "2", "--log", path).splitlines()
    assert heading.split()[:3] == ["time", "id", "route"]
    assert ["b" in line.split() for line in lines] == [True, False]
    assert "1 fallback" in lines[0]


def test_tail_keeps_its_columns_under_their_names(path: Path) -> None:
    with closing(SqliteLog(path)) as log:
        log.put(record("1a20358cd50e5bc0ba5d5c", 4.0))
    heading, row = run("tail", "-n", "1", "--log", path).splitlines()
    assert heading.index("route") == row.index("auto") and heading.index("task") == row.index("orders")


def test_tail_says_once_what_ended_a_request(path: Path) -> None:
    ended = record("d", 4.0, tried=(Tried("mini", "first", False, 0.0, 0.1, None, NO_USAGE, "bad_request", 400),))
    with closing(SqliteLog(path)) as log:
        log.put(msgspec.structs.replace(ended, winner=None, status=400, error="bad_request", stopped="bad_request"))
    assert run("tail", "-n", "1", "--log", path).count("bad_request") == 1


def test_tail_prints_json_lines_that_are_records(path: Path) -> None:
    lines = run("tail", "--json", "--task", "orders", "--log", path).splitlines()
    assert [read_line(line) for line in lines] == [record("a", 1.0), record("c", 3.0, tried=TRIED[1:])]


def test_tail_follows_a_log_that_is_being_written(path: Path) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-m", "tierline", "log", "tail", "-f", "-n", "1", "--json", "--log", str(path)], stdout=subprocess.PIPE, text=True
    )
    assert follower.stdout is not None
    try:
        assert read_line(follower.stdout.readline()) == record("c", 3.0, tried=TRIED[1:])
        with closing(SqliteLog(path)) as log:
            log.put(record("d", 4.0))
        assert read_line(follower.stdout.readline()) == record("d", 4.0)
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()


def test_show_tells_the_whole_request(path: Path) -> None:
    shown = run("show", "a", "--log", path)
    for words in (
        "local (fast)",
        "language",
        "cheapest above bar: mini (0.971, limit 0.97)",
        "opus: price: max_cost",
        "overloaded",
        "passed",
    ):
        assert words in shown
    assert "where is my order?" not in shown


def test_show_tells_the_calls_that_checks_made_and_whom_a_comparison_picked(path: Path) -> None:
    judged = (
        Tried("mini", "branch", True, 0.0001, 0.2, None, NO_USAGE, endpoint="openai#2"),
        Tried("local", "branch", True, 0.0001, 0.2, None, NO_USAGE),
        Tried("gpt", "judge", True, 0.0005, 0.3, None, NO_USAGE, asides=(Aside("judge", "gpt", True, 0.0005, 0.3, Usage(269, 1)),)),
    )
    with closing(SqliteLog(path)) as log:
        log.put(msgspec.structs.replace(record("d", 4.0, tried=judged), winner=0))
    shown = run("show", "d", "--log", path)
    assert "picked mini" in shown and "by openai#2" in shown
    (beside,) = [line.split() for line in shown.splitlines() if "+ gpt" in line]
    assert beside[2:] == ["judge", "answered", "269", "0", "1", "($0.0005)", "0.300", "-"]


def test_show_prints_stored_text_only_when_asked(path: Path) -> None:
    assert "where is my order?" in run("show", "a", "--text", "--log", path)
    assert "no text is kept" in run("show", "b", "--text", "--log", path)


def test_show_as_json_is_the_row(path: Path) -> None:
    shown = json.loads(run("show", "a", "--json", "--log", path))
    assert (shown["model"], shown["tried"][0][0], shown["decision"]["task"]) == ("local", "mini", "orders")


def test_an_id_that_nobody_knows_is_said(path: Path) -> None:
    assert "no request 'zzz'" in run("show", "zzz", "--log", path, code=2)


def test_stats_add_up_for_people_and_for_programs(path: Path) -> None:
    assert "policy" in run("stats", "--by", "task", "--log", path)
    found = json.loads(run("stats", "--by", "task", "--json", "--log", path))
    assert [(group["name"], group["requests"]) for group in found["groups"]] == [("orders", 2), ("policy", 1)]
    assert found["total"]["cost"] == pytest.approx(0.0012)


def test_what_answered_beside_is_shown_with_how_often_its_judge_disagreed_with_itself(path: Path) -> None:
    assert "no model has answered beside" in run("shadows", "--log", path)
    plain = Shadowed(
        "a", 1.0, "auto", "orders", "opus", "mini", 0.5, True, True, 0.01, 2.0, "fair@1", "won", verdicts=(Verdict("s", True),)
    )
    with closing(Ledger(path)) as ledger:
        ledger.shadows.add([plain, msgspec.structs.replace(plain, judgement="disagreed")])
    told = run("shadows", "--log", path)
    assert "50.0%" in told and "fair@1 disagrees with itself in 50% of 2 comparisons" in told and "$0.0200" in told
    (found,) = json.loads(run("shadows", "--json", "--task", "orders", "--log", path))
    assert (found["won"], found["disagreed"], found["self_disagreement"], found["requests"]) == (1, 1, 0.5, 4.0)
    assert run("shadows", "--json", "--task", "policy", "--log", path).strip() == "[]"
    assert "won against mini, says fair@1" in run("show", "a", "--log", path)
    assert "2 answers of shadows for $0.0200, in none of the figures above" in run("stats", "--log", path)
    assert json.loads(run("stats", "--json", "--log", path))["shadows"] == {"answers": 2, "cost": 0.02}


def test_an_export_holds_every_row(path: Path, tmp_path: Path) -> None:
    run("export", "-o", tmp_path / "rows.ndjson", "--log", path)
    lines = (tmp_path / "rows.ndjson").read_text().splitlines()
    assert [read_line(line).at for line in lines] == [1.0, 2.0, 3.0]
    assert run("export", "-o", "-", "--log", path).splitlines() == lines
    run("export", "--format", "parquet", "--since", "1970-01-01T00:00:02+00:00", "-o", tmp_path / "rows.parquet", "--log", path)
    assert (tmp_path / "rows.parquet").read_bytes()[:4] == b"PAR1"


def test_the_path_may_come_from_the_spec_without_its_secrets(path: Path) -> None:
    spec = path.with_name("tierline.yaml")
    spec.write_text("version: 1\nproviders: {openai: {api_key: '${NO_SUCH_KEY}'}}\ndecision_log: {path: tierline.db}\n")
    assert len(run("tail", "--json", "--config", spec).splitlines()) == 3


def test_without_a_path_it_reads_the_folder_s_own_log(path: Path) -> None:
    assert len(run("tail", "--json", cwd=path.parent).splitlines()) == 3


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "there is no decision log at" in run("tail", "--log", tmp_path / "missing.db", code=2)


def test_a_time_that_is_none_shows_what_to_write(path: Path) -> None:
    assert "write 30m, 24h" in run("tail", "--since", "yesterday-ish", "--log", path, code=2)


def test_check_finds_damage_and_exits_with_1(path: Path) -> None:
    assert "sound, 3 rows" in run("check", "--log", path)
    with path.open("r+b") as file:
        for page in (4, 5, 6, 8):
            file.seek(page * 4096)
            file.write(b"\xff" * 100)
    assert ".recover" in run("check", "--log", path, code=1)


@pytest.mark.parametrize(
    ("text", "at"),
    [("1h", 996_400.0), ("500ms", 999_999.5), ("1970-01-02T00:00:00+00:00", 86_400.0), ("1970-01-01T01:00+01:00", 0.0)],
)
def test_times_are_so_long_ago_or_by_the_calendar(text: str, at: float) -> None:
    assert moment(text, 1_000_000.0) == at


def test_without_a_log_or_a_spec_named_the_spec_in_this_folder_says_where_the_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Ledger(tmp_path / "elsewhere.db")) as ledger:
        ledger.keys.create("ci", Given(), "test")
    (tmp_path / "tierline.yaml").write_text("version: 1\ndecision_log: {path: elsewhere.db}\n")
    listed = CliRunner().invoke(build(["audit"]), ["audit", "--json"])
    assert [entry["action"] for entry in json.loads(listed.stdout)["entries"]] == ["key.create"]
    assert CliRunner().invoke(build(["review"]), ["review", "list"]).exit_code == 0
    named = CliRunner().invoke(build(["review"]), ["review", "list", "--config", "nowhere.yaml"])
    assert named.exit_code == 2 and "nowhere.yaml" in named.output
