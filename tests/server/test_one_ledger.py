"""Two gateways on two machines, one database: what is done at one holds at the other, and nothing is lost while the database is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from databases import fresh_database
from decision_log.relay import Relay
from server.harness import Running, Said, serving, until
from tierline.cli.app import build
from tierline.ledger.ledger import Ledger

SPEC = """
version: 1
providers:
  fleet: {{kind: scripted, script: {{seed: 7, latency: none, models: {{mini: {{ability: 0.5}}, big: {{ability: 0.9}}}}}}}}
models:
  mini: {{provider: fleet, tier: fast, price: {{input: 0.1, output: 0.4}}, context: 100000}}
  big: {{provider: fleet, tier: best, price: {{input: 1, output: 4}}, context: 100000}}
tasks:
  short: {{why: Nobody reads more., models: [mini], validate: [{{max_chars: 3}}]}}
  greeting: {{why: A fleeting word., models: [mini, big]}}
routes:
  auto: {{log_text: all, select: static}}
experiments:
  trial: {{tasks: [greeting], arms: {{small: {{model: mini, share: 0.5}}, large: {{model: big, share: 0.5}}}}}}
keys:
  boss: {{secret: "the-key-that-may-do-all-here", scopes: [call, read, admin]}}
decision_log: {{url: "{url}"}}
"""
BOSS = {"authorization": "Bearer the-key-that-may-do-all-here"}


class Pair(NamedTuple):
    """Two gateways, the relay before their database, and the database's own address."""

    one: Running
    other: Running
    relay: Relay
    url: str


@pytest.fixture(scope="module")
def pair(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with fresh_database(postgres) as url, closing(Relay(url)) as relay:
        specs = [tmp_path_factory.mktemp(name) / "tierline.yaml" for name in ("one", "other")]
        for spec in specs:
            spec.write_text(SPEC.format(url=relay.url))
        with serving(specs[0]) as one, serving(specs[1]) as other:
            yield Pair(one, other, relay, url)


def ask(gateway: Running, method: str, path: str, body: Any = None, key: str = "") -> Said:
    return gateway.ask(method, path, body, {"authorization": f"Bearer {key}"} if key else BOSS)


def status(gateway: Running, key: str) -> int:
    return ask(gateway, "GET", "/v1/models", key=key).status


def chat(gateway: Running, task: str = "greeting") -> str:
    """A request; its decision."""
    said = gateway.chat(headers={**BOSS, "x-tierline-task": task})
    assert said.status == 200
    return said.headers["x-tierline-decision"]


def tierline(gateway: Running, *words: str) -> Any:
    """A command with a gateway's spec at hand."""
    done = CliRunner().invoke(build([words[0]]), [*words, "--config", str(gateway.spec), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def in_the_log(gateway: Running, decision: str) -> None:
    """Wait until another gateway knows of a request: its row has been shipped."""
    until(lambda: ask(gateway, "GET", f"/admin/decisions/{decision}").status == 200)


def test_a_key_made_at_one_opens_the_other_and_revoked_there_it_opens_neither(pair: Pair) -> None:
    secret = ask(pair.one, "POST", "/admin/keys", {"name": "ci"}).json["secret"]
    assert status(pair.one, secret) == 200
    until(lambda: status(pair.other, secret) == 200)
    assert ask(pair.other, "DELETE", "/admin/keys/ci").status == 200
    assert status(pair.other, secret) == 401
    until(lambda: status(pair.one, secret) == 401)


def test_a_pin_set_at_one_holds_at_the_other(pair: Pair) -> None:
    assert ask(pair.one, "POST", "/admin/pins", {"model": "big", "for": "1h", "why": "an incident"}).status == 201
    asked = {**BOSS, "x-tierline-task": "short"}
    until(lambda: pair.other.chat(headers=asked).headers["x-tierline-model"] == "big")
    assert ask(pair.other, "DELETE", "/admin/pins/auto").status == 200
    until(lambda: pair.one.chat(headers=asked).headers["x-tierline-model"] == "mini")


def test_a_review_of_one_is_seen_with_its_words_and_judged_at_the_other(pair: Pair) -> None:
    decision = chat(pair.one, "short")
    until(lambda: ask(pair.other, "GET", f"/admin/reviews/{decision}").status == 200)
    told = until(lambda: (found := ask(pair.other, "GET", f"/admin/reviews/{decision}").json)["text"] and found)
    assert "capital of France" in told["text"]
    assert ask(pair.other, "POST", f"/admin/reviews/{decision}", {"state": "dismissed"}).status == 200
    assert ask(pair.one, "GET", f"/admin/reviews/{decision}").json["review"]["state"] == "dismissed"
    assert tierline(pair.one, "review", "show", decision)["review"]["reviewed_by"] == "boss"


def test_experiments_and_explanations_are_of_the_rows_of_both(pair: Pair) -> None:
    decisions = [chat(gateway) for gateway in (pair.one, pair.other) for _ in range(8)]
    for decision in (decisions[7], decisions[-1]):
        in_the_log(pair.one, decision)
        in_the_log(pair.other, decision)
    told = tierline(pair.one, "experiments")["experiments"][0]
    assert sum(arm["requests"] for arm in told["arms"]) == 16
    assert tierline(pair.other, "explain", "--logged", decisions[0])["decision"]["request_id"] == decisions[0]


def test_labels_that_were_brought_once_are_known_to_both_and_to_replay(pair: Pair, tmp_path: Path) -> None:
    decision = chat(pair.one)
    in_the_log(pair.other, decision)
    golden = tmp_path / "golden.jsonl"
    golden.write_text(json.dumps({"request_id": decision, "score": 1.0}))
    assert tierline(pair.one, "labels", "import", str(golden))["written"] == 1
    assert tierline(pair.other, "labels", "import", str(golden))["known"] == 1
    out = tmp_path / "again.json"
    done = CliRunner().invoke(build(["replay"]), ["replay", "--log", pair.url, "--spec", str(pair.other.spec), "--json", str(out)])
    assert done.exit_code == 0, done.output
    said = json.loads(out.read_text())
    assert said["source"] == "PostgreSQL", "an address holds a password: no report says it"
    assert said["rows"]["changed"] == 0


def test_the_trail_of_both_is_one_chain(pair: Pair) -> None:
    for gateway in (pair.one, pair.other) * 3:
        assert ask(gateway, "POST", "/admin/reload").status == 200
    told = tierline(pair.one, "audit", "--verify")
    assert told["ok"] and told["entries"] >= 6
    heads = {ask(gateway, "GET", "/admin/audit").json["head"]["hash"] for gateway in (pair.one, pair.other)}
    assert len(heads) == 1


def test_while_the_database_is_away_nothing_is_lost_and_what_is_known_holds(pair: Pair, tmp_path: Path) -> None:
    secret = ask(pair.one, "POST", "/admin/keys", {"name": "worker"}).json["secret"]
    until(lambda: status(pair.other, secret) == 200)
    before = chat(pair.one)
    pair.relay.cut()
    try:
        until(lambda: ask(pair.one, "GET", "/health/readiness").json["ledger_away"])
        assert ask(pair.one, "GET", "/health/readiness").status == 200, "requests go on"
        assert (status(pair.one, secret), status(pair.other, secret), status(pair.one, "nobody")) == (200, 200, 401)
        for request in (before, chat(pair.one)):
            assert until(lambda request=request: ask(pair.one, "POST", "/v1/feedback", {"decision": request, "score": 0.25}).status) == 200
        flagged = chat(pair.other, "short")
        refused = ask(pair.one, "POST", "/admin/keys", {"name": "later"})
        assert refused.status == 503 and int(refused.headers["retry-after"]) > 0
        assert "PostgreSQL cannot be reached" in refused.error["message"]
        folder = tmp_path / "late"
        folder.mkdir()
        (folder / "tierline.yaml").write_text(pair.one.spec.read_text())
        with serving(folder / "tierline.yaml") as late:
            assert chat(late), "the keys of the spec open it"
            assert status(late, secret) == 503, "it cannot know whether this is a key"
            pair.relay.mend()
            until(lambda: status(late, secret) == 200)
    finally:
        pair.relay.mend()
    until(lambda: not ask(pair.one, "GET", "/health/readiness").json["ledger_away"])
    until(lambda: ask(pair.one, "GET", f"/admin/reviews/{flagged}").status == 200)
    with closing(Ledger(pair.url)) as ledger:
        assert [one.score for one in ledger.feedback.of(before)] == [0.25]
        assert ledger.audit.verify() is None
        assert ledger.keys.get("later") is None
    assert ask(pair.one, "POST", "/admin/keys", {"name": "later"}).status == 201
