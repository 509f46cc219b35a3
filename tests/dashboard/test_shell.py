"""The shell: files and their headers, signing in, pages, theme and keys."""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dashboard.conftest import ADMIN, READER
from dashboard.pages import Pages
from server.harness import Running, Said
from tierline.dashboard.files import read_files

ROOT = Path(__file__).parents[2]


def page_of(running: Running, **headers: str) -> Said:
    return running.ask("GET", "/dashboard", headers=headers)


def test_the_page_needs_no_key_and_forbids_everything_from_elsewhere(guarded: Running) -> None:
    said = page_of(guarded)
    assert (said.status, said.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = said.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert (said.headers["x-content-type-options"], said.headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert b"<script>" not in said.body and b"style=" not in said.body


def test_its_files_are_kept_for_ever_under_their_digest_and_the_page_is_asked_for_again(guarded: Running) -> None:
    page = page_of(guarded)
    assert page.headers["cache-control"] == "no-cache"
    assert page_of(guarded, **{"if-none-match": page.headers["etag"]}).status == 304
    named = re.findall(r'(?:src|href)="(dashboard/[^"]+)"', page.body.decode())
    assert len(named) >= 5
    for path in named:
        said = guarded.ask("GET", f"/{path}")
        assert said.status == 200 and "immutable" in said.headers["cache-control"], path
        packed = guarded.ask("GET", f"/{path}", headers={"accept-encoding": "gzip"})
        if packed.headers.get("content-encoding") == "gzip":
            assert gzip.decompress(packed.body) == said.body
    assert guarded.ask("GET", "/dashboard/0123456789abcdef/app.js").status == 404
    assert guarded.ask("GET", f"/{named[0].rsplit('/', 1)[0]}/../../tierline.yaml").status == 404


def test_data_needs_a_key_that_may_read(guarded: Running) -> None:
    assert guarded.ask("GET", "/admin/session").status == 401
    said = guarded.ask("GET", "/admin/session", headers={"authorization": f"Bearer {READER}"}).json
    assert (said["name"], said["admin"], said["tiers"]) == ("watcher", False, ["fast", "balanced", "best"])


def test_the_wheel_holds_every_file_and_each_vendored_one_its_licence(tmp_path: Path) -> None:
    builder = pytest.importorskip("hatchling.builders.wheel", reason="no hatchling to build a wheel with")
    built = Path(next(iter(builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))))
    inside = {name.removeprefix("tierline/dashboard/static/") for name in zipfile.ZipFile(built).namelist() if "/dashboard/static/" in name}
    assert inside == {*read_files().others, "index.html"}
    assert {"vendor/LICENSE-htm.txt", "vendor/LICENSE-preact.txt", "vendor/LICENSE-uplot.txt"} <= inside


def test_without_keys_nobody_signs_in(pages: Pages) -> None:
    page = pages.open()
    assert page.get_by_role("navigation", name="Pages").is_visible()
    assert page.get_by_label("Key").count() == 0
    assert page.title() == "Overview · Tierline"


def test_a_key_is_typed_once_kept_in_the_tab_and_forgotten_on_signing_out(behind_keys: Pages) -> None:
    page = behind_keys.open()
    behind_keys.wrong.clear()  # the browser itself tells of the 401 on its console
    behind_keys.is_sound()
    page.get_by_label("Key").fill("not-a-key")
    page.get_by_role("button", name="Sign in").click()
    assert "nobody knows this key" in page.get_by_role("alert").inner_text()
    behind_keys.wrong.clear()
    page = behind_keys.sign_in(READER)
    assert "watcher · read only" in page.locator("header.top").inner_text()
    assert READER not in page.url and page.context.cookies() == [] and page.evaluate("localStorage.length") == 0
    page.reload()
    assert "watcher · read only" in behind_keys.settled().locator("header.top").inner_text()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_label("Key").is_visible() and page.evaluate("sessionStorage.length") == 0
    assert "chief · admin" in behind_keys.sign_in(ADMIN).locator("header.top").inner_text()


def test_every_page_is_reached_by_keyboard(pages: Pages) -> None:
    page = pages.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    link = page.get_by_role("link", name="Decisions")
    link.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Decisions").wait_for()
    assert page.evaluate("document.activeElement.id") == "main" and link.get_attribute("aria-current") == "page"


def test_the_theme_follows_the_system_until_one_is_chosen(pages: Pages) -> None:
    def ground(page: Any) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page = pages.open()
    light = ground(page)
    page.emulate_media(color_scheme="dark")
    dark = ground(page)
    assert dark != light
    page.get_by_role("button", name="Theme: system").click()
    assert ground(page) == light
    page.get_by_role("button", name="Theme: light").click()
    page.emulate_media(color_scheme="light")
    assert ground(page) == dark
    page.reload()
    assert ground(pages.settled()) == dark
