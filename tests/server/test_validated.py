"""Answers that are looked at before they count, over sockets: what clients, headers, metrics and the log see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from server.harness import Running, Said, serving

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script:
      latency: none
      difficulty: {capital: 0.5}
      answers: {capital: Paris}
      models: {mini: {ability: 0.0, noise: 0}, big: {ability: 1.0, noise: 0}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000}
tasks:
  capital: {why: We know it., models: [mini, big], validate: [{pattern: "Answer: Paris"}]}
  impossible: {why: Nobody knows it., models: [mini, big], validate: [{pattern: "Answer: Berlin"}]}
  hopeful: {why: Nobody waits for checks., models: [mini, big], stream: optimistic, validate: [{pattern: "Answer: Paris"}]}
routes:
  auto: {select: static, log_text: all}
"""

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("validated") / "tierline.yaml"
    path.write_text(SPEC)
    with serving(path) as served:
        yield served


def ask(running: Running, task: str, **more: Any) -> Said:
    return running.chat("auto", {"x-tierline-task": task}, **more)


def words(said: Said) -> str:
    events = [json.loads(line[6:]) for line in said.body.decode().split("\n\n") if line.startswith("data: {")]
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])


def test_an_answer_that_is_not_good_enough_is_never_seen_and_the_next_model_answers(running: Running) -> None:
    said = ask(running, "capital")
    assert said.json["choices"][0]["message"]["content"].endswith("Answer: Paris")
    assert (said.headers["x-tierline-model"], said.headers["x-tierline-attempts"]) == ("big", "2")
    assert "x-tierline-flagged" not in said.headers
    row = running.record(said.headers["x-tierline-decision"])
    assert [(tried.target, tried.cause) for tried in row.tried] == [("mini", "first"), ("big", "escalation")]
    assert [[verdict.passed for verdict in tried.verdicts] for tried in row.tried] == [[False], [True]]
    assert said.headers["x-tierline-cost"] == f"{row.cost:.8f}" and row.cost == pytest.approx(sum(tried.cost for tried in row.tried))


def test_a_stream_is_held_until_its_answer_has_passed(running: Running) -> None:
    said = ask(running, "capital", stream=True)
    assert words(said).endswith("Answer: Paris") and "not Paris" not in said.body.decode()
    assert said.body.endswith(b"data: [DONE]\n\n") and said.headers["content-type"].startswith("text/event-stream")
    row = running.record(said.headers["x-tierline-decision"])
    assert (said.headers["x-tierline-model"], said.headers["x-tierline-attempts"]) == ("big", "2")
    assert said.headers["x-tierline-cost"] == f"{row.cost:.8f}" and row.status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_the_best_there_was_comes_with_a_flag(running: Running, stream: bool) -> None:
    said = ask(running, "impossible", stream=stream)
    assert (said.status, said.headers["x-tierline-flagged"], said.headers["x-tierline-model"]) == (200, "1", "big")
    assert running.record(said.headers["x-tierline-decision"]).flagged


def test_the_text_that_is_kept_is_the_winners(running: Running) -> None:
    said = ask(running, "capital", stream=True)
    row = running.record(said.headers["x-tierline-decision"])
    kept = running.text(row.decision.request_id)
    assert "Answer: Paris" in words(Said(200, {}, kept["answer"].encode())) and "not Paris" not in kept["answer"]


def test_metrics_count_verdicts_and_flags(running: Running) -> None:
    ask(running, "impossible")
    told = running.ask("GET", "/metrics").body.decode()
    assert 'tierline_verdicts_total{passed="no",validator="impossible/pattern"}' in told
    assert 'tierline_flagged_total{route="auto"}' in told
    assert 'tierline_attempts_total{cause="escalation",error="",model="big"}' in told


# optimistic: official clients see an answer and nothing else


def test_curl_sees_the_verdict_behind_the_answer_and_the_row_has_it(running: Running) -> None:
    said = ask(running, "hopeful", stream=True)
    answer, _, behind = said.body.decode().partition("data: [DONE]\n\n")
    verdict = json.loads(behind.removeprefix(": tierline "))
    assert answer and verdict["accepted"] is False and verdict["verdicts"][0]["validator"] == "hopeful/pattern"
    row = running.record(said.headers["x-tierline-decision"])
    assert (row.flagged, row.model, len(row.tried), row.status) == (True, "mini", 1, 200)
    assert [verdict.passed for verdict in row.tried[0].verdicts] == [False]


def test_openais_client_passes_over_the_verdict(running: Running) -> None:
    with openai.OpenAI(base_url=running.url, api_key="-", max_retries=0, default_headers={"x-tierline-task": "hopeful"}) as client:
        chunks = list(client.chat.completions.create(model="auto", stream=True, messages=[{"role": "user", "content": QUESTION}]))
        events = list(client.responses.create(model="auto", stream=True, input=QUESTION))
        with client.responses.stream(model="auto", input=QUESTION) as stream:
            final = stream.until_done().get_final_response()
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).endswith("not Paris")
    assert events[-1].type == "response.completed" and final.output_text.endswith("not Paris")


def test_anthropics_client_passes_over_the_verdict(running: Running) -> None:
    address, hints = running.url.removesuffix("/v1"), {"x-tierline-task": "hopeful"}
    asked: Any = {"model": "auto", "max_tokens": 500, "messages": [{"role": "user", "content": QUESTION}]}
    with anthropic.Anthropic(base_url=address, api_key="-", max_retries=0, default_headers=hints) as client:
        events = list(client.messages.create(stream=True, **asked))
        with client.messages.stream(**asked) as stream:
            told = "".join(stream.text_stream)
    assert events[-1].type == "message_stop" and told.endswith("not Paris")


def test_googles_client_passes_over_the_verdict(running: Running) -> None:
    options = types.HttpOptions(base_url=running.url.removesuffix("/v1"), headers={"x-tierline-task": "hopeful"})
    client = genai.Client(api_key="-", http_options=options)
    told = "".join(chunk.text or "" for chunk in client.models.generate_content_stream(model="auto", contents=QUESTION))
    client.close()
    assert told.endswith("not Paris")


def test_in_a_json_array_the_verdict_is_a_last_element(running: Running) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    said = running.ask("POST", "/v1beta/models/auto:streamGenerateContent", body, {"x-tierline-task": "hopeful"})
    *answer, verdict = said.json
    assert all("candidates" in element for element in answer) and verdict["tierline"]["accepted"] is False
