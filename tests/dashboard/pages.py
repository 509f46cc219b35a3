"""What a test of the dashboard says: open a page, look, and see that it is sound."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.harness import HOST, Running

WIDE, NARROW = 1280, 390
WITHIN = 15_000
"""Milliseconds: a safety net, no measure."""
GRAVE = ("serious", "critical")
ALL_RULES: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = {**ALL_RULES, "runOnly": ["color-contrast", "link-in-text-block"]}
"""What can differ between themes."""
OFFENDING = """() => [...document.querySelectorAll('body *')].filter(one => {
  const at = one.getBoundingClientRect();
  return at.width && at.right > innerWidth + 1 && !one.closest('.scroll, nav ul, .hidden, .skip');
}).map(one => one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 40)).slice(0, 5)"""


class Pages:
    """One window of a browser. `page` is playwright's."""

    def __init__(self, page: Any, running: Running) -> None:
        self.page, self.running = page, running
        self.hosts: set[str] = set()
        self.wrong: list[str] = []
        page.set_default_timeout(WITHIN)
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or urlsplit(request.url).scheme))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, browser: Any, running: Running) -> Iterator[Pages]:
        """A fresh window; when it closes, no script may have failed, nothing may have broken the policy, and no other host was asked."""
        context = browser.new_context(viewport={"width": WIDE, "height": 900}, timezone_id="UTC", locale="en-GB", reduced_motion="reduce")
        try:
            pages = cls(context.new_page(), running)
            yield pages
            assert pages.wrong == []
            assert pages.hosts <= {HOST}
        finally:
            context.close()

    def open(self, place: str = "") -> Any:
        """Go to a page, `decisions?route=auto`, and wait until it shows what it asked for."""
        self.page.goto(f"http://{HOST}:{self.running.port}/dashboard#/{place}")
        self.page.wait_for_selector("main h1")
        return self.settled()

    def settled(self) -> Any:
        """Wait until nothing loads any more."""
        self.page.wait_for_selector(".spinner", state="detached")
        return self.page

    def sign_in(self, secret: str) -> Any:
        self.page.get_by_label("Key").fill(secret)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_selector("nav")
        return self.settled()

    def go_to(self, name: str) -> Any:
        """By its link in the navigation."""
        self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        self.page.get_by_role("heading", level=1, name=name).wait_for()
        return self.settled()

    def is_sound(self) -> None:
        """In light and dark axe finds nothing grave, and nothing hangs out of a narrow or a wide window."""
        from axe_playwright_python.sync_playwright import Axe

        for width in (NARROW, WIDE):
            self.page.set_viewport_size({"width": width, "height": 900})
            hanging = self.page.evaluate(OFFENDING)
            assert hanging == [], (width, hanging)
            assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        for theme, options in (("light", ALL_RULES), ("dark", COLOURS)):
            self.page.emulate_media(color_scheme=theme)
            found = Axe().run(self.page, options=options).response["violations"]
            told = [(one["id"], [node["target"] for node in one["nodes"][:3]]) for one in found if one["impact"] in GRAVE]
            assert told == [], (theme, told)
        self.page.emulate_media(color_scheme="light")


def newest(log: Path) -> str:
    """The id of the request that was logged last."""
    with contextlib.closing(sqlite3.connect(log)) as connection:
        return str(connection.execute("SELECT request_id FROM decisions ORDER BY seq DESC LIMIT 1").fetchone()[0])
