"""Pictures of the dashboard for the docs: `make pictures` (needs Chromium; Pillow packs the files).

A desk with 100,000 made-up decisions is served; each page is taken as `PICTURES` says, in few colours, into docs/images/dashboard."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from bench.dashboard import CHROMIUM, DAY, FLAGS, served
from bench.made_log import DESK, make_log, put_text
from tierline.config.load import load
from tierline.decision_log.reader import Filter, LogReader
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import Review
from tierline.types.outcome import Verdict

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "dashboard"
ROWS = 100_000
COLOURS = 160


class Picture(msgspec.Struct, frozen=True):
    """A page and the window it is taken in; `height` None: the whole page. `{id}` stands for a decision that fell back and climbed,
    `{review}` for an entry of the review queue; `prompt` is typed into the playground, and decided."""

    name: str
    place: str
    seen: str
    width: int = 1280
    height: int | None = 900
    dark: bool = False
    prompt: str = ""


PICTURES = (
    Picture("overview", "overview?range=7d", ".uplot canvas", height=None),
    Picture("overview-dark", "overview?range=7d", ".uplot canvas", height=820, dark=True),
    Picture("overview-narrow", "overview?range=7d", ".uplot canvas", 390, 844),
    Picture("decisions", "decisions?range=7d", "tr.opens", height=640),
    Picture("decision", "decisions?range=7d&open={id}", ".timeline", height=1000),
    Picture("models", "models?range=7d", ".uplot canvas", height=780),
    Picture("review", "review?open={review}", ".checks", height=1000),
    Picture("spec", "spec", ".facts", height=760),
    Picture("playground", "playground", ".why", height=1100, prompt="Where is my order 4711?"),
    Picture("quality", "quality", ".panel", height=900),
    Picture("worksheet", "worksheet?volume=1M/month", ".panel table", height=1000),
    Picture("budgets", "budgets", ".uplot canvas", height=640),
    Picture("decision-dark", "decisions?range=7d&open={id}", ".timeline", 390, 844, dark=True),
)
"""One line a picture; a page that is new adds its own."""


def take(browser: Any, address: str, picture: Picture) -> bytes:
    """The picture as the browser makes it."""
    size = {"width": picture.width, "height": picture.height or 900}
    with browser.new_context(viewport=size, color_scheme="dark" if picture.dark else "light", locale="en-GB") as context:
        page = context.new_page()
        page.goto(address)
        if picture.prompt:
            page.locator("textarea[name=prompt]").fill(picture.prompt)
            page.keyboard.press("Control+Enter")
        page.wait_for_selector(picture.seen)
        page.wait_for_selector(".spinner", state="detached")
        taken: bytes = page.screenshot(full_page=picture.height is None, animations="disabled")
        return taken


def packed(taken: bytes) -> bytes:
    """The same in few colours."""
    from PIL import Image  # noqa: PLC0415  # only `make pictures` installs it

    out = io.BytesIO()
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def queue(log: Path) -> str:
    """Put the newest decisions into the review queue; the first of them."""
    failed = Verdict("order_extraction/json", False, "no JSON object in the answer")
    with closing(LogReader(log)) as reader, closing(Ledger(log)) as ledger:
        rows = [record for record in reader.records(Filter(since=time.time() - 1800.0)) if record.winner is not None][-6:]
        entries = [(one.decision.request_id, one.at, "flagged", one.decision.route, one.decision.task, one.model) for one in rows]
        ledger.reviews.add([Review(*entry, (failed, Verdict("refusal", True))) for entry in entries], 30 * DAY)
        first = entries[-1][0]
    asked, answered = (
        {"role": "user", "content": "Two of the blue lamps, please."},
        {"role": "assistant", "content": "Two blue lamps: noted!"},
    )
    put_text(log, first, time.time(), {"messages": [asked]}, {"choices": [{"message": answered}]})
    return first


def main() -> None:
    """Take them all."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # an extra of the tests

    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        spec, now = Path(folder, "tierline.yaml"), time.time()
        spec.write_text(DESK.read_text())
        make_log(Path(folder, "desk.db"), load(spec, {}), ROWS, now)
        with served(spec) as running, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
            while running.get(f"/admin/overview?since={now - 30 * DAY}")[1]["left"]:
                time.sleep(0.5)
            changed = running.get("/admin/decisions?changed=1&limit=200")[1]["decisions"]
            one = next(row["request_id"] for row in changed if row["fallbacks"] and row["escalations"])
            review = queue(Path(folder, "desk.db"))
            for picture in PICTURES:
                address = f"http://127.0.0.1:{running.port}/dashboard#/{picture.place.format(id=one, review=review)}"
                taken = packed(take(browser, address, picture))
                (FOLDER / f"{picture.name}.png").write_bytes(taken)
                print(f"{picture.name}.png {len(taken):,} bytes")


if __name__ == "__main__":
    main()
