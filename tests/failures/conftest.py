from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.environments import NotInstalled
from clients.upstreams import Upstream, aimock, llmock

from failures.peers import Fresh, spec
from server.harness import Running, serving

HERE = Path(__file__).parent


def _had(start: Iterator[Upstream]) -> Iterator[Upstream]:
    try:
        yield from start
    except (NotInstalled, FileNotFoundError) as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"an independent mock provider cannot be installed here: {missing}")


@pytest.fixture(scope="package")
def first() -> Iterator[Upstream]:
    """llmock, a mock provider in Python."""

    def start() -> Iterator[Upstream]:
        with llmock() as running:
            yield running

    yield from _had(start())


@pytest.fixture(scope="package")
def second() -> Iterator[Upstream]:
    """aimock, a mock provider of other authors, in JavaScript."""

    def start() -> Iterator[Upstream]:
        with aimock(HERE / "fixtures.json") as running:
            yield running

    yield from _had(start())


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory, first: Upstream, second: Upstream) -> Iterator[Running]:
    """A gateway in which each mock stands in for the other."""
    path = tmp_path_factory.mktemp("failures") / "tierline.yaml"
    path.write_text(spec(first, second))
    with serving(path) as running:
        yield running


@pytest.fixture(scope="package")
def fresh() -> Fresh:
    """Models that no test has made to fail yet."""
    return Fresh()
