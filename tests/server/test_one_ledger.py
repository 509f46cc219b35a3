"""Two gateways on two machines, one database: what is done at one holds at the other, and nothing is lost while the database is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from databases import fresh_database
from decision_log.relay import Relay
from server.harness import Running, Said, launch, serving, until
from tierline.cli.app import build
from tierline.cli.log_copy import as_file
from tierline.client import Client
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.gateway.books import Books
from tierline.ledger.keys import Given
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Notes
from tierline.ledger.reader import LedgerReader
from tierline.postgres.migrate import upgrade

SPEC = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, big: {ability: 0.9}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
  big: {provider: fleet, tier: best, price: {input: 1, output: 4}, context: 100000}
tasks:
  short: {why: Nobody reads more., models: [mini], validate: [{max_chars: 3}]}
  greeting: {why: A fleeting word., models: [mini, big]}
routes:
  auto: {log_text: all, select: static}
experiments:
  trial: {tasks: [greeting], arms: {small: {model: mini, share: 0.5}, large: {model: big, share: 0.5}}}
keys:
  boss: {secret: "${BOSS}", scopes: [call, read, admin]}
decision_log: {url: "${DATABASE}"}
"""
SECRET = "the-key-that-may-do-all-here"
BOSS = {"authorization": f"Bearer {SECRET}"}


class Pair(NamedTuple):
    """Two gateways, the relay before their database, and the database's own address."""

    one: Running
    other: Running
    relay: Relay
    url: str

    @property
    def environ(self) -> dict[str, str]:
        return {"BOSS": SECRET, "DATABASE": self.relay.url}


@pytest.fixture(scope="module")
def pair(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with fresh_database(postgres) as url, closing(Relay(url)) as relay:
        asyncio.run(upgrade(url))
        running = []
        for name in ("one", "other"):
            spec = tmp_path_factory.mktemp(name) / "tierline.yaml"
            spec.write_text(SPEC)
            running.append(launch(spec, BOSS=SECRET, DATABASE=relay.url))
        try:
            for one in running:
                until(lambda one=one: one.process.poll() is not None or "answers at" in one.output)
                assert one.process.poll() is None, one.output
            yield Pair(*running, relay, url)
        finally:
            for one in running:
                one.stop()


def ask(gateway: Running, method: str, path: str, body: Any = None, key: str = "") -> Said:
    return gateway.ask(method, path, body, {"authorization": f"Bearer {key}"} if key else BOSS)


def status(gateway: Running, key: str) -> int:
    return ask(gateway, "GET", "/v1/models", key=key).status


def chat(gateway: Running, task: str = "greeting") -> str:
    """A request; its decision."""
    said = gateway.chat(headers={**BOSS, "x-tierline-task": task})
    assert said.status == 200
    return said.headers["x-tierline-decision"]


def tierline(pair: Pair, gateway: Running, *words: str, spec: str = "--config") -> Any:
    """A command with a gateway's spec at hand."""
    done = CliRunner(env=pair.environ).invoke(build([words[0]]), [*words, spec, str(gateway.spec), "--json"])
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
    assert tierline(pair, pair.one, "review", "show", decision)["review"]["reviewed_by"] == "boss"


def test_experiments_and_explanations_are_of_the_rows_of_both(pair: Pair) -> None:
    decisions = [chat(gateway) for gateway in (pair.one, pair.other) for _ in range(8)]
    for decision in (decisions[7], decisions[-1]):
        in_the_log(pair.one, decision)
        in_the_log(pair.other, decision)
    told = tierline(pair, pair.one, "experiments")["experiments"][0]
    assert sum(arm["requests"] for arm in told["arms"]) == 16
    assert tierline(pair, pair.other, "explain", "--logged", decisions[0])["decision"]["request_id"] == decisions[0]


def test_labels_that_were_brought_once_are_known_to_both_and_to_replay(pair: Pair, tmp_path: Path) -> None:
    decision = chat(pair.one)
    in_the_log(pair.other, decision)
    golden = tmp_path / "golden.jsonl"
    golden.write_text(json.dumps({"request_id": decision, "score": 1.0}))
    assert tierline(pair, pair.one, "labels", "import", str(golden))["written"] == 1
    assert tierline(pair, pair.other, "labels", "import", str(golden))["known"] == 1
    out = tmp_path / "again.json"
    done = CliRunner(env=pair.environ).invoke(
        build(["replay"]), ["replay", "--log", pair.url, "--spec", str(pair.other.spec), "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(out.read_text())
    assert said["source"] == "PostgreSQL", "an address holds a password: no report says it"
    assert said["rows"]["changed"] == 0


def test_a_spec_that_is_published_at_one_machine_is_put_to_work_at_the_other(pair: Pair, tmp_path: Path) -> None:
    candidate = tmp_path / "next.yaml"
    candidate.write_text(pair.one.spec.read_text().replace("price: {input: 1, output: 4}", "price: {input: 2, output: 8}"))
    told = tierline(pair, pair.one, "release", "publish", str(candidate), "--force", "--why", "it costs more now", spec="--spec")
    for gateway in (pair.one, pair.other):
        until(lambda gateway=gateway: ask(gateway, "GET", "/admin/spec").json["policy"] == told["candidate"])
        assert gateway.spec.read_text() == candidate.read_text()
    tierline(pair, pair.other, "release", "rollback", "--why", "it does not", spec="--spec")
    until(lambda: pair.one.spec.read_text() == pair.other.spec.read_text() != candidate.read_text())


def test_the_trail_of_both_is_one_chain(pair: Pair) -> None:
    for gateway in (pair.one, pair.other) * 3:
        assert ask(gateway, "POST", "/admin/reload").status == 200
    told = tierline(pair, pair.one, "audit", "--verify")
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
        with serving(folder / "tierline.yaml", **pair.environ) as late:
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


def test_a_log_in_the_database_becomes_a_file_without_keys_for_as_long_as_it_is_learnt_from(pair: Pair) -> None:
    with closing(open_reader(pair.url)) as there:
        before = there.count()
    with as_file(pair.url) as path:
        with closing(LogReader(path)) as here, closing(open_reader(pair.url)) as there:
            assert 0 < before <= here.count() <= there.count(), "rows of earlier requests may still be on their way there"
        with closing(LedgerReader(path)) as here, closing(LedgerReader(pair.url)) as there:
            assert list(here.labels()) == list(there.labels())
            assert here.query("SELECT count(*) FROM keys") == [(0,)] != there.query("SELECT count(*) FROM keys")
    assert not path.exists()


def test_keys_of_the_file_that_the_database_does_not_know_are_named_at_the_start(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Ledger(tmp_path / "tierline.db")) as before:
        before.keys.create("forgotten", Given(), "test")
    with closing(Books(tmp_path / "tierline.db", pair.url)) as books:
        asyncio.run(books.look_for_what_was_left())
    assert "holds the keys forgotten" in caplog.text


def test_a_library_begins_and_answers_while_the_database_is_away(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(pair.one.spec.read_text())

    async def story() -> str:
        away = {"BOSS": SECRET, "DATABASE": "postgresql://nobody@127.0.0.1:1/none"}
        async with Client.from_file(tmp_path / "tierline.yaml", environ=away) as client:
            return (await client.chat("Where is my order?", task="short")).text

    assert asyncio.run(story())
    with closing(Notes(tmp_path / "tierline.db")) as notes:
        assert notes.waiting == 2, "its spec, and the answer that no check accepted"
