"""A Chromium for each module, and one gateway for every page: a desk with a log of 100,000 decisions, made once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from bench.made_log import DESK, make_log, put_text

from dashboard.pages import Pages, newest
from server.harness import Running, serving
from tierline.config.load import load

ROWS = 100_000
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
READER, ADMIN = "s-reader-of-twenty-characters", "s-admin-of-twenty-characters-"
KEYS = f"""
keys:
  watcher: {{secret: "{READER}", scopes: [read]}}
  chief: {{secret: "{ADMIN}", scopes: [admin]}}
"""
HOSTILE = "<img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script> & so on"
"""What a model may write."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for a module: while it runs, this thread has an event loop, and `asyncio.run` would fail in every test after it."""
    found = next((path for path in CHROMIUM if Path(path).is_file()), shutil.which("chromium"))
    if found is None:
        _missing("no Chromium: apt-get install -y --no-install-recommends chromium fonts-dejavu-core")
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'tierline[test]'")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield launched
        launched.close()


def _missing(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway without keys, whose log holds ROWS decisions of the thirty days before now; the newest has a hostile answer."""
    spec = tmp_path_factory.mktemp("desk") / "tierline.yaml"
    spec.write_text(DESK.read_text())
    log, now = spec.parent / "desk.db", time.time()
    make_log(log, load(spec, {}), ROWS, now)
    request = {"messages": [{"role": "user", "content": "Where is my order 4711?"}]}
    put_text(log, newest(log), now, request, {"choices": [{"message": {"role": "assistant", "content": HOSTILE}}]})
    with serving(spec) as running:
        yield running


@pytest.fixture
def planted(desk: Running) -> str:
    """The id of the decision whose answer is hostile."""
    with contextlib.closing(sqlite3.connect(desk.spec.parent / "desk.db")) as log:
        return str(log.execute("SELECT request_id FROM texts ORDER BY at LIMIT 1").fetchone()[0])


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with two keys, one that may look and one that may change; its log is short."""
    spec = tmp_path_factory.mktemp("guarded") / "tierline.yaml"
    spec.write_text(DESK.read_text() + KEYS)
    make_log(spec.parent / "desk.db", load(spec, {}), 200, time.time(), days=1)
    with serving(spec) as running:
        yield running


@pytest.fixture
def pages(browser: Any, desk: Running) -> Iterator[Pages]:
    """A window on the desk; at the end nothing may have gone wrong in it, and no request may have left the machine."""
    with Pages.opened(browser, desk) as opened:
        yield opened


@pytest.fixture
def behind_keys(browser: Any, guarded: Running) -> Iterator[Pages]:
    """A window on the gateway with keys."""
    with Pages.opened(browser, guarded) as opened:
        yield opened
