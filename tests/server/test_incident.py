"""What should not happen, and a log that cannot take a row: told to the client, logged once without its words, and survived."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from server.conftest import FLEET
from tierline.config.load import load
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.server.admin import Admin, Reviewing
from tierline.server.app import App
from tierline.server.endpoints import endpoints
from tierline.server.incoming import Incoming
from tierline.server.key_admin import Keeping
from tierline.server.keyring import Keyring
from tierline.server.metrics import Meters
from tierline.server.public import Public
from tierline.server.release_admin import Releasing
from tierline.server.route import Routes
from tierline.types.errors import LogFailure
from tierline.types.record import Record

WORDS = "a very private question"


class Log:
    """A decision log that may fail as it is told to."""

    def __init__(self) -> None:
        self.rows: list[Record] = []
        self.fails: Exception | None = None
        self.waiting = 0
        self.problem = ""

    def put(self, record: Record, text: bytes | None = None) -> None:
        failure, self.fails = self.fails, None
        if failure is not None:
            raise failure
        self.rows.append(record)

    async def flushed(self) -> None:
        return

    def get(self, request_id: str) -> Record | None:
        return next((row for row in self.rows if row.decision.request_id == request_id), None)

    def close(self) -> None:
        return


class Asked:
    """A request as the server hands it over, and what it was answered."""

    method, path, query_string = "POST", "/v1/chat/completions", ""
    headers: dict[str, str | None] = {}
    status, said, answer = 0, dict[str, str](), b""

    async def body(self, limit: int) -> bytes:
        return json.dumps({"model": "auto", "messages": [{"role": "user", "content": WORDS}]}).encode()

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.said, self.answer = status, dict(headers), body

    def abandon(self) -> None:
        assert self.status, "nobody is left without an answer"


def play(tmp_path: Path, acts: Callable[[Callable[[], Any], Log], Any]) -> None:
    """Run `acts` with a way to ask, and the log behind it."""
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET)
    log, meters = Log(), Meters()
    books = Books(tmp_path / "ledger.db")

    async def story() -> None:
        live = Live(load(spec, {}), {}, log, meters.observe, books.keep_spec, meters.reloaded)
        keeping = Keeping(live, books, Keyring())
        await keeping.ring.read(books, live)
        app = App(
            live,
            meters,
            endpoints(live.gateway.dialects),
            Public(live, books, meters),
            Admin(live, books),
            Reviewing(books),
            keeping,
            Releasing(live, books, {}),
            Routes(),
        )

        async def ask() -> Asked:
            asked = Asked()
            await app.answer(cast(Incoming, asked))
            return asked

        await acts(ask, log)
        assert app.in_flight == 0
        await live.close()

    asyncio.run(story())
    books.close()


def test_an_incident_gets_a_number_a_row_and_one_log_line_without_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def acts(ask: Callable[[], Any], log: Log) -> None:
        log.fails = ZeroDivisionError(WORDS)
        failed = await ask()
        error = json.loads(failed.answer)["error"]
        assert (failed.status, error["code"]) == (500, "internal_error")
        lines = [record.getMessage() for record in caplog.records if record.name == "tierline.server"]
        assert len(lines) == 1 and error["message"].split()[-1] in lines[0] and "ZeroDivisionError" in lines[0]
        assert WORDS not in caplog.text and WORDS not in error["message"]
        assert [(row.status, row.error) for row in log.rows] == [(500, "internal_error")]
        assert (await ask()).status == 200

    with caplog.at_level(logging.INFO):
        play(tmp_path, acts)


def test_a_row_that_the_log_refuses_is_no_answer(tmp_path: Path) -> None:
    async def acts(ask: Callable[[], Any], log: Log) -> None:
        log.fails = LogFailure("the disk is full")
        refused = await ask()
        assert (refused.status, refused.said["retry-after"]) == (503, "1")
        assert b"the disk is full" in refused.answer
        assert (await ask()).status == 200

    play(tmp_path, acts)


def test_with_a_full_queue_no_request_is_begun(tmp_path: Path) -> None:
    async def acts(ask: Callable[[], Any], log: Log) -> None:
        log.waiting, log.problem = 100_000, "100000 rows wait for the disk"
        refused = await ask()
        assert refused.status == 503 and b"100000 rows wait" in refused.answer
        assert log.rows == []

    play(tmp_path, acts)
