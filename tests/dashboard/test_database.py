"""The dashboard of a gateway whose log is a PostgreSQL database: the same pages."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.conftest import FLEET
from server.harness import serving, until


async def _run(address: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(address)
    await connection.execute(statement)
    await connection.close()


def _apart(address: str, statement: str) -> None:
    """On a thread of its own: this one has the loop of the browser."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_run(address, statement))).result()


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """A database of its own."""
    name = f"dashboard_{uuid.uuid4().hex[:12]}"
    _apart(postgres, f"CREATE DATABASE {name}")
    head, _, query = postgres.partition("?")
    yield head.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
    _apart(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def test_the_pages_ask_a_database_what_they_ask_a_file(tmp_path: Path, database: str) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + f'decision_log: {{url: "{database}"}}\n')
    with serving(spec) as running:

        def ask(path: str) -> Any:
            said = running.ask("GET", path)
            return said.json if said.status == 200 else {}

        made = [running.chat(model).headers["x-tierline-decision"] for model in ("auto", "big", "auto/audited")]
        page = until(lambda: (page := ask("/admin/decisions?limit=2")).get("newest", 0) >= 3 and page)
        assert [row["request_id"] for row in page["decisions"]] == made[:0:-1]
        assert [row["request_id"] for row in ask(f"/admin/decisions?limit=2&before={page['next']}")["decisions"]] == made[:1]
        assert [row["request_id"] for row in ask(f"/admin/decisions?id={made[1]}")["decisions"]] == [made[1]]
        assert {row["model"] for row in ask("/admin/decisions?tier=best&status=2xx&min_cost=0")["decisions"]} == {"big"}
        said = ask(f"/admin/overview?since={time.time() - 3600}")
        assert (said["total"]["requests"], said["left"]) == (3, 0) and said["all_best"]["model"] == "big"
        told = ask(f"/admin/explanations/{made[2]}")
        assert told["explanation"]["sentences"] and "capital of France" in told["text"]
        policy = ask("/admin/specs")["specs"][0]["policy"]
        assert running.ask("POST", f"/admin/replays/{made[0]}", {"policy": policy}).json["same"]
