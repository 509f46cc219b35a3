"""Sends the workload to a running gateway over HTTP, and asks it to explain."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.response import Response

from tierline.demo.workload import Prompt

TIMEOUT = datetime.timedelta(seconds=30)


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
    body: bytes = b""


async def send_all(url: str, prompts: Sequence[Prompt], concurrency: int, done: Callable[[Sent], None]) -> list[Sent]:
    """Every prompt once, at most `concurrency` at a time, in their order; `done` is called as each comes back."""
    gate = asyncio.Semaphore(concurrency)
    async with ClientBuilder().timeout(TIMEOUT).build() as client:

        async def one(prompt: Prompt) -> Sent:
            async with gate:
                sent = await send(client, url, prompt)
            done(sent)
            return sent

        return list(await asyncio.gather(*map(one, prompts)))


async def send(client: Client, url: str, prompt: Prompt) -> Sent:
    """One prompt, and what came back."""
    began = time.perf_counter()
    response = await _post(client, f"{url}/v1/chat/completions", prompt.body())
    body = bytes(await response.bytes())
    head = response.get_header
    return Sent(
        prompt,
        response.status,
        time.perf_counter() - began,
        decision=head("x-tierline-decision") or "",
        model=head("x-tierline-model") or "",
        task=head("x-tierline-task") or "",
        tier=head("x-tierline-tier") or "",
        why=head("x-tierline-why") or "",
        attempts=int(head("x-tierline-attempts") or 0),
        cost=float(head("x-tierline-cost") or 0.0),
        body=body,
    )


async def explain_all(url: str, prompts: Sequence[Prompt]) -> list[dict[str, Any]]:
    """The answer of POST /v1/route for each prompt: the decision, explained; no model is called."""
    async with ClientBuilder().timeout(TIMEOUT).build() as client:
        return [msgspec.json.decode(bytes(await (await _post(client, f"{url}/v1/route", prompt.body())).bytes())) for prompt in prompts]


async def _post(client: Client, url: str, body: dict[str, Any]) -> Response:
    return await client.post(url).header("content-type", "application/json").body_bytes(msgspec.json.encode(body)).build().send()
