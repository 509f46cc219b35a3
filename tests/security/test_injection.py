"""Words that would be commands if somebody let them: in SQL, in conditions, in patterns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from answerers.conftest import postgres

from answerers.asking import answers, run
from answerers.test_sql import executed, tool
from server.harness import Running, serving
from tierline.types.errors import AnswererFailure

__all__ = ["postgres"]  # the fixture: a real PostgreSQL

TABLE = """
CREATE TABLE people (name TEXT, city TEXT, secret TEXT);
INSERT INTO people VALUES ('ada', 'london', 'the-secret'), ('o''brien', 'dublin', 'other-secret');
"""
QUERY = "select city from people where name = :name and city <> :not_in and secret <> :third"
PATTERN = r"(?s)^where is <(?P<name>.*?)> not <(?P<not_in>.*?)> nor <(?P<third>.*?)>$"
COMMANDS = [
    "' or '1'='1", "' or 1=1 --", "'; drop table people; --", "' union select secret from people --", "ada' --", "ada'/*", "*/ or 1=1 /*",
    "\\' or 1=1 --", "\x00' or 1=1 --", "$1", "$$; drop table people; $$", ":name", "%", "_%", "ada\x00", "ada;", '" or ""="', "ada'||'",
    "' || (select secret from people limit 1) || '", "'; attach database '/tmp/evil.db' as e; --", "'; copy people to '/tmp/evil'; --",
    "' and pg_sleep(30)::text = '", "' and randomblob(1000000000) = '", "\u02bc or 1=1", "\uff07 or 1=1 --", "ADA", "1e999", "NULL",
    "{name}",
]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def people(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "people.db")) as connection:
            connection.executescript(TABLE)
        return "sqlite:///people.db"
    url: str = request.getfixturevalue("postgres")
    run(executed(url, f"DROP TABLE IF EXISTS people; {TABLE}"))
    return url


def said(url: str, folder: Path, name: str, not_in: str = "x", third: str = "x") -> str | None:
    try:
        return answers(tool(url, folder, QUERY, PATTERN), f"where is <{name}> not <{not_in}> nor <{third}>")
    except AnswererFailure:
        return None


def test_the_query_finds_what_it_is_for(people: str, tmp_path: Path) -> None:
    assert said(people, tmp_path, "ada") == "london"
    assert said(people, tmp_path, "o'brien") == "dublin"
    assert said(people, tmp_path, "ada", "london") is None


def test_no_group_of_a_pattern_is_ever_a_command(people: str, tmp_path: Path) -> None:
    for words in COMMANDS:
        assert said(people, tmp_path, words) is None, words
        assert said(people, tmp_path, "nobody", words) is None and said(people, tmp_path, "nobody", "x", words) is None, words
        assert said(people, tmp_path, "ada", words, words) in ("london", None), words
    assert said(people, tmp_path, "ada") == "london"  # the table stands, with the row in it


CONDITIONS = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000, capabilities: [tools]}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000, capabilities: [tools]}
tiers: [fast, best]
tasks: {chatter: {why: Small talk., models: [mini]}}
routes:
  auto:
    difficulty: {fast: 1.0}
    rules:
      - {when: "user_tier == 'gold'", use: [big], why: gold gets the best}
      - {when: "risk == 'high' || 'vip' in tags", use: [big], why: only it may}
"""
EXPRESSIONS = [
    "true", "gold' || 'a' == 'a", "' || true || '", "gold'", "\"gold\"", "user_tier == 'gold'", "gold\x00", " || 1 == 1", "{{7*7}}",
    "${HOME}", "gold\\",
    "G\u043eld",     "go" "ld' ", "size(user_tier) >= 0", "') || (true", "__import__('os').system('id')", "%(gold)s", "*", ".*", "g[o]ld",
]  # fmt: skip


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("ruled") / "tierline.yaml"
    spec.write_text(CONDITIONS)
    with serving(spec) as running:
        yield running


def ruled_by(ruled: Running, words: str = "Hello", system: str = "", **hints: object) -> bool:
    """Whether a rule applied to this request."""
    before = [{"role": "system", "content": system}] if system else []
    body = {"model": "auto", "messages": [*before, {"role": "user", "content": words}], "metadata": hints}
    said = ruled.ask("POST", "/v1/route", body)
    assert said.status == 200
    return any(why in json.dumps(said.json["explanation"]) for why in ("gold gets the best", "only it may"))


def test_a_hint_is_a_value_in_a_condition_and_never_a_part_of_it(ruled: Running) -> None:
    assert ruled_by(ruled, tierline_user_tier="gold") and ruled_by(ruled, tierline_tags=["vip"])
    for words in EXPRESSIONS:
        for hint in ("user_tier", "sensitivity", "session", "risk"):
            assert not ruled_by(ruled, **{f"tierline_{hint}": words}), (hint, words)
        assert not ruled_by(ruled, tierline_tags=[words]), words


def test_words_of_the_prompt_are_no_part_of_a_condition_either(ruled: Running) -> None:
    for words in (*EXPRESSIONS, *COMMANDS):
        assert not ruled_by(ruled, words, words), words


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: ascii(words[:20]))
def test_the_ledger_and_the_log_take_every_word_as_a_word(ruled: Running, words: str) -> None:
    decision = ruled.chat(metadata={"tierline_session": words[:150]}).headers["x-tierline-decision"]
    assert ruled.record(decision).decision.request_id == decision
    kept = ruled.ask("POST", "/v1/feedback", {"decision": decision, "correction": words})
    assert kept.status == 200 and kept.json["kept"] is True
    assert ruled.ask("POST", "/v1/feedback", {"decision": words, "score": 1}).status == 404
    for path in ("/admin/decisions/", "/admin/reviews/", "/admin/keys/"):
        quoted = "".join(f"%{byte:02x}" for byte in words.encode())
        assert ruled.ask("GET", path + quoted).status == 404
    assert ruled.ask("POST", "/admin/pins", {"route": "auto", "model": words, "for": "1m", "why": words}).status == 400
