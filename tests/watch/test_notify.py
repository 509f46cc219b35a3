"""Webhooks over real sockets: both shapes, a signature, one that is dead, and one that comes back."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.server
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from tierline.types.access import Webhook
from tierline.types.alert import Alert
from tierline.watch.notify import FIRST_WAIT, MOST_WAIT, TRIES, Notifier

ALERT = Alert("quality_drop", "model/mini", 2e9, 1.9e9, 0.95, 0.88, 0.9999, "it fell <&>", "look", ("r1", "r2"), None, 7)


class Hook:
    """A server that notes what it is sent, and answers with these statuses in turn, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        heard, left = self.heard, list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(left.pop(0) if left else 200)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def listening(*statuses: int) -> Iterator[Hook]:
    hook = Hook(*statuses)
    thread = threading.Thread(target=hook.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        thread.join()
        hook.server.server_close()


def tell(*webhooks: Webhook, alert: Alert = ALERT) -> tuple[int, list[float]]:
    """How many took it, and the waits between the tries."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    return asyncio.run(Notifier(wait).tell(webhooks, alert)), waits


def test_plain_json_is_the_alert_and_is_signed() -> None:
    with listening() as hook:
        assert tell(Webhook("alerts.webhook", f"{hook.url}/x", "json", "s3cret")) == (1, [])
    ((path, headers, body),) = hook.heard
    assert path == "/x"
    assert headers["x-tierline-signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert json.loads(body) == {"state": "open", **json.loads(msgspec.json.encode(ALERT))}


def test_slack_gets_a_text_and_blocks_with_its_own_letters_escaped() -> None:
    with listening() as hook:
        assert tell(Webhook("alerts.webhook", hook.url, "slack")) == (1, [])
    ((_, headers, body),) = hook.heard
    said = json.loads(body)
    assert "x-tierline-signature" not in headers
    assert said["text"] == ":rotating_light: quality_drop: it fell &lt;&amp;&gt;"
    assert [block["type"] for block in said["blocks"]] == ["section", "section", "context"]
    assert "`r1`, `r2`" in said["blocks"][1]["text"]["text"]


def test_recovery_is_told_in_both_shapes() -> None:
    over = msgspec.structs.replace(ALERT, recovered=2.1e9)
    with listening() as hook:
        tell(Webhook("a", hook.url), Webhook("b", hook.url, "slack"), alert=over)
    plain, slack = sorted((json.loads(body) for _, _, body in hook.heard), key=lambda said: "text" in said)
    assert (plain["state"], plain["recovered"]) == ("recovered", 2.1e9)
    assert slack["text"].startswith(":white_check_mark: recovered: quality_drop of model/mini")


def test_one_that_fails_is_tried_again_later_and_later_until_it_takes_it() -> None:
    with listening(500, 503, 302) as hook:
        assert tell(Webhook("a", hook.url)) == (1, [FIRST_WAIT, 4 * FIRST_WAIT, 16 * FIRST_WAIT])
    assert [path for path, _, _ in hook.heard] == ["/"] * 4, "a redirect is not followed"


def test_a_dead_one_is_given_up_and_keeps_nobody_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    with listening() as hook, caplog.at_level(logging.ERROR):
        taken, waits = tell(Webhook("alerts.webhooks[1]", "http://127.0.0.1:1/s3cret"), Webhook("a", hook.url))
    assert taken == len(hook.heard) == 1
    assert len(waits) == TRIES - 1
    assert max(waits) <= MOST_WAIT
    assert "alerts.webhooks[1] was not told of quality_drop of model/mini" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_webhook_shows_neither_address_nor_secret() -> None:
    assert repr(Webhook("alerts.webhook", "https://x/token", "json", "s3cret")) == "Webhook('alerts.webhook')"
