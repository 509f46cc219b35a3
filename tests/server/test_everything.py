"""Every part at once, over sockets: what each promises alone still holds when all of them have a hand in the same request."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from server.echo import Echo
from server.harness import Running, Said, serving, until
from server.test_canaries import TEXT, traces
from server.test_governed import told
from tierline.config.load import load
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
from tierline.routing.router import Router
from tierline.types.record import Record

KEYS = {"ADMIN": "the-key-that-may-do-all-of-it", "CREW": "the-key-of-the-crew-and-its-work", "LIMITED": "the-key-that-has-three-requests"}
ADMIN = {"authorization": f"Bearer {KEYS['ADMIN']}"}
CREW = {"authorization": f"Bearer {KEYS['CREW']}"}
UNCLEAR = "My order and my refund: I want my money back. "
"""Words that two tasks are hinted at by, so that a small model is asked which."""


def spec(port: int, *, arm: bool = False) -> str:
    """The spec; with `arm` the one that answers for an arm of the other's experiment."""
    able = "price: {input: 1000, output: 2000}, capabilities: [tools, json_object, json_schema]"
    best = "claude" if arm else "big"
    text = f"""
version: 1
providers:
  cloud: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/cloud/v1"}}
  clouded: {{dialect: anthropic_messages, base_url: "http://127.0.0.1:{port}/clouded/v1"}}
  quick:
    kind: scripted
    script: {{seed: 7, latency: none, difficulty: {{money: 0}}, answers: {{money back: refunds}}, models: {{small: {{ability: 0.99}}}}}}
tiers: [fast, balanced, best]
models:
  small: {{provider: quick, tier: fast, price: {{input: 100, output: 400}}, capabilities: [json_schema]}}
  down: {{provider: cloud, model: status-500, tier: fast, {able}}}
  mini: {{provider: cloud, model: echo-3, tier: fast, {able}}}
  claude: {{provider: clouded, model: echo-2, tier: balanced, {able}}}
  big: {{provider: cloud, model: echo-1, tier: best, {able}}}
sources:
  search: {{url: "http://127.0.0.1:{port}/search", method: POST}}
tasks:
  orders: {{why: Where is my parcel., owner: t, match: {{keywords: [order]}}, models: [mini]}}
  refunds: {{why: Money goes back., owner: t, match: {{keywords: [refund]}}, models: [{best}], fallback: [mini]}}
  falls: {{why: The first is down., owner: t, models: [down, mini]}}
  climbs: {{why: Never right., owner: t, models: [mini, big], validate: [{{pattern: "never said"}}]}}
  judged: {{why: A judge looks., owner: t, models: [mini, big], validate: [{{judge: Is it right?, model: claude}}]}}
routes:
  auto:
    owner: t
    log_text: all
    cascade: {{retries: 0}}
    shadow: {{models: [claude], share: 1, judge: big, sensitive: true, max_cost_per_day: 10000}}
  asks:
    owner: t
    log_text: all
    scorer: {{ask: {{model: small, timeout: 5s, max_cost: 10}}}}
    tools_first: [{{cache: exact}}, {{http: search, pattern: "(?s)(?P<q>.+)", answer: answer}}]
    prepare: [{{moderate: claude}}, {{rewrite_query: mini}}]
    shadow: {{models: [claude], share: 1, judge: big, sensitive: true, max_cost_per_day: 10000}}
  joins: {{owner: t, log_text: all, combine: {{models: [mini, claude], by: judge, judge: big, else: big}}}}
  trial:
    owner: t
    log_text: all
    shadow: {{models: [big], share: 1, judge: mini, sensitive: true, max_cost_per_day: 10000}}
governance:
  detect: [email, phone, credit_card, iban, national_id, secret]
  rules:
    - {{when: sensitivity.pii || sensitivity.secret, redact: [pii, secret], why: nothing leaves}}
budgets:
  all: {{limit: 10000, per: month}}
  crew: {{limit: 10000, per: month, team: crew}}
  refunds: {{limit: 10000, per: month, task: refunds}}
  orders: {{limit: 10000, per: month, task: orders, at_limit: cheapest}}
  asks: {{limit: 10000, per: month, route: asks, pace: spread}}
  clouded: {{limit: 10000, per: month, provider: clouded}}
  claude: {{limit: 10000, per: month, model: claude}}
  big: {{limit: 10000, per: month, model: big}}
  each: {{limit: 10000, per: month, each: key}}
  words: {{tokens: 100000000, per: month}}
keys:
  admin: {{secret: "${{ADMIN}}", scopes: [call, read, admin]}}
  crew: {{secret: "${{CREW}}", team: crew}}
  limited: {{secret: "${{LIMITED}}", rate: {{requests: 3, per: hour}}}}
"""
    experiments = """
experiments:
  models: {tasks: [falls], routes: [auto], arms: {mini: 0.25, claude: 0.5}}
  specs: {routes: [trial], arms: {now: 0.5, next: {share: 0.5, spec: other.yaml}}}
"""
    return text if arm else text + experiments


class Traffic:
    """What was sent, and what came of it."""

    def __init__(self, gateway: Running, echo: Echo) -> None:
        self.gateway, self.echo = gateway, echo
        self.said: list[Said] = []
        for turn in range(2):
            for client in ("openai_chat", "anthropic_messages"):
                for stream in (False, True):
                    self._send(client, stream=stream, turn=turn)
        until(lambda: len(gateway.rows()) >= len(self.said))
        until(self._shadows_are_done)

    def _send(self, client: str, *, stream: bool, turn: int) -> None:
        for who, task in ((CREW, "falls"), (CREW, "climbs"), (ADMIN, "judged"), (CREW, "refunds")):
            path, body = told(client, f"{TEXT} {turn}", stream=stream)
            self.said.append(self.gateway.ask("POST", path, body, {**who, "x-tierline-task": task, "x-tierline-explain": "1"}))
        for route in ("asks", "joins", "trial", "trial"):
            path, body = told(client, f"{UNCLEAR}{TEXT} {turn} {len(self.said)}", stream=stream, model=f"auto/{route}")
            self.said.append(self.gateway.ask("POST", path, body, CREW))

    def _shadows_are_done(self) -> bool:
        metrics = self.gateway.ask("GET", "/metrics", headers=ADMIN).body.decode()
        return "tierline_shadows" in metrics and len(self.shadows()) + _skipped(metrics) >= sum(
            len(row.decision.shadows) for row in self.gateway.rows()
        )

    def shadows(self) -> list[Shadowed]:
        ledger = Ledger(self.gateway.spec.parent / "tierline.db")
        try:
            return [shadow for row in self.gateway.rows() for shadow in ledger.shadows.of(row.decision.request_id)]
        finally:
            ledger.close()


def _skipped(metrics: str) -> int:
    lines = [line for line in metrics.splitlines() if line.startswith("tierline_shadows_skipped_total")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)


def budgets(gateway: Running) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in gateway.ask("GET", "/admin/budgets", headers=ADMIN).json["budgets"]}


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    with Echo().running() as echo:
        folder = tmp_path_factory.mktemp("everything")
        (folder / "other.yaml").write_text(spec(echo.port, arm=True))
        (folder / "tierline.yaml").write_text(spec(echo.port))
        with serving(folder / "tierline.yaml", **KEYS) as running:
            yield Traffic(running, echo)


def test_every_request_is_answered_and_every_part_had_a_hand_in_some(traffic: Traffic) -> None:
    assert Counter(said.status for said in traffic.said) == {200: len(traffic.said)}
    rows, shadows = traffic.gateway.rows(), traffic.shadows()
    purposes = {aside.purpose for row in rows for aside in (*row.asides, *(aside for tried in row.tried for aside in tried.asides))}
    assert {"classify", "prepare/moderate", "judged/judge", "judge"} <= purposes, purposes
    assert {"refunds"} <= {row.decision.task for row in rows if row.decision.route == "asks"}
    arms = {row.decision.arm for row in rows}  # which of them, is left to chance
    assert arms & {"models/mini", "models/claude"} and arms & {"specs/now", "specs/next"}
    assert {shadow.route for shadow in shadows} >= {"auto", "asks", "trial"} and all(row.features.redacted for row in rows)


def test_money_is_where_the_rows_and_the_shadows_say(traffic: Traffic) -> None:
    rows, shadows, seen = traffic.gateway.rows(), traffic.shadows(), budgets(traffic.gateway)
    of = {row.decision.request_id: row for row in rows}

    def spent(which: Any) -> float:
        return sum(row.cost for row in rows if which(row)) + sum(one.cost for one in shadows if which(of[one.request_id]))

    used = {name: one["used"] for name, one in seen.items()}
    assert used["all"] == pytest.approx(spent(lambda _: True)) and used["each"] == pytest.approx(used["all"])
    assert used["crew"] == pytest.approx(spent(lambda row: row.features.team == "crew"))
    assert used["asks"] == pytest.approx(spent(lambda row: row.decision.route == "asks"))
    assert used["refunds"] == pytest.approx(spent(lambda row: row.decision.task == "refunds"))
    assert used["orders"] == pytest.approx(spent(lambda row: row.decision.task == "orders"))
    assert {one["reserved"] for one in seen.values()} == {0.0}
    assert used["claude"] == used["clouded"] > sum(shadow.cost - shadow.judging for shadow in shadows if shadow.model == "claude")
    assert used["claude"] + used["big"] < used["all"]
    tokens = sum(call.usage.input + call.usage.output for row in rows for call in calls(row))
    assert used["words"] >= tokens + sum(shadow.usage.input + shadow.usage.output for shadow in shadows)


def calls(row: Record) -> list[Any]:
    return [*row.asides, *row.tried, *(aside for tried in row.tried for aside in tried.asides)]


def test_every_row_decides_again_to_its_own_decision(traffic: Traffic) -> None:
    folder = traffic.gateway.spec.parent
    specs = [load(folder / name, KEYS) for name in ("tierline.yaml", "other.yaml")]
    routers = {loaded.fingerprint: Router(loaded) for loaded in specs}
    for row in traffic.gateway.rows():
        assert routers[row.decision.policy].decide(row.features, row.scores, row.view) == row.decision


def test_an_arm_is_drawn_with_the_chance_that_its_row_says(traffic: Traffic) -> None:
    rows = traffic.gateway.rows()
    policies = {row.decision.policy for row in rows if row.decision.arm == "specs/next"}
    assert policies == {load(traffic.gateway.spec.parent / "other.yaml", KEYS).fingerprint}
    for row in rows:
        if row.decision.arm.startswith("specs/"):
            assert row.decision.propensity == 0.5
        if row.decision.arm.startswith("models/"):
            assert row.decision.propensity in (0.25, 0.5) and row.decision.target == row.decision.arm.partition("/")[2]


def test_no_planted_secret_is_heard_or_shown_anywhere(traffic: Traffic) -> None:
    gateway = traffic.gateway
    shown = ["/metrics", "/admin/budgets", "/admin/audit", "/admin/world", "/admin/spec", "/admin/reviews", "/admin/keys", "/health"]
    shown += [f"/admin/decisions/{row.decision.request_id}" for row in gateway.rows()]
    shown += [f"/admin/reviews/{row.decision.request_id}" for row in gateway.rows()]
    assert {path: found for path in shown if (found := traces(gateway.ask("GET", path, headers=ADMIN).body))} == {}
    assert [(path, found) for path, head, body in traffic.echo.heard if (found := traces(head + body))] == []
    files = {path.name: path.read_bytes() for path in gateway.spec.parent.iterdir() if path.is_file()}
    assert {name: found for name, data in files.items() if (found := traces(data))} == {}
    assert len(traffic.echo.heard) > len(traffic.said) and any(b"[EMAIL_1]" in body for _, _, body in traffic.echo.heard)
    for said in traffic.said:
        assert not traces("\n".join([*said.headers, *said.headers.values()]).encode())


def test_a_key_that_has_used_up_its_requests_is_told_when_it_may_come_again(traffic: Traffic) -> None:
    said = [traffic.gateway.chat(headers={"authorization": f"Bearer {KEYS['LIMITED']}"}, model="auto/trial") for _ in range(5)]
    assert [one.status for one in said] == [200, 200, 200, 429, 429], "an arm that is another spec counts in the same limit"
    assert int(said[-1].headers["retry-after"]) > 0 and said[-1].headers["x-ratelimit-remaining-requests"] == "0"


def test_reloads_under_load_lose_nothing_and_what_was_spent_outlives_a_restart(traffic: Traffic) -> None:
    gateway = traffic.gateway
    before = until(lambda: len(rows) if len(rows := gateway.rows()) >= len(traffic.said) + 3 else None)
    said: list[Said] = []
    lock = threading.Lock()

    def client(number: int) -> None:
        for turn in range(6):
            for route in ("auto", "auto/asks", "auto/trial"):
                path, body = told("openai_chat", f"{UNCLEAR}{TEXT} {number} {turn}", model=route, stream=bool(turn % 2))
                one = gateway.ask("POST", path, body, CREW)
                with lock:
                    said.append(one)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    other = gateway.spec.parent / "other.yaml"
    for turn in range(4):
        other.write_text(other.read_text() + f"# {turn}\n")
        gateway.spec.write_text(gateway.spec.read_text().replace("share: 0.5, spec", f"share: 0.{4 + turn % 2}, spec"))
        assert gateway.ask("POST", "/admin/reload", headers=ADMIN).status == 200
    for thread in threads:
        thread.join()
    assert Counter(one.status for one in said) == {200: len(said)}
    assert len(until(lambda: rows if len(rows := gateway.rows()) >= before + len(said) else None)) == before + len(said)
    assert gateway.stop() == 0
    rows, shadows = gateway.rows(), traffic.shadows()
    with serving(gateway.spec, **KEYS) as again:
        seen = budgets(again)
        spent = sum(row.cost for row in rows) + sum(shadow.cost for shadow in shadows)
        assert seen["all"]["used"] == pytest.approx(spent) and seen["all"]["reserved"] == 0.0
        of = {row.decision.request_id: row for row in rows}
        asks = sum(row.cost for row in rows if row.decision.route == "asks")
        assert seen["asks"]["used"] == pytest.approx(asks + sum(one.cost for one in shadows if of[one.request_id].decision.route == "asks"))
    with contextlib.closing(sqlite3.connect(gateway.spec.parent / "tierline.db")) as log:
        assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert json.dumps([row.error for row in rows if row.error == "internal_error"]) == "[]"
