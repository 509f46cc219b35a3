"""The quick part of `make clients`: the official Python SDKs of OpenAI, Anthropic and Google against a fleet of scripted models.

The checks are those of the whole run, each in a process of its own, with the SDKs of this environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.ask import ask
from clients.environments import Environment
from clients.roster import CLIENTS, Client

from tierline.testing.serving import serving

SDKS = [
    client for client in CLIENTS if client.kind == "python" and client.home in {"openai-python", "anthropic-python", "google-genai-python"}
]
FEATURES = ["chat", "stream", "tools"]
SPEC = """
version: 1
providers: {fleet: {kind: scripted, script: {seed: 7, latency: none, models: {any: {ability: 0.99}}}}}
models: {any: {provider: fleet, tier: fast, price: {input: 1, output: 2}, capabilities: [tools, json_object]}}
routes: {auto: {}}
"""


class Here(Environment):
    """This environment instead of one of the client's own."""

    @property
    def python(self) -> Path:
        return Path(sys.executable)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    spec = tmp_path_factory.mktemp("clients") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec) as served:
        yield served.url


@pytest.mark.parametrize("client", SDKS, ids=lambda client: client.name)
def test_an_official_sdk_chats_streams_and_calls_tools(gateway: str, client: Client) -> None:
    found = ask(client, Here(client.home, client.kind, client.packages), gateway, "any", FEATURES, sys.executable)
    assert found == dict.fromkeys(FEATURES, "ok")


def test_a_check_fails_where_the_client_gets_no_answer(gateway: str) -> None:
    client = SDKS[0]
    found = ask(client, Here(client.home, client.kind, client.packages), gateway, "no-such-model", FEATURES, sys.executable)
    assert all("no-such-model" in found[feature] for feature in FEATURES), found
