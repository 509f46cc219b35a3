"""The upstreams: two independent mocks and a real llama.cpp server, each asked in every wire format that it speaks."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench import small_model
from clients.environments import Environment
from clients.roster import Client
from tierline.testing.serving import free_port, wait_until_ready

FORMATS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
LLMOCK = ("llmock==0.2.2",)
AIMOCK = ("@copilotkit/aimock@^1.43",)
NAMES = {"openai_chat": "gpt-4o", "openai_responses": "gpt-4o", "anthropic_messages": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
FIXTURES = Path(__file__).with_name("fixtures.json")
CAPABILITIES = "[tools, json_object, json_schema, vision, reasoning, documents]"


class Upstream(msgspec.Struct, frozen=True):
    """A running upstream: the base URL of each format that it speaks, the names of its models there, and what it cannot do, with why.

    `lacks` is by (format, feature), where an empty format means all; `context` is in tokens; `scripts` is the URL that takes scripts."""

    name: str
    version: str
    bases: dict[str, str]
    models: dict[str, str]
    lacks: dict[tuple[str, str], str]
    context: int = 200_000
    scripts: str = ""

    @contextlib.contextmanager
    def calling(self, call: tuple[str, str] | None) -> Iterator[None]:
        """Until the block ends, the first answer to a request with tools is this call (name, arguments as JSON), and later ones are words.

        Nothing changes for an upstream that is not told by script what to say: it has its fixtures, or a model."""
        if call is None or self.name != "llmock":
            yield
            return
        named, arguments = call
        offers = {"tools": True}
        first = {"type": "reply", "tool_calls": [{"name": named, "arguments": json.loads(arguments)}], "times": 1, "match": offers}
        then = {"type": "reply", "text": "The file has been written, as you asked.", "times": 20, "match": offers}
        _send("POST", f"{self.scripts}/scenario", {"behaviors": [first, then]})
        try:
            yield
        finally:
            _send("DELETE", f"{self.scripts}/scenario", None)

    def model(self, dialect: str) -> str:
        """The name by which the gateway knows its model behind one format."""
        return f"{self.name}-{dialect}".replace("_", "-").replace(".", "")

    def refuses(self, client: Client, dialect: str, feature: str) -> str:
        """Why a client's feature is not asked of it in a format; empty where it is."""
        if client.prompt > self.context:
            return f"{client.name}'s own instructions alone are longer than the context of {self.context:,} tokens"
        needs = client.needs(feature)
        return self.lacks.get((dialect, needs), "") or self.lacks.get(("", needs), "")


def spec(upstreams: list[Upstream]) -> str:
    """A routing spec with one provider and one model for each upstream and format."""
    pairs = [(upstream, dialect) for upstream in upstreams for dialect in upstream.bases]
    providers = "".join(
        f'  {up.model(dialect)}: {{dialect: {dialect}, base_url: "{up.bases[dialect]}", api_key: sk-mock}}\n' for up, dialect in pairs
    )
    models = "".join(
        f"  {up.model(dialect)}: {{provider: {up.model(dialect)}, model: {up.models[dialect]}, tier: fast, context: {up.context}, "
        f"price: {{input: 1, output: 2}}, capabilities: {CAPABILITIES}}}\n"
        for up, dialect in pairs
    )
    return f"version: 1\nproviders:\n{providers}models:\n{models}routes:\n  auto: {{deadline: 120s}}\n"


@contextlib.contextmanager
def running() -> Iterator[list[Upstream]]:
    """Every upstream that can be had on this machine, until the block ends; says which cannot."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(llmock()), stack.enter_context(aimock())]
        if small_model.available():
            found.append(stack.enter_context(_llama()))
        else:
            print("no llama.cpp server here: run `make .e2e` for it", flush=True)
        yield found


@contextlib.contextmanager
def llmock() -> Iterator[Upstream]:
    """The first mock, which takes scripts and judges who calls it."""
    environment = Environment("llmock", "python", LLMOCK)
    environment.ready()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    bases = {"openai_chat": f"{url}/v1", "openai_responses": f"{url}/v1"}
    bases |= {"anthropic_messages": f"{url}/anthropic/v1", "gemini": f"{url}/gemini/v1beta"}
    lacks = {("anthropic_messages", "structured"): "reads the older `output_format` only, not `output_config`"}
    with _process([str(environment.tool("llmock")), "serve", "--port", str(port)], port):
        yield Upstream("llmock", environment.version, bases, NAMES, lacks, scripts=f"{url}/_llmock")


@contextlib.contextmanager
def aimock(fixtures: Path = FIXTURES) -> Iterator[Upstream]:
    """The second mock, of other authors and in another language; `fixtures` is what it says."""
    environment = Environment("aimock", "node", AIMOCK)
    environment.ready()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    bases = {dialect: f"{url}/v1beta" if dialect == "gemini" else f"{url}/v1" for dialect in FORMATS}
    command = [str(environment.tool("llmock")), "-p", str(port), "-f", str(fixtures), "--log-level", "warn"]
    with _process(command, port):
        yield Upstream("aimock", environment.version, bases, NAMES, {}, scripts=f"{url}/__aimock")


@contextlib.contextmanager
def _llama() -> Iterator[Upstream]:
    with small_model.llama_server() as server:
        bases = dict.fromkeys(FORMATS[:3], f"http://127.0.0.1:{server.port}/v1")
        models = dict.fromkeys(bases, small_model.ALIAS)
        lacks = {
            ("", "tools"): "SmolLM2-135M calls no tools",
            ("openai_responses", "structured"): "the server ignores `text.format`",
            ("anthropic_messages", "structured"): "the server ignores `output_config`",
        }
        yield Upstream("llama.cpp", "SmolLM2-135M", bases, models, lacks, context=2048)


@contextlib.contextmanager
def _process(command: list[str], port: int, ready_within: float = 60.0) -> Iterator[None]:
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(command, stdout=written, stderr=written)
        try:
            wait_until_ready(process, port, ready_within, written, name=command[0], path="/v1/models")
            yield
        finally:
            process.terminate()
            process.wait(20)


def _send(method: str, url: str, body: object) -> None:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"}, method=method), timeout=10):
        pass
