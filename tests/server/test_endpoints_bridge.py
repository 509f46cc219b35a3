"""Every client format against every provider format: whole and streamed, words and tool calls, errors and what cannot be carried."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from server.clients import CLIENTS, Client, ask, events
from server.harness import Running, serving
from server.speakers import DIALECTS, INPUT, OUTPUT, SAID, TOOL, Speakers

PROVIDERS = {"openai_chat": "/v1", "openai_responses": "/v1", "anthropic_messages": "/v1", "gemini": "/v1beta"}
BEHAVIOURS = ("steady", "cut", "broken", "status-400", "status-429")
PAIRS = [(client, upstream) for client in CLIENTS for upstream in DIALECTS]
LIES = [(provider, said) for provider in PROVIDERS.items() for said in DIALECTS if provider[0] != said]


def spec(port: int) -> str:
    providers = "".join(
        f'  {name}: {{dialect: {name}, base_url: "http://127.0.0.1:{port}{base}", api_key: sk-up}}\n' for name, base in PROVIDERS.items()
    )
    providers += "".join(
        f'  {name}-lies-{said}: {{dialect: {name}, base_url: "http://127.0.0.1:{port}/says/{said}{base}", api_key: sk-up}}\n'
        for (name, base), said in LIES
    )
    lying = "".join(
        f"  {name}-lies-{said}: {{provider: {name}-lies-{said}, model: steady, tier: fast, price: {{input: 1, output: 2}}}}\n"
        for (name, _), said in LIES
    )
    models = "".join(
        f"  {name}-{behaviour}: {{provider: {name}, model: {behaviour}, tier: fast, price: {{input: 1, output: 2}}, "
        "capabilities: [tools, json_object, json_schema, vision, logprobs, reasoning, documents, audio]}\n"
        for name in PROVIDERS
        for behaviour in BEHAVIOURS
    )
    tasks = "".join(
        f"  {task}: {{why: A test., models: [{first}-steady], fallback: [{second}-steady]}}\n"
        for task, first, second in (("crossed_first", "gemini", "openai_chat"), ("crossed_only", "gemini", "anthropic_messages"))
    )
    routes = (
        "  auto: {}\n  strict: {strict: true}\n  first: {task: crossed_first, strict: true}\n  only: {task: crossed_only, strict: true}\n"
    )
    embed = "  embed: {provider: gemini, model: embed, tier: fast, price: {input: 1, output: 1}, capabilities: [embeddings]}\n"
    return f"version: 1\nproviders:\n{providers}models:\n{models}{lying}{embed}tasks:\n{tasks}routes:\n{routes}"


@pytest.fixture(scope="module")
def speakers() -> Iterator[Speakers]:
    with Speakers().running() as running:
        yield running


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, speakers: Speakers) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("bridge") / "tierline.yaml"
    path.write_text(spec(speakers.port))
    with serving(path) as running:
        yield running


def finish_of(client: Client, *, tools: bool) -> str:
    return client.stops[tools]


@pytest.mark.parametrize("tools", [False, True], ids=["words", "tool"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_every_client_reads_every_upstream(bridge: Running, client: str, upstream: str, tools: bool) -> None:
    spoken = CLIENTS[client]
    model = f"{upstream}-steady"
    whole = ask(bridge, spoken, model, tools=tools)
    assert whole.status == 200, whole.body
    streamed = ask(bridge, spoken, model, tools=tools, stream=True)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    read = spoken.whole(whole.json)
    assert (read.text, read.tool) == (("", (TOOL[0], json.loads(TOOL[1]))) if tools else (SAID, None))
    assert (read.finish, read.model, read.usage) == (finish_of(spoken, tools=tools), model, (INPUT, OUTPUT))
    assert spoken.streamed(streamed.body) == read
    assert "x-tierline-dropped" not in whole.headers and "x-tierline-dropped" not in streamed.headers
    for said in (whole, streamed):
        tried = bridge.record(said.headers["x-tierline-decision"]).tried[0]
        assert (tried.usage.input, tried.usage.output, tried.usage.estimated) == (INPUT, OUTPUT, False)
        assert tried.served_model == "steady-2026"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_error_of_the_upstream_is_told_in_the_clients_own_words(bridge: Running, client: str, upstream: str) -> None:
    spoken = CLIENTS[client]
    refused = ask(bridge, spoken, f"{upstream}-status-400")
    assert refused.status == 400 and "as asked" in spoken.error(refused.json)
    busy = ask(bridge, spoken, f"{upstream}-status-429", stream=True)
    assert busy.status == 429 and spoken.error(busy.json)


@pytest.mark.parametrize("behaviour", ["cut", "broken"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_a_stream_that_breaks_ends_with_the_clients_own_error_event(bridge: Running, client: str, upstream: str, behaviour: str) -> None:
    said = ask(bridge, CLIENTS[client], f"{upstream}-{behaviour}", stream=True)
    assert said.status == 200
    name, last = events(said.body)[-1]
    assert "error" in (name, last.get("type")) or "error" in last
    assert SAID not in said.body.decode()
    row = bridge.record(said.headers["x-tierline-decision"])
    assert (row.truncated, row.tried[0].error) == (True, "cut")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("provider", "said"), [(name, said) for (name, _), said in LIES])
def test_a_provider_that_lies_about_its_format_is_found_out(bridge: Running, provider: str, said: str, stream: bool) -> None:
    for client in (CLIENTS[provider], CLIENTS["anthropic_messages"]):
        told = ask(bridge, client, f"{provider}-lies-{said}", stream=stream)
        assert told.status == 502 and "malformed" in client.error(told.json), told.body
        assert bridge.record(told.headers["x-tierline-decision"]).tried[0].error == "malformed"


def test_what_cannot_be_carried_is_named_whole_and_streamed(bridge: Running) -> None:
    for stream in (False, True):
        said = ask(bridge, CLIENTS["openai_chat"], "anthropic_messages-steady", stream=stream, seed=7)
        assert said.status == 200
        assert "seed" in said.headers["x-tierline-dropped"].split(", ")


def test_a_strict_route_refuses_and_names_what_would_be_lost(bridge: Running, speakers: Speakers) -> None:
    before = len(speakers.seen)
    lost = ask(bridge, CLIENTS["openai_responses"], "auto/only", logit_bias={"1": 2})
    assert lost.status == 400
    told = CLIENTS["openai_responses"].error(lost.json)
    assert all(word in told for word in ("strict", "gemini", "anthropic_messages", "logit_bias"))
    assert len(speakers.seen) == before, "nobody was asked"
    row = bridge.record(lost.headers["x-tierline-decision"])
    assert {tried.error for tried in row.tried} == {"untranslatable"} and row.error == "cannot_translate"


def test_on_a_strict_route_a_model_of_the_clients_own_dialect_answers_instead(bridge: Running) -> None:
    said = ask(bridge, CLIENTS["openai_chat"], "auto/first", logit_bias={"50256": -100})
    assert (said.status, said.headers["x-tierline-model"]) == (200, "openai_chat-steady")
    row = bridge.record(said.headers["x-tierline-decision"])
    assert [tried.error for tried in row.tried] == ["untranslatable", ""]


def test_embeddings_stay_within_their_dialect(bridge: Running) -> None:
    said = bridge.ask("POST", "/v1/embeddings", {"model": "embed", "input": "words"})
    assert said.status == 400 and "not translated" in said.error["message"]


def test_anthropics_headers_reach_its_own_upstream_and_no_other(bridge: Running, speakers: Speakers) -> None:
    given = {"anthropic-version": "2025-01-01", "anthropic-beta": "context-1m-2025-08-07"}
    ask(bridge, CLIENTS["anthropic_messages"], "anthropic_messages-steady", headers=given)
    _, headers, _ = speakers.seen[-1]
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2025-01-01", "context-1m-2025-08-07")
    ask(bridge, CLIENTS["anthropic_messages"], "openai_chat-steady", headers=given)
    assert not any(name.startswith("anthropic") for name in speakers.seen[-1][1])
    ask(bridge, CLIENTS["openai_chat"], "anthropic_messages-steady")
    assert speakers.seen[-1][1]["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize("client", CLIENTS)
def test_bad_input_is_told_in_the_clients_own_envelope(bridge: Running, client: str) -> None:
    spoken = CLIENTS[client]
    path, _ = spoken.body("auto", stream=False, tools=False)
    for body in (b"{not json", b"[]", b"{}", b'{"model": 7, "messages": 7, "input": 7, "contents": 7}'):
        said = bridge.ask("POST", path, body)
        assert said.status == 400 and spoken.error(said.json)
    unknown = ask(bridge, spoken, "no-such-model")
    assert unknown.status == 404 and "no-such-model" in spoken.error(unknown.json)
