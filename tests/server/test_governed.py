"""Governance over sockets: what is found is hidden from every upstream and put back for the client, in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.clients import CLIENTS
from server.echo import Echo
from server.harness import Running, Said, serving

PROVIDERS = {"openai_chat": "/v1", "openai_responses": "/v1", "anthropic_messages": "/v1", "gemini": "/v1beta"}
EMAIL, PHONE, IBAN, CARD = "zoe.canary@example.org", "+49 30 901820", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111"
SECRET = "ghp_CANARYcanary0123456789CANARYcanary0123"
PEM = '-----BEGIN PRIVATE KEY-----\nMIIcanary+"quoted"/AAAA\n-----END PRIVATE KEY-----'


def spec(port: int) -> str:
    providers = "".join(
        f'  {name}: {{dialect: {name}, base_url: "http://127.0.0.1:{port}{base}", api_key: sk-up}}\n' for name, base in PROVIDERS.items()
    )
    able = "capabilities: [tools, json_object, json_schema, vision, reasoning, documents]"
    models = "".join(
        f"  {name}: {{provider: {name}, model: echo-2, tier: balanced, price: {{input: 1, output: 2}}, {able}}}\n" for name in PROVIDERS
    )
    return (
        f"""
version: 1
providers:
{providers}  home: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", residency: on_prem}}
models:
{models}  house: {{provider: home, model: echo-2, tier: fast, price: {{input: 5, output: 5}}, {able}}}
  safe: {{provider: home, model: echo-5, tier: best, price: {{input: 9, output: 9}}, {able}}}
  filters: {{provider: openai_chat, model: filters, tier: balanced, price: {{input: 1, output: 1}}, {able}}}
  quoting: {{provider: openai_chat, model: quoting-400, tier: balanced, price: {{input: 1, output: 1}}, {able}}}
  vectors: {{provider: openai_chat, model: vectors, tier: fast, price: {{input: 1, output: 0}}, capabilities: [embeddings]}}
tasks:
  filtered: {{why: A test., models: [filters]}}
routes:
  auto: {{log_text: all}}
governance:
  detect: [email, phone, credit_card, iban, secret]
  safety_model: safe
  rules:
    - {{when: "sensitivity.secret && !('keys' in tags)", refuse: true, why: secrets go nowhere}}
    - {{when: "true", redact: [email, phone, secret], allow: {{residency: on_prem}}, why: no addresses leave the house}}
""".replace('when: "true"', 'when: "sensitivity.email || sensitivity.phone || sensitivity.secret"')
        + """
    - {when: sensitivity.iban, allow: {residency: on_prem}, why: accounts stay in the house}
"""
    )


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    with Echo().running() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, echo: Echo) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("governed") / "tierline.yaml"
    path.write_text(spec(echo.port))
    with serving(path) as running:
        yield running


def told(client: str, text: str, *, stream: bool = False, tools: bool = False, model: str = "auto") -> tuple[str, dict[str, Any]]:
    """The path and body by which a client says `text`."""
    spoken = CLIENTS[client]
    path, body = spoken.body(model, stream=stream, tools=tools)
    if client == "gemini":
        body["contents"] = [{"role": "user", "parts": [{"text": text}]}]
    elif client == "openai_responses":
        body["input"] = text
    else:
        body["messages"] = [{"role": "user", "content": text}]
    return path, body


def say(gateway: Running, client: str, text: str, headers: dict[str, str] | None = None, **how: Any) -> Said:
    return gateway.ask("POST", *told(client, text, **how), headers or {})


def read(client: str, said: Said, *, stream: bool) -> Any:
    return CLIENTS[client].streamed(said.body) if stream else CLIENTS[client].whole(said.json)


@pytest.mark.parametrize("tools", [False, True], ids=["words", "tool"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_hidden_from_the_upstream_is_put_back_for_the_client(
    gateway: Running, echo: Echo, client: str, upstream: str, stream: bool, tools: bool
) -> None:
    before = len(echo.heard)
    text = f'Write to {EMAIL}, or call {PHONE}; not "[EMAIL_2]" [EMAIL'
    said = say(gateway, client, text, stream=stream, tools=tools, model=upstream)
    assert said.status == 200, said.body
    heard = read(client, said, stream=stream)
    assert (heard.tool[1]["said"] if tools else heard.text) == (text if tools else f"You said: {text}")
    (sent,) = echo.heard[before:]
    assert EMAIL.encode() not in sent[2] and b"901820" not in sent[2]
    assert b"[EMAIL_1]" in sent[2] and b"[PHONE_1]" in sent[2]
    row = gateway.record(said.headers["x-tierline-decision"])
    assert row.features.redacted == ("email", "phone") and row.features.sensitivity == ()
    assert row.decision.target == upstream


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_key_with_line_ends_and_quotes_comes_back_as_valid_json(gateway: Running, client: str, stream: bool) -> None:
    said = say(gateway, client, f"Keep this: {PEM}", {"x-tierline-tags": "keys"}, stream=stream, tools=True, model="openai_chat")
    assert read(client, said, stream=stream).tool[1] == {"said": f"Keep this: {PEM}"}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_rule_that_refuses_says_why_and_nobody_hears_of_it(gateway: Running, echo: Echo, client: str, stream: bool) -> None:
    before = len(echo.heard)
    said = say(gateway, client, f"my token is {SECRET}", stream=stream)
    assert said.status == 403 and "secrets go nowhere" in CLIENTS[client].error(said.json)
    assert SECRET not in said.body.decode() and len(echo.heard) == before


def test_what_may_not_leave_goes_to_the_house_and_the_row_says_that_governance_chose(gateway: Running) -> None:
    said = say(gateway, "openai_chat", f"Pay {IBAN} and tell {EMAIL}")
    row = gateway.record(said.headers["x-tierline-decision"])
    assert (said.status, row.decision.target, row.features.redacted) == (200, "house", ("email",))
    assert row.features.sensitivity == ("iban", "pii")
    forced = next(reason for reason in row.decision.reasons if reason.why == "governance_forced")
    assert forced.subject == "filters"
    assert {fallen.model for fallen in row.decision.dropped if fallen.why == "governance"} >= set(PROVIDERS)
    named = say(gateway, "openai_chat", f"Pay {IBAN}", model="gemini")
    assert named.status == 403 and "governance rule 3" in named.error["message"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_picture_counts_as_holding_everything(gateway: Running, client: str) -> None:
    path, body = told(client, "Look.")
    data = "iVBORw0KGgo" + "A" * 80
    parts: dict[str, Any] = {
        "openai_chat": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        "openai_responses": {"type": "input_image", "image_url": f"data:image/png;base64,{data}"},
        "anthropic_messages": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        "gemini": {"inlineData": {"mimeType": "image/png", "data": data}},
    }
    words = {"openai_chat": {"type": "text", "text": "Look."}, "anthropic_messages": {"type": "text", "text": "Look."}}
    if client == "gemini":
        body["contents"][0]["parts"].append(parts[client])
    elif client == "openai_responses":
        body["input"] = [{"role": "user", "content": [{"type": "input_text", "text": "Look."}, parts[client]]}]
    else:
        body["messages"][0]["content"] = [words[client], parts[client]]
    said = gateway.ask("POST", path, body, {"x-tierline-tags": "keys"})
    row = gateway.record(said.headers["x-tierline-decision"])
    assert (said.status, row.decision.target) == (200, "house"), said.body
    assert {"unscanned", "pii", "secret"} <= set(row.features.sensitivity)


def test_what_a_provider_refuses_by_its_content_policy_goes_to_the_safety_model(gateway: Running) -> None:
    said = say(gateway, "openai_chat", "Something plain.", {"x-tierline-task": "filtered"})
    assert (said.status, said.headers["x-tierline-model"]) == (200, "safe")


def test_an_upstreams_words_on_a_request_come_back_as_the_client_wrote_it(gateway: Running) -> None:
    said = say(gateway, "openai_chat", f"Write to {EMAIL}", model="quoting")
    assert said.status == 400 and EMAIL in said.error["message"]


def test_every_part_of_a_body_is_looked_at(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    body = {
        "model": "openai_chat",
        "user": EMAIL,
        "metadata": {"who": EMAIL},
        "stop": [EMAIL],
        "messages": [
            {"role": "system", "content": f"You serve {EMAIL}."},
            {"role": "user", "name": "zoe", "content": [{"type": "text", "text": f"I am {EMAIL}"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "mail", "arguments": json.dumps({"to": EMAIL, "n": 4930901820})},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"sent": [EMAIL]})},
            {"role": "user", "content": "Go on.", "content_": 1},
        ],
        "tools": [{"type": "function", "function": {"name": "mail", "description": f"Mails {EMAIL}.", "parameters": {"enum": [EMAIL]}}}],
    }
    said = gateway.ask("POST", "/v1/chat/completions", body)
    assert said.status == 200, said.body
    (sent,) = echo.heard[before:]
    assert EMAIL.encode() not in sent[2] and sent[2].count(b"[EMAIL_1]") >= 9
    assert EMAIL in json.loads(said.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])["said"]


def test_a_name_that_stands_twice_in_an_object_smuggles_nothing(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    body = b'{"model": "openai_chat", "messages": [{"role": "user", "content": "%b", "content": "hello"}]}' % EMAIL.encode()
    assert gateway.ask("POST", "/v1/chat/completions", body).status == 200
    assert EMAIL.encode() not in echo.heard[before][2]


def test_a_dry_run_decides_as_the_request_would_be_and_calls_nobody(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    _, body = told("openai_chat", f"Pay {IBAN} and tell {EMAIL}")
    said = gateway.ask("POST", "/v1/route", body)
    assert (said.json["model"], len(echo.heard)) == ("house", before)
    sentences = " ".join(said.json["explanation"]["sentences"])
    assert "was replaced by placeholders" in sentences and "without its rules filters would have been asked" in sentences
    assert EMAIL not in said.body.decode() and IBAN not in said.body.decode()


def test_what_governance_did_is_counted_and_told(gateway: Running) -> None:
    said = say(gateway, "openai_chat", f"Pay {IBAN} and tell {EMAIL}", {"x-tierline-explain": "1"})
    assert said.headers["x-tierline-why"].startswith("governance left no other choice")
    assert "without its rules filters would have been asked" in said.headers["x-tierline-explanation"]
    metrics = gateway.ask("GET", "/metrics").body.decode()
    for line in ('tierline_sensitive_total{kind="iban"}', 'tierline_redacted_total{kind="email"}', 'tierline_governed_total{how="forced"}'):
        assert line in metrics


def test_embeddings_are_made_of_redacted_text(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    said = gateway.ask("POST", "/v1/embeddings", {"model": "vectors", "input": [f"mail {EMAIL}"]})
    assert said.status == 200 and EMAIL.encode() not in echo.heard[before][2]


def test_a_request_with_nothing_in_it_is_left_alone(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    body = b'{"model": "openai_chat",  "messages": [{"role": "user", "content": "hel\\u006co"}], "x_own": 1.50}'
    said = gateway.ask("POST", "/v1/chat/completions", body)
    row = gateway.record(said.headers["x-tierline-decision"])
    assert said.status == 200 and row.features.redacted == row.features.sensitivity == ()
    assert b'"x_own":1.50' in echo.heard[before][2].replace(b" ", b"")


def test_a_stream_as_one_json_array_is_revealed_too(gateway: Running) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": f"Write to {EMAIL}"}]}]}
    said = gateway.ask("POST", "/v1beta/models/openai_chat:streamGenerateContent", body)
    pieces = [part.get("text", "") for event in said.json for part in event["candidates"][0]["content"].get("parts", ())]
    assert "".join(pieces) == f"You said: Write to {EMAIL}"


def test_a_long_request_is_looked_at_as_well(gateway: Running, echo: Echo) -> None:
    before = len(echo.heard)
    text = "word " * 20_000 + EMAIL
    said = say(gateway, "openai_chat", text, model="openai_chat")
    assert said.json["choices"][0]["message"]["content"].endswith(EMAIL) and EMAIL.encode() not in echo.heard[before][2]


def test_texts_that_come_as_numbers_count_as_holding_everything(gateway: Running) -> None:
    said = gateway.ask("POST", "/v1/embeddings", {"model": "vectors", "input": [15339, 1917]})
    assert said.status == 403


BROKEN = """
class Broken:
    name, kinds = "broken", ("email", "person")
    def __init__(self, loaded):
        pass
    def find(self, text):
        raise RuntimeError(text)
"""


def test_while_a_detector_fails_every_request_counts_as_sensitive(tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "broken_detector.py").write_text(BROKEN)
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0.dist-info" / "entry_points.txt").write_text("[tierline.detectors]\nbroken = broken_detector:Broken\n")
    (tmp_path / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    path = tmp_path / "tierline.yaml"
    written = spec(echo.port).replace("detect: [email,", "detectors: [patterns, broken]\n  detect: [person, email,")
    path.write_text(written)
    with serving(path, PYTHONPATH=str(tmp_path)) as gateway:
        said = say(gateway, "openai_chat", "Nothing in here, canary.", {"x-tierline-tags": "keys"})
        row = gateway.record(said.headers["x-tierline-decision"])
        assert (said.status, row.decision.target) == (200, "house")
        assert {"email", "person", "pii", "unscanned"} <= set(row.features.sensitivity)
        assert say(gateway, "openai_chat", "Nothing.", model="gemini").status == 403
        assert "the detector broken failed (RuntimeError)" in gateway.output and "canary" not in gateway.output
