"""Several real workers and replicas over one Valkey, or on one machine without any: one budget, one rate, one breaker, one session."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.harness import Running, Said, serving, until
from tierline.config.budgets import HEADROOM
from tierline.types.record import Record
from valkeys import Relay, address, fresh_prefix, own_valkey, pid_of, some_valkey

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script:
      seed: 7
      models:
        mini: {ability: 0.5, ttft: 5ms, output: 20, tokens_per_second: 100000}
        big: {ability: 0.9, ttft: 5ms, output: 20, tokens_per_second: 100000}
  broken: {kind: scripted, script: {seed: 7, latency: none, models: {bad: {ability: 0.5, fail: {rate: 1, kind: server}}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 10, output: 40}}
  big: {provider: fleet, tier: best, price: {input: 50, output: 200}}
  bad: {provider: broken, tier: fast, price: {input: 0, output: 0}}
tasks:
  small: {why: Cheap., models: [mini]}
  breaks: {why: It fails., models: [bad], fallback: [mini]}
  any: {why: Either., models: [mini, big]}
routes:
  auto: {task: small, select: static}
  breaks: {task: breaks, select: static}
  sticky: {task: any, session: {sticky: true}}
load: {breaker: {min_requests: 3, rest: 30s}}
budgets:
  all: {limit: 0.08, per: month}
keys:
  rich: {secret: "rich-secret-rich-secret", scopes: [call, read, admin]}
  rated: {secret: "rated-secret-rated-secret", rate: {requests: 50, per: day}}
"""
SHARED = "shared: {{url: '{url}', prefix: {prefix}, lease: 1s}}\n"
ALONE = "shared: {lease: 1s}\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with some_valkey() as found:
        yield found


def spec_at(folder: Path, url: str = "", prefix: str = "", **changed: str) -> Path:
    """The spec in a folder of its own, with what is to stand in place of what."""
    folder.mkdir(exist_ok=True)
    text = SPEC + (SHARED.format(url=url, prefix=prefix) if url else ALONE)
    for old, new in changed.items():
        text = text.replace(old, new)
    (folder / "tierline.yaml").write_text(text)
    return folder / "tierline.yaml"


def ask(running: Running, model: str = "auto", key: str = "rich", **headers: str) -> Said:
    return running.chat(model, {"authorization": f"Bearer {key}-secret-{key}-secret", **headers}, max_tokens=30)


def seen(running: Running, path: str) -> Any:
    return running.ask("GET", path, headers={"authorization": "Bearer rich-secret-rich-secret"}).json


def budget(running: Running) -> Any:
    return seen(running, "/admin/budgets")["budgets"][0]


def shared(running: Running) -> Any:
    return seen(running, "/health/readiness")["shared"]


def spent(rows: list[Record]) -> float:
    return sum(row.cost for row in rows)


def excess(rows: list[Record]) -> float:
    """What calls cost beyond what was reserved for them: the stated bound."""
    return sum(max(row.cost - HEADROOM * row.decision.steps[0].costs[0], 0.0) for row in rows if row.tried)


def load(running: Running, seconds: float = 20.0, until_refused: int = 10) -> int:
    """Ask from eight sides until so many are refused, or the time is up; the number of answers."""
    ends, said = time.monotonic() + seconds, {200: 0, 402: 0}

    def client(_: int) -> None:
        while said.get(402, 0) < until_refused and time.monotonic() < ends:
            try:
                status = ask(running).status
            except OSError:
                continue  # its worker was killed
            said[status] = said.get(status, 0) + 1

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(client, range(8)))
    return said[200]


@pytest.mark.parametrize("engine", [True, False], ids=["valkey", "one machine"])
def test_four_workers_keep_one_budget_under_load_and_one_that_is_killed_loses_nothing(tmp_path: Path, url: str, engine: bool) -> None:
    spec = spec_at(tmp_path / "four", url if engine else "", fresh_prefix())
    with serving(spec, "--workers", "4") as running, concurrent.futures.ThreadPoolExecutor(1) as side:
        time.sleep(2.0)  # a worker that dies sooner would end them all
        asking = side.submit(load, running)
        until(lambda: len(running.rows()) > 20)
        os.kill(int(workers(running)[0]), signal.SIGKILL)
        answered = asking.result()
        until(lambda: len(workers(running)) == 4)
        assert answered > 50
        until(lambda: counted(running))
        while ask(running).status == 200:  # what idle and killed workers held is there again
            pass
        until(lambda: counted(running))
        rows = running.rows()
        assert spent(rows) <= 0.08 + excess(rows) + 1e-9
        assert spent(rows) >= 0.08 * 0.75, "and nearly all of it could be spent"


def counted(running: Running) -> bool:
    """Whether all that is logged is counted, and no more than what the killed worker answered without its row reaching the disk."""
    rows, seen_now = running.rows(), budget(running)
    used, logged = seen_now["used"], spent(rows)
    return logged - 1e-9 <= used <= logged + 8 * max(row.cost for row in rows) and abs(seen_now["left"] - (0.08 - used)) < 1e-9


def test_two_replicas_keep_one_rate_and_hear_of_each_others_breakers_sessions_load_and_specs(tmp_path: Path, url: str) -> None:
    prefix = fresh_prefix()
    with serving(spec_at(tmp_path / "one", url, prefix)) as one, serving(spec_at(tmp_path / "other", url, prefix)) as other:
        until(lambda: shared(one)["others"] == shared(other)["others"] == 1)
        got = [ask(running, key="rated").status for _ in range(30) for running in (one, other)]
        assert got.count(200) in (49, 50), "what one holds of the last request the other cannot take at that moment"
        assert got.count(429) == 60 - got.count(200)

        for _ in range(3):
            ask(one, "auto/breaks")
        until(lambda: seen(one, "/health/readiness")["resting"] == ["bad"])
        until(lambda: seen(other, "/health/readiness")["resting"] == ["bad"])
        assert ask(other, "auto/breaks").headers["x-tierline-model"] == "mini"
        assert other.record(ask(other, "auto/breaks").headers["x-tierline-decision"]).tried[0].target == "mini", "it is not even tried"

        dear = ask(one, "auto/sticky", **{"x-tierline-session": "s1", "x-tierline-tier": "best"})
        assert dear.headers["x-tierline-model"] == "big"

        def with_session() -> bool:
            decision = ask(other, "auto/sticky", **{"x-tierline-session": "s1"}).headers["x-tierline-decision"]
            return other.record(decision).view.warm == "big"

        until(with_session)

        assert not shared(one)["spec_behind"]
        other.spec.write_text(other.spec.read_text().replace("max_requests: 3", "").replace("rest: 30s", "rest: 31s"))
        until(lambda: shared(one)["spec_behind"])
        assert not shared(other)["spec_behind"]
        metrics = one.ask("GET", "/metrics", headers={"authorization": "Bearer rich-secret-rich-secret"}).body.decode()
        assert "tierline_spec_behind 1.0" in metrics and "tierline_shared_up 1.0" in metrics


def test_a_replica_that_is_cut_off_goes_on_with_its_share_says_so_and_makes_it_up_when_it_is_back(tmp_path: Path) -> None:
    prefix = fresh_prefix()
    with own_valkey() as engine:
        relay = Relay(engine.port)
        spec = spec_at(tmp_path / "one", relay.url, prefix)
        with serving(spec) as one, serving(spec_at(tmp_path / "other", address(engine), prefix)) as other:
            until(lambda: shared(one)["others"] == shared(other)["others"] == 1)
            for running in (one, other):
                assert ask(running).status == 200
            until(lambda: budget(one)["used"] == budget(other)["used"] == pytest.approx(spent(one.rows() + other.rows())))
            relay.cut()
            until(lambda: not shared(one)["up"])
            assert seen(one, "/health/readiness")["status"] == "ready" and "cannot be reached" in shared(one)["problem"]
            assert one.output.count("goes on with what it holds") == 1
            until(lambda: not shared(other)["others"], 15)
            cut_off, answered = load(one, 10), load(other, 10)
            assert cut_off and answered
            rows = one.rows()
            assert spent(rows) <= 0.08 / 2 + excess(rows) + 0.002, "half of what was left, for two were there"
            relay.mend()
            until(lambda: shared(one)["up"] and shared(other)["others"] == 1)
            whole = spent(one.rows() + other.rows())
            until(lambda: budget(one)["used"] == pytest.approx(whole) == budget(other)["used"])
            assert whole <= 0.08 * 1.5 + excess(one.rows() + other.rows()) + 1e-9
        relay.close()


def test_no_request_waits_for_a_frozen_engine_and_an_emptied_one_is_filled_again(tmp_path: Path) -> None:
    with own_valkey() as engine, serving(spec_at(tmp_path / "one", address(engine), fresh_prefix())) as running:
        assert ask(running).status == 200
        number, client = pid_of(engine), engine.client()
        os.kill(number, signal.SIGSTOP)
        try:
            took = [timed(running) for _ in range(20)]
            until(lambda: not shared(running)["up"])
            took += [timed(running) for _ in range(20)]
        finally:
            os.kill(number, signal.SIGCONT)
        assert max(took) < 0.25 + 0.5, "one may wait for the engine's timeout; the margin is this machine's"
        until(lambda: shared(running)["up"])
        client.flushall()
        until(lambda: budget(running)["used"] == pytest.approx(spent(running.rows())))
        until(lambda: client.keys("*u:all*"))
        assert float(client.hget(client.keys("*u:all*")[0], "")) == pytest.approx(spent(running.rows()))


def timed(running: Running) -> float:
    """Seconds that a request took, which was answered."""
    began = time.monotonic()
    assert ask(running).status == 200
    return time.monotonic() - began


def workers(running: Running) -> list[str]:
    return Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
