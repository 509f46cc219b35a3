"""A gateway of its own process, for tests, benchmarks and the demo."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tierline.demo.folder import write_demo
from tierline.testing.serving import HOST, NotServing, serving


def test_it_is_ready_inside_the_block_and_gone_after_it(tmp_path: Path) -> None:
    with serving(write_demo(tmp_path)) as gateway, urllib.request.urlopen(f"{gateway.url}/health/readiness") as reply:
        assert reply.status == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{gateway.url}/health/readiness", timeout=2)


def test_a_bad_spec_is_told_with_the_gateways_own_words(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text("version: 1\nmodles: {}\n")
    with pytest.raises(NotServing, match="modles"), serving(path):
        pytest.fail("a bad spec was served")


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NotServing, match=str(port)), serving(write_demo(tmp_path), port=port, ready_within=10):
            pytest.fail("two listened on one port")
