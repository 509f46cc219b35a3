"""Start, reload, pins, drain, and several workers."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.conftest import FAULTS, FLEET, SCENARIOS
from server.harness import HOST, Running, launch, serving, until
from server.upstream import Upstream
from tierline.server.workers import TOO_SOON


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(FLEET)
    return path


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("lasting") / "tierline.yaml"
    path.write_text(FLEET)
    with serving(path) as running:
        yield running


def requests_counted(running: Running) -> float:
    lines = running.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("tierline_requests_total{"))


def policy(running: Running) -> str:
    return str(running.chat().headers["x-tierline-policy"])


def test_a_good_spec_takes_over_and_a_bad_one_changes_nothing(lasting: Running) -> None:
    first = policy(lasting)
    lasting.spec.write_text(FLEET.replace("price: {input: 5, output: 20}", "price: {input: 6, output: 20}"))
    assert lasting.ask("POST", "/admin/reload").json["changed"] is True
    second = policy(lasting)
    assert second != first

    lasting.spec.write_text(FLEET.replace("tier: best", "tier: bset"))
    refused = lasting.ask("POST", "/admin/reload")
    assert refused.status == 422 and "bset" in refused.json["problem"]
    assert policy(lasting) == second
    assert "bset" in lasting.ask("GET", "/admin/spec").json["reload"]["problem"]
    assert 'tierline_reloads_total{outcome="refused"} 1.0' in lasting.ask("GET", "/metrics").body.decode()

    lasting.spec.write_text(FLEET)
    lasting.process.send_signal(signal.SIGHUP)
    until(lambda: policy(lasting) == first)


def test_a_changed_file_is_seen_without_being_told(lasting: Running) -> None:
    before = policy(lasting)
    lasting.spec.write_text(FLEET.replace("context: 8000", "context: 9000"))
    until(lambda: policy(lasting) != before)
    lasting.spec.write_text(FLEET)
    until(lambda: policy(lasting) == before)


def test_a_reload_in_the_middle_loses_no_request(lasting: Running) -> None:
    stop = threading.Event()

    def call() -> list[int]:
        return [lasting.chat().status for _ in iter(stop.is_set, True)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calling = [pool.submit(call) for _ in range(4)]
        for number in range(5):
            lasting.spec.write_text(FLEET.replace("context: 8000", f"context: {8001 + number}"))
            assert lasting.ask("POST", "/admin/reload").json["problem"] == ""
        stop.set()
    statuses = [status for calls in calling for status in calls.result()]
    assert statuses and set(statuses) == {200}
    lasting.spec.write_text(FLEET)
    assert lasting.ask("POST", "/admin/reload").status == 200


def test_every_spec_that_decided_is_kept(lasting: Running) -> None:
    from tierline.ledger.ledger import Ledger

    ledger = Ledger(lasting.spec.parent / "tierline.db")
    assert ledger.specs.get(policy(lasting)) is not None
    ledger.close()


def test_a_pin_holds_for_its_time_and_stands_in_the_audit(lasting: Running) -> None:
    pinned = lasting.ask("POST", "/admin/pins", {"route": "auto", "model": "big", "for": "1h", "why": "incident 12"})
    assert pinned.status == 201
    assert lasting.chat().headers["x-tierline-model"] == "big"
    assert [pin["model"] for pin in lasting.ask("GET", "/admin/pins").json["pins"]] == ["big"]
    assert lasting.ask("DELETE", "/admin/pins/auto").status == 200
    assert lasting.ask("DELETE", "/admin/pins/auto").status == 404
    assert "pinned" not in lasting.chat().headers["x-tierline-why"]
    for wrong in ({"model": "none", "for": "1h"}, {"model": "big", "for": "soon"}, {"model": "big", "for": "9d"}, {"model": "big"}):
        assert lasting.ask("POST", "/admin/pins", wrong).status == 400


def test_a_pin_set_by_another_process_is_followed(lasting: Running) -> None:
    from tierline.ledger.ledger import Ledger

    ledger = Ledger(lasting.spec.parent / "tierline.db")
    ledger.pins.pin("auto", "big", time.time() + 60, "cli", "test")
    until(lambda: "pinned" in lasting.chat().headers["x-tierline-why"])
    ledger.pins.unpin("auto", "cli")
    ledger.close()
    until(lambda: "pinned" not in lasting.chat().headers["x-tierline-why"])


def test_a_decision_can_be_looked_up_and_is_explained(lasting: Running) -> None:
    decision = lasting.chat().headers["x-tierline-decision"]
    said = until(lambda: (found := lasting.ask("GET", f"/admin/decisions/{decision}")).status == 200 and found)
    assert said.json["record"]["decision"]["request_id"] == decision
    assert said.json["explanation"]["sentences"]


def test_the_metrics_count_what_was_answered(lasting: Running) -> None:
    before = requests_counted(lasting)
    for _ in range(5):
        lasting.chat()
    assert requests_counted(lasting) == before + 5


def test_sigterm_lets_the_request_in_flight_finish_and_exits_cleanly(tmp_path: Path, upstream: Upstream) -> None:
    path = tmp_path / "tierline.yaml"
    slow = "  slow: {kind: scripted, script: {latency: real, models: {turtle: {ttft: 800ms}}}}\n"
    path.write_text(FLEET.replace("models:\n", slow + "models:\n  turtle: {provider: slow, tier: best, capabilities: []}\n", 1))
    with serving(path) as running, concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.chat, "turtle")
        until(lambda: "tierline_requests_in_flight 2.0" in running.ask("GET", "/metrics").body.decode())
        assert running.stop() == 0
        assert answer.result().status == 200
        assert running.record(answer.result().headers["x-tierline-decision"]).model == "turtle"
        with pytest.raises(OSError):
            socket.create_connection((HOST, running.port), 2).close()


def test_after_the_drain_what_still_runs_is_cancelled_and_logged(tmp_path: Path, upstream: Upstream) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(FAULTS.format(port=upstream.port) + SCENARIOS + "server: {drain: 300ms}\n")
    with serving(path, UPSTREAM_KEY="x") as running, concurrent.futures.ThreadPoolExecutor(1) as pool:
        before = upstream.seen["silent"]
        answer = pool.submit(running.chat, "silent")
        until(lambda: upstream.seen["silent"] > before)
        assert running.stop() == 0
        assert (answer.result().status, answer.result().headers["retry-after"]) == (503, "1")
        assert [row.stopped for row in running.rows()] == ["cancelled"]


def test_past_its_limit_in_flight_it_says_come_back_later(tmp_path: Path, upstream: Upstream) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(FAULTS.format(port=upstream.port) + SCENARIOS + "server: {max_in_flight: 1, drain: 0s}\n")
    with serving(path, UPSTREAM_KEY="x") as running, concurrent.futures.ThreadPoolExecutor(1) as pool:
        before = upstream.seen["silent"]
        waiting = pool.submit(running.chat, "silent")
        until(lambda: upstream.seen["silent"] > before)
        said = running.chat("steady")
        assert (said.status, said.error["code"], said.headers["retry-after"]) == (503, "unavailable", "1")
        running.stop()
        assert waiting.result().status == 503


def test_a_taken_port_a_bad_spec_and_a_missing_secret_are_said_in_a_line_each(spec: Path, lasting: Running) -> None:
    taken = launch(spec, port=lasting.port)
    assert taken.process.wait(60) == 2
    assert taken.output.count("\n") == 1 and "the port is taken" in taken.output

    spec.write_text(FLEET + "keys:\n  a: {secret: '${NOT_SET_ANYWHERE}'}\n")
    secretless = launch(spec)
    assert secretless.process.wait(60) == 2 and "NOT_SET_ANYWHERE is not set" in secretless.output

    missing = launch(spec.parent / "none.yaml")
    assert missing.process.wait(60) == 2 and "none.yaml" in missing.output

    spec.write_text(FLEET)
    (spec.parent / "tierline.db").write_bytes(b"this is no database" * 100)
    broken = launch(spec)
    assert broken.process.wait(60) == 2 and "tierline.db" in broken.output


def test_two_workers_share_the_socket_the_log_and_the_metrics(spec: Path) -> None:
    with serving(spec, "--workers", "2") as running:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = list(pool.map(lambda _: running.chat(), range(60)))
        assert {said.status for said in asked} == {200}
        decisions = {said.headers["x-tierline-decision"] for said in asked}
        until(lambda: {row.decision.request_id for row in running.rows()} == decisions)
        until(lambda: requests_counted(running) == 60)

        workers = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        assert len(workers) == 2
        assert running.stop() == 0


def test_a_worker_that_dies_is_replaced_and_what_it_counted_is_not_lost(spec: Path) -> None:
    with serving(spec, "--workers", "2") as running:
        asked = [running.chat().status for _ in range(10)]
        until(lambda: requests_counted(running) == len(asked))
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        before = children.read_text().split()
        started = time.monotonic()
        until(lambda: time.monotonic() - started > TOO_SOON)
        os.kill(int(before[0]), signal.SIGKILL)
        until(lambda: len(children.read_text().split()) == 2 and children.read_text().split() != before)
        assert json.loads(running.chat().body)["choices"]
        until(lambda: requests_counted(running) == len(asked) + 1)
        until(lambda: "tierline_workers 2.0" in running.ask("GET", "/metrics").body.decode())
        environ = Path(f"/proc/{before[1]}/environ").read_bytes().split(b"\0")
        folder = Path(next(entry for entry in environ if entry.startswith(b"PROMETHEUS_MULTIPROC_DIR=")).partition(b"=")[2].decode())
        assert {file.stem.rsplit("_", 1)[1] for file in folder.glob("*.db")} == {"0", "1"}
    assert not folder.exists()
