"""Telling: alerts go to webhooks, as plain JSON or in Slack's shape. A call that fails is tried again."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import wreq
from wreq.redirect import Policy

from tierline.types.access import Webhook
from tierline.types.alert import Alert

_logger = logging.getLogger("tierline.watch")

AT_ONCE = 8
"""Calls to webhooks at one time."""

TRIES = 6
FIRST_WAIT, MOST_WAIT = 1.0, 300.0
"""How often a webhook is tried, and the seconds before the second try; each further wait is four times as long, up to the most."""

TIMEOUT = datetime.timedelta(seconds=10)

SIGNATURE = "x-tierline-signature"

Send = Callable[[Webhook, bytes], Awaitable[str]]
"""Sends a body; returns what is wrong, empty where it was taken."""


class Notifier:
    """Tells webhooks. `sleep` waits so many seconds, `send` sends."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, send: Send | None = None) -> None:
        self._sleep = sleep
        self._send = send or Sender().send
        self._room = asyncio.Semaphore(AT_ONCE)

    async def tell(self, webhooks: Sequence[Webhook], alert: Alert) -> int:
        """Tell all of them; one that does not answer is tried again, later and later, beside the others. Returns how many took it."""
        return sum(await asyncio.gather(*[self._told(webhook, alert) for webhook in webhooks]))

    async def _told(self, webhook: Webhook, alert: Alert) -> bool:
        body, wait, problem = written(webhook, alert), FIRST_WAIT, ""
        for turn in range(TRIES):
            if turn:
                await self._sleep(wait)
                wait = min(4.0 * wait, MOST_WAIT)
            async with self._room:
                problem = await self._send(webhook, body)
            if not problem:
                return True
        _logger.error("%s was not told of %s of %s: %s", webhook.place, alert.watch, alert.subject or "all requests", problem)
        return False


class Sender:
    """Sends by HTTP. Its client is made at the first call and belongs to the loop of that call. Redirects are not followed, no proxy is
    used, and what is answered is not read."""

    def __init__(self) -> None:
        self._client: wreq.Client | None = None

    async def send(self, webhook: Webhook, body: bytes) -> str:
        """POST a body; returns what is wrong, empty where it was taken. The words name no address."""
        client = self._client = self._client or _opened()
        headers = {"content-type": "application/json"}
        if webhook.secret:
            headers[SIGNATURE] = signature(webhook.secret, body)
        try:
            response = await client.post(webhook.url, body=body, headers=headers)
            await response.close()
        except wreq.exceptions.TimeoutError:
            return "it did not answer in time"
        except _RAISED as error:
            return f"it cannot be reached: {type(error).__name__}"
        status = response.status.as_int()
        return "" if 200 <= status < 300 else f"it answered with status {status}"


def signature(secret: str, body: bytes) -> str:
    """What proves to a webhook that a body comes from who knows the secret."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def written(webhook: Webhook, alert: Alert) -> bytes:
    """The body of a telling."""
    return msgspec.json.encode(_slack(alert) if webhook.shape == "slack" else plain(alert))


def plain(alert: Alert) -> dict[str, Any]:
    """An alert as JSON-like data, with whether it is open."""
    return {"state": "open" if alert.recovered is None else "recovered", **msgspec.to_builtins(alert)}


def headline(alert: Alert) -> str:
    """An alert in a line."""
    if alert.recovered is not None:
        return f"recovered: {alert.watch} of {alert.subject or 'all requests'} (it was: {alert.what})"
    return f"{alert.watch}: {alert.what}"


def _slack(alert: Alert) -> dict[str, Any]:
    """Slack's shape: `text` for notifications, blocks to be read. `<`, `>` and `&` are Slack's own, so they are escaped."""
    icon = ":rotating_light:" if alert.recovered is None else ":white_check_mark:"
    text = f"{icon} {_escaped(headline(alert))}"
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
    if alert.recovered is None:
        requests = f"\nrequests: {', '.join(f'`{_escaped(one)}`' for one in alert.requests)}" if alert.requests else ""
        told = f"*What to do:* {_escaped(alert.todo)}{requests}"
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": told}})
        how = f"{alert.watch} · {alert.subject or 'all requests'} · {min(alert.sure, 0.9999):.2%} sure"
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(how)}]})
    return {"text": text, "blocks": blocks}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _opened() -> wreq.Client:
    return wreq.Client(
        runtime=wreq.Runtime(workers=1, thread_name="tierline-alerts"),
        headers={"user-agent": "tierline"},
        redirect=Policy.none(),
        no_proxy=True,
        cookie_store=False,
        timeout=TIMEOUT,
    )


_RAISED = (
    wreq.exceptions.BodyError,
    wreq.exceptions.BuilderError,
    wreq.exceptions.ConnectionError,
    wreq.exceptions.ConnectionResetError,
    wreq.exceptions.DecodingError,
    wreq.exceptions.RequestError,
    wreq.exceptions.TlsError,
)
"""What a call may raise besides a timeout."""
