"""The frame of the benchmarks."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import NAMES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_runs_on_its_own(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").main)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "speed"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no benchmark called speed" in done.stderr
    assert "zeroeval" in done.stderr
