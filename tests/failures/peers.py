"""The gateway between two mock providers that know nothing of each other, and how each of them is made to fail."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from clients.upstreams import Upstream

FORMATS = {"same": "openai_chat", "other": "anthropic_messages"}
"""The client speaks OpenAI's chat; the model that fails speaks the same format, or another."""

PRICES = {"llmock": (1.0, 2.0), "aimock": (3.0, 6.0)}
"""USD per million tokens in and out, so that a cost tells who was paid."""

PATIENCE = "600ms"
"""Longest wait for a first byte, and longest silence within an answer."""


def model_of(peer: str, form: str) -> str:
    """The name of a peer's model that speaks the client's format (`same`) or another (`other`)."""
    return f"{peer}-{form}"


def spec(*peers: Upstream) -> str:
    """One task for each model that may fail, named like it; the other peer stands in, in the client's format."""
    providers, models, tasks = "", "", ""
    for peer, other in (peers, peers[::-1]):
        price = "{{input: {}, output: {}}}".format(*PRICES[peer.name])
        for form, dialect in FORMATS.items():
            name = model_of(peer.name, form)
            providers += f"  {name}: {{dialect: {dialect}, base_url: '{peer.bases[dialect]}', api_key: sk-mock, "
            providers += f"timeout: {PATIENCE}, idle_timeout: {PATIENCE}}}\n"
            models += f"  {name}: {{provider: {name}, model: {peer.models[dialect]}, tier: fast, price: {price}, context: 100000}}\n"
            tasks += f"  {name}: {{why: It may fail., models: [{name}], fallback: [{model_of(other.name, 'same')}]}}\n"
            tasks += f"  {name}-alone: {{why: Nobody stands in., models: [{name}]}}\n"
    routes = "  auto: {deadline: 20s}\n"
    return f"version: 1\nproviders:\n{providers}models:\n{models}tasks:\n{tasks}routes:\n{routes}"


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
