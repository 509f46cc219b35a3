"""The gateway between two mock providers that know nothing of each other, and how each of them is made to fail."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from clients.upstreams import Upstream

FORMATS = {"same": "openai_chat", "other": "anthropic_messages"}
"""The client speaks OpenAI's chat; the model that fails speaks the same format, or another."""

PRICES = {"llmock": (1.0, 2.0), "aimock": (3.0, 6.0)}
"""USD per million tokens in and out, so that a cost tells who was paid."""

PATIENCE = "600ms"
"""Longest wait for a first byte, and longest silence within an answer."""


COPIES = 48


class Fresh:
    """Models that have not failed yet, by peer and format."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def model(self, peer: str, form: str) -> str:
        """The name of a peer's model that speaks the client's format (`same`) or another (`other`), and of the task that asks it first."""
        provider = f"{peer}-{form}"
        self._used[provider] += 1
        assert self._used[provider] <= COPIES, "more copies are needed"
        return f"{provider}-{self._used[provider] - 1}"


def steady(peer: str, form: str) -> str:
    """The name of a peer's model that stands in for others."""
    return f"{peer}-{form}-steady"


def alone(name: str) -> str:
    """The task in which nobody stands in for a model."""
    return f"{name}-alone"


def spec(*peers: Upstream) -> str:
    """A task for each model that may fail, named like it, in which the other peer stands in, in the client's format; and one in which
    nobody does. There are `COPIES` of each, so that a test need not wait until what an earlier one has left behind has rested."""
    providers, models, tasks = "", "", ""
    for peer, other in (peers, peers[::-1]):
        price = "{{input: {}, output: {}}}".format(*PRICES[peer.name])
        for form, dialect in FORMATS.items():
            provider = f"{peer.name}-{form}"
            providers += f"  {provider}: {{dialect: {dialect}, base_url: '{peer.bases[dialect]}', api_key: sk-mock, "
            providers += f"timeout: {PATIENCE}, idle_timeout: {PATIENCE}}}\n"
            facts = f"{{provider: {provider}, model: {peer.models[dialect]}, tier: fast, price: {price}, context: 100000}}"
            models += f"  {steady(peer.name, form)}: {facts}\n"
            for copy in range(COPIES):
                name = f"{provider}-{copy}"
                models += f"  {name}: {facts}\n"
                tasks += f"  {name}: {{why: It may fail., models: [{name}], fallback: [{steady(other.name, 'same')}]}}\n"
                tasks += f"  {name}-alone: {{why: Nobody stands in., models: [{name}]}}\n"
    rest = "routes: {auto: {deadline: 20s, cascade: {backoff: 100ms}}}\n"
    return f"version: 1\nproviders:\n{providers}models:\n{models}tasks:\n{tasks}{rest}"


@contextmanager
def scripted(peer: Upstream, *behaviours: dict[str, object]) -> Iterator[None]:
    """Until the block ends, llmock's next requests meet these behaviours."""
    send("POST", f"{peer.scripts}/reset", {})
    send("POST", f"{peer.scripts}/scenario", {"behaviors": list(behaviours)})
    try:
        yield
    finally:
        send("DELETE", f"{peer.scripts}/scenario", None)


@contextmanager
def chaos(peer: Upstream, **rates: float) -> Iterator[None]:
    """Until the block ends, every request to aimock fails so."""
    send("POST", f"{peer.scripts}/chaos", rates)
    try:
        yield
    finally:
        send("DELETE", f"{peer.scripts}/chaos", None)


def send(method: str, url: str, body: object) -> bytes:
    """What a mock's own address says to this."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(asked, timeout=10) as said:
        told: bytes = said.read()
        return told
