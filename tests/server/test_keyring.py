"""The ring of keys while its ledger is in trouble, and spec and ledger beside each other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.clock import Clock
from server.conftest import FLEET
from server.test_incident import Log
from tierline.config.load import load
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.ledger.key_secrets import digest
from tierline.ledger.keys import Given
from tierline.ledger.ledger import Ledger
from tierline.server.auth import authenticate
from tierline.server.keyring import KNOWN_FOR, Keyring
from tierline.types.errors import LogFailure, Unavailable

KEYS = 'keys:\n  ci: {secret: "a-secret-of-the-spec-for-ci"}\n'


def play(folder: Path, spec: str, acts: Callable[[Keyring, Books, Live], Awaitable[None]]) -> None:
    (folder / "tierline.yaml").write_text(spec)
    books = Books(folder / "tierline.db")

    async def story() -> None:
        live = Live(load(folder / "tierline.yaml", {}), {}, Log(), lambda _: None, books.keep_spec, lambda _: None)
        await acts(Keyring(), books, live)
        await live.close()

    asyncio.run(story())
    books.close()


def made(folder: Path, name: str) -> str:
    """A key that another process makes."""
    with closing(Ledger(folder / "tierline.db")) as ledger:
        return ledger.keys.create(name, Given(), "test")[1]


def test_while_the_ledger_cannot_be_read_what_is_known_stands(tmp_path: Path) -> None:
    async def acts(ring: Keyring, books: Books, live: Live) -> None:
        secret = made(tmp_path, "ci")
        await ring.read(books, live)
        made(tmp_path, "later")
        with closing(sqlite3.connect(tmp_path / "tierline.db")) as file, file:
            file.execute("ALTER TABLE key_secrets RENAME TO gone")
        with pytest.raises(LogFailure):
            await ring.read(books, live)
        assert ring.find(digest(secret), live.gateway.loaded) is not None
        assert not ring.is_open(live.gateway.loaded)
        with closing(sqlite3.connect(tmp_path / "tierline.db")) as file, file:
            file.execute("ALTER TABLE gone RENAME TO key_secrets")
        await ring.read(books, live)
        assert ring.find(digest(secret), live.gateway.loaded) is not None

    play(tmp_path, FLEET, acts)


def test_a_key_made_with_another_spec_at_hand_never_takes_the_place_of_the_specs_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def acts(ring: Keyring, books: Books, live: Live) -> None:
        stranger, other = made(tmp_path, "ci"), made(tmp_path, "other")
        await ring.read(books, live)
        loaded = live.gateway.loaded
        assert ring.find(digest(stranger), loaded) is None
        assert ring.find(digest("a-secret-of-the-spec-for-ci"), loaded) is not None
        assert ring.find(digest(other), loaded) is not None
        assert "spec and ledger both have the keys ci" in caplog.text

    play(tmp_path, FLEET + KEYS, acts)


def test_keys_of_a_ledger_that_is_not_read_for_a_day_open_no_more_until_it_is(tmp_path: Path) -> None:
    clock = Clock()

    async def acts(_: Keyring, books: Books, live: Live) -> None:
        ring = Keyring(clock=clock)
        secret = made(tmp_path, "ci")
        await ring.look(books, live)
        with closing(sqlite3.connect(tmp_path / "tierline.db")) as file, file:
            file.execute("ALTER TABLE audit RENAME TO gone")
        clock.now += KNOWN_FOR
        await ring.look(books, live)
        assert ring.find(digest(secret), live.gateway.loaded) is not None
        clock.now += 1.0
        await ring.look(books, live)
        assert ring.find(digest(secret), live.gateway.loaded) is None
        with pytest.raises(Unavailable):
            authenticate({"authorization": f"Bearer {secret}"}, ring, live.gateway.loaded)
        with closing(sqlite3.connect(tmp_path / "tierline.db")) as file, file:
            file.execute("ALTER TABLE gone RENAME TO audit")
        await ring.look(books, live)
        assert authenticate({"authorization": f"Bearer {secret}"}, ring, live.gateway.loaded).name == "ci"

    play(tmp_path, FLEET, acts)
