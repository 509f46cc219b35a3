"""Sends the workload to a running gateway over HTTP, and asks it to explain. The standard library's client is enough for a demo."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.parse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from tierline.demo.workload import Prompt

TIMEOUT = 30.0
"""Seconds to wait for one answer."""


class Sent(msgspec.Struct, frozen=True):
    """One prompt and what its response said: HTTP status, seconds as the client saw them, and the gateway's headers. `cost` in USD;
    `attempts` counts the calls to models."""

    prompt: Prompt
    status: int
    elapsed: float
    decision: str = ""
    model: str = ""
    task: str = ""
    tier: str = ""
    why: str = ""
    attempts: int = 0
    cost: float = 0.0


def send_all(url: str, prompts: Sequence[Prompt], concurrency: int, done: Callable[[Sent], None]) -> list[Sent]:
    """Every prompt once, at most `concurrency` at a time, in their order; `done` is called as each comes back, on its thread."""
    clients = _Clients(url)

    def one(prompt: Prompt) -> Sent:
        sent = _send(clients.mine(), prompt)
        done(sent)
        return sent

    try:
        with ThreadPoolExecutor(concurrency) as pool:
            return list(pool.map(one, prompts))
    finally:
        clients.close()


def explain_all(url: str, prompts: Sequence[Prompt]) -> list[dict[str, Any]]:
    """The answer of POST /v1/route for each prompt: the decision, explained; no model is called."""
    clients = _Clients(url)
    try:
        return [msgspec.json.decode(_post(clients.mine(), "/v1/route", prompt)[1]) for prompt in prompts]
    finally:
        clients.close()


class _Clients:
    """One connection for each thread, kept open between requests."""

    def __init__(self, url: str) -> None:
        self._netloc = urllib.parse.urlsplit(url).netloc
        self._local = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def mine(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = http.client.HTTPConnection(self._netloc, timeout=TIMEOUT)
            self._all.append(found)
        return found

    def close(self) -> None:
        for connection in self._all:
            connection.close()


def _send(connection: http.client.HTTPConnection, prompt: Prompt) -> Sent:
    began = time.perf_counter()
    response, _ = _post(connection, "/v1/chat/completions", prompt)
    said = {name: response.getheader(f"x-tierline-{name}", "") for name in ("decision", "model", "task", "tier", "why", "attempts", "cost")}
    return Sent(
        prompt,
        response.status,
        time.perf_counter() - began,
        decision=said["decision"],
        model=said["model"],
        task=said["task"],
        tier=said["tier"],
        why=said["why"],
        attempts=int(said["attempts"] or 0),
        cost=float(said["cost"] or 0.0),
    )


def _post(connection: http.client.HTTPConnection, path: str, prompt: Prompt) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request("POST", path, msgspec.json.encode(prompt.body()), {"content-type": "application/json"})
    response = connection.getresponse()
    return response, response.read()
