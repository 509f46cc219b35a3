"""What is watched, by a gateway with two workers over a log of five weeks: told once, to everybody, and shown to those who may look."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.harness import Running, serving, until
from tierline.ledger.ledger import Ledger
from tierline.types.alert import Alert
from watch.test_notify import Hook, listening
from watch.weeks import ADMIN, spec, write

AS_ADMIN = {"authorization": f"Bearer {ADMIN}"}
TOLD = {("quality_drop", "model/mini"), ("quality_drop", "task/greeting"), ("served_model", "model/mini")}
ALL = TOLD | {("price_change", "model/mini")}


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("alerts")
    told = f'webhook: "{hook.url}/json", webhooks: [{{url: "{hook.url}/slack", shape: slack, secret: "${{SIGN}}"}}]'
    loaded = spec(folder, f"{{every: 1s, {told}, watch: [quality_drop, served_model, latency_slo]}}", SIGN="a-secret-to-sign-with")
    end = time.time() // 3600 * 3600
    write(loaded, folder / "tierline.db", end, fails=lambda back: 0.5 if back <= 24 else 0.05,
          served=lambda back: "other-1" if back <= 12 else "mini-4")  # fmt: skip
    with closing(Ledger(folder / "tierline.db")) as ledger:
        gone = ledger.alerts.put(Alert("price_change", "model/mini", end, end, 1.0, 2.0, 1.0, "it was dearer", "look"))
        assert gone is not None
        ledger.alerts.told(gone.id, end)
    with serving(folder / "tierline.yaml", "--workers", "2", ADMIN_KEY=ADMIN, SIGN="a-secret-to-sign-with") as running:
        yield running


def test_each_alert_is_told_once_to_each_webhook_in_its_shape(gateway: Running, hook: Hook) -> None:
    until(lambda: len(hook.heard) >= 2 * len(ALL), 60.0)
    until(lambda: "served_model" in gateway.ask("GET", "/metrics", headers=AS_ADMIN).body.decode())
    plain = [json.loads(body) for path, _, body in hook.heard if path == "/json"]
    slack = [headers for path, headers, _ in hook.heard if path == "/slack"]
    assert len(hook.heard) == 2 * len(ALL), "of two workers one tells"
    assert {(alert["watch"], alert["subject"]) for alert in plain} == ALL
    (over,) = [alert for alert in plain if alert["state"] == "recovered"]
    assert over["watch"] == "price_change", "it is watched no more"
    assert all(alert["requests"] and alert["todo"] for alert in plain if alert is not over)
    assert len(slack) == len(ALL)
    assert all(headers["x-tierline-signature"].startswith("sha256=") for headers in slack)
    assert gateway.output.count("alert quality_drop of model/mini: the pass rate of the model mini fell") == 1


def test_the_panel_lists_them_by_state(gateway: Running, hook: Hook) -> None:
    until(lambda: len(hook.heard) >= 2 * len(ALL), 60.0)
    said = gateway.ask("GET", "/admin/alerts", headers=AS_ADMIN)
    assert {(alert["watch"], alert["subject"]) for alert in said.json["alerts"]} == TOLD
    assert gateway.ask("GET", "/admin/alerts?state=recovered", headers=AS_ADMIN).json["alerts"][0]["watch"] == "price_change"
    assert len(gateway.ask("GET", "/admin/alerts?state=all&limit=2", headers=AS_ADMIN).json["alerts"]) == 2
    assert gateway.ask("GET", "/admin/alerts?state=old", headers=AS_ADMIN).status == 400
    assert gateway.ask("GET", "/admin/alerts?limit=0", headers=AS_ADMIN).status == 400
    assert gateway.ask("GET", "/admin/alerts").status == 401


def test_a_scrape_shows_how_many_are_open(gateway: Running) -> None:
    def shown() -> bool:
        text = gateway.ask("GET", "/metrics", headers=AS_ADMIN).body.decode()
        wanted = ('tierline_alerts_firing{watch="quality_drop"} 2.0', 'tierline_alerts_total{watch="quality_drop"} 2.0',
                  'tierline_alerts_firing{watch="latency_slo"} 0.0')  # fmt: skip
        return all(line in text for line in wanted)

    until(shown, 60.0)


def test_nothing_is_watched_where_the_spec_says_nothing(tmp_path: Path) -> None:
    write(spec(tmp_path, "{}"), tmp_path / "tierline.db", time.time() // 3600 * 3600, hours=2, an_hour=1)
    with serving(tmp_path / "tierline.yaml", ADMIN_KEY=ADMIN) as running:
        assert running.ask("GET", "/admin/alerts", headers=AS_ADMIN).json == {"alerts": []}
        assert "tierline_alerts_firing{" not in running.ask("GET", "/metrics", headers=AS_ADMIN).body.decode()
