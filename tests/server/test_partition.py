"""Two replicas and their engine in networks of their own, and the wire between them is pulled out: no refusal, no reset, only silence."""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from server.harness import serving, until
from server.test_replicas import ask, budget, excess, load, seen, shared, spec_at, spent
from valkeys import fresh_prefix, own_valkey

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
LIMIT = 0.08


class Network:
    """A network namespace with one wire to the machine's own: `here` and `there` are the addresses of the wire's ends."""

    def __init__(self, number: int) -> None:
        self.name = f"tl{number}"
        self.here, self.there = f"10.203.{number % 250}.1", f"10.203.{number % 250}.2"
        self._wire = f"tlw{number}"

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        far = self._wire + "f"
        ip("netns", "add", self.name)
        try:
            ip("link", "add", self._wire, "type", "veth", "peer", "name", far, "netns", self.name)
            ip("addr", "add", f"{self.here}/30", "dev", self._wire)
            ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", far)
            for where in (("link", "set", self._wire), ("-n", self.name, "link", "set", far), ("-n", self.name, "link", "set", "lo")):
                ip(*where, "up")
            with concurrent.futures.ThreadPoolExecutor(1, initializer=self._enter) as self._inside:
                yield
        finally:
            ip("netns", "del", self.name)

    def inside(self, act: Callable[[], T]) -> T:
        """What `act` returns; its sockets and the processes that it starts are in the namespace."""
        return self._inside.submit(act).result()

    def pull_out(self) -> None:
        ip("link", "set", self._wire, "down")

    def put_in(self) -> None:
        ip("link", "set", self._wire, "up")

    def _enter(self) -> None:
        with Path(f"/run/netns/{self.name}").open() as namespace:
            assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) == 0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def network() -> Iterator[Network]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("a network of its own needs iproute2 and root")
    made = Network(os.getpid() % 30_000)
    with contextlib.ExitStack() as open_:
        try:
            open_.enter_context(made.made())
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network of its own is to be had here: {error.stderr.decode().strip()}")
        yield made


def test_a_replica_whose_wire_is_pulled_out_goes_on_with_its_share_and_makes_it_up_when_it_is_back(
    tmp_path: Path, network: Network
) -> None:
    with contextlib.ExitStack() as open_:
        engine = open_.enter_context(own_valkey(host=network.here, config={"bind": network.here, "protected-mode": "no"}))
        url, prefix = f"redis://{network.here}:{engine.port}/0", fresh_prefix()
        here = open_.enter_context(serving(spec_at(tmp_path / "here", url, prefix)))
        behind = serving(spec_at(tmp_path / "there", url, prefix))
        there = network.inside(behind.__enter__)
        open_.callback(lambda: network.inside(lambda: behind.__exit__(None, None, None)))

        def rows() -> float:
            return spent(here.rows() + there.rows())

        until(lambda: shared(here)["others"] == 1 and network.inside(lambda: shared(there)["others"]) == 1)
        assert ask(here).status == 200 and network.inside(lambda: ask(there).status) == 200
        until(lambda: network.inside(lambda: budget(there)["used"]) == pytest.approx(rows()) == budget(here)["used"])

        network.pull_out()
        until(lambda: not network.inside(lambda: shared(there)["up"]))
        assert network.inside(lambda: seen(there, "/health/readiness")["status"]) == "ready"
        until(lambda: not shared(here)["others"])
        assert network.inside(lambda: load(there, 8)) and load(here, 8)
        assert spent(there.rows()) <= LIMIT / 2 + excess(there.rows()) + 0.002, "half of what was left, for two were there"
        assert spent(here.rows()) <= LIMIT + excess(here.rows()) + 1e-9

        network.put_in()
        until(lambda: network.inside(lambda: shared(there)["up"]) and shared(here)["others"] == 1)
        until(lambda: network.inside(lambda: budget(there)["used"]) == pytest.approx(rows()) == budget(here)["used"])
