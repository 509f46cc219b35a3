"""The happy paths, through OpenAI's own SDK."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from server.harness import Running
from server.upstream import Upstream

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def sdk(fleet: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fleet.url, api_key="none needed", max_retries=0) as client:
        yield client


def test_auto_is_answered_and_the_headers_say_by_whom_and_why(sdk: openai.OpenAI, fleet: Running) -> None:
    answer = sdk.chat.completions.with_raw_response.create(model="auto", messages=QUESTION)
    headers, parsed = answer.headers, answer.parse()
    assert parsed.choices[0].message.content
    assert headers["x-tierline-model"] in {"mini", "mid", "big"}
    assert headers["x-tierline-tier"] in {"fast", "balanced", "best"}
    assert headers["x-tierline-route"] == "auto"
    assert headers["x-tierline-attempts"] == "1"
    assert headers["x-tierline-why"]
    assert float(headers["x-tierline-overhead-ms"]) < 1000
    row = fleet.record(headers["x-tierline-decision"])
    assert row.decision.policy == headers["x-tierline-policy"]
    assert row.model == headers["x-tierline-model"]
    assert f"{row.cost:.8f}" == headers["x-tierline-cost"]
    assert row.tried[0].usage.output == parsed.usage.completion_tokens


def test_a_stream_comes_in_pieces_and_ends_properly(sdk: openai.OpenAI, fleet: Running) -> None:
    with sdk.chat.completions.with_streaming_response.create(model="mid", messages=QUESTION, stream=True) as raw:
        decision = raw.headers["x-tierline-decision"]
        chunks = list(raw.parse())
    assert raw.headers["x-tierline-model"] == "mid"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks), "usage was not asked for by the client"
    row = fleet.record(decision)
    assert row.tried[0].usage.output > 0 and not row.tried[0].usage.estimated
    assert row.tried[0].ttft is not None


def test_a_stream_joined_is_the_whole_answer(sdk: openai.OpenAI) -> None:
    asked = [{"role": "user", "content": "Say what two and two make."}]
    chunks = sdk.chat.completions.create(model="big", messages=asked, stream=True, stream_options={"include_usage": True})
    events = list(chunks)
    joined = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    whole = sdk.chat.completions.create(model="big", messages=asked)
    assert joined == whole.choices[0].message.content
    assert events[-1].usage == whole.usage


def test_tools_are_passed_on_and_called(sdk: openai.OpenAI) -> None:
    tool = {
        "type": "function",
        "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    answer = sdk.chat.completions.create(model="auto", messages=QUESTION, tools=[tool])
    assert answer.choices[0].message.tool_calls[0].function.name == "look_up"


def test_embeddings_go_to_a_model_that_can(sdk: openai.OpenAI) -> None:
    answer = sdk.embeddings.with_raw_response.create(model="auto", input=["one", "two"], encoding_format="float")
    assert answer.headers["x-tierline-model"] == "vectors"
    assert len(answer.parse().data) == 2


def test_models_lists_every_name_that_may_be_used(sdk: openai.OpenAI) -> None:
    names = {model.id for model in sdk.models.list()}
    assert {"auto", "auto/audited", "tier/best", "mini", "big"} <= names
    assert sdk.models.retrieve("auto/audited").owned_by == "tierline"
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("gpt-none")


def test_a_named_model_a_tier_and_a_task_are_followed(sdk: openai.OpenAI) -> None:
    def model(name: str, **more: object) -> str:
        return sdk.chat.completions.with_raw_response.create(model=name, messages=QUESTION, **more).headers["x-tierline-model"]

    assert model("big") == "big"
    assert model("fleet/mid") == "mid"
    assert model("tier/balanced") == "mid"
    assert model("auto", extra_headers={"x-tierline-tier": "best"}) == "big"
    assert model("auto", extra_headers={"x-tierline-task": "greeting"}) == "mini"
    assert model("auto", metadata={"tierline_task": "greeting"}) == "mini"


def test_what_tierline_does_not_know_passes_through_both_ways(faults: Running, upstream: Upstream) -> None:
    said = faults.chat("steady", made_up={"deep": [1, 2.50]}, seed=7, metadata={"tierline_tags": "a", "mine": "kept"})
    assert said.json["choices"][0]["message"]["x_unknown"] == {"kept": True}
    sent = upstream.bodies["steady"]
    assert sent["made_up"] == {"deep": [1, 2.5]} and sent["seed"] == 7 and sent["metadata"] == {"mine": "kept"}
    assert upstream.headers["authorization"] == "Bearer sk-upstream"


def test_the_usage_is_estimated_and_marked_where_the_upstream_tells_none(faults: Running) -> None:
    said = faults.chat("no-usage")
    usage = faults.record(said.headers["x-tierline-decision"]).tried[0].usage
    assert usage.estimated and usage.input > 0 and usage.output == 10


def test_a_dry_run_explains_and_calls_nobody(fleet: Running) -> None:
    before = len(fleet.rows())
    said = fleet.ask("POST", "/v1/route", {"model": "auto", "messages": QUESTION})
    assert said.status == 200
    assert said.json["model"] in {"mini", "mid", "big"}
    assert len(said.json["explanation"]["sentences"]) >= 3
    assert fleet.chat("auto").headers["x-tierline-model"] == said.json["model"]
    assert len(fleet.rows()) <= before + 1


@pytest.mark.parametrize("streamed", [False, True])
def test_whoever_wishes_so_gets_the_decision_explained(fleet: Running, streamed: bool) -> None:
    said = fleet.chat("auto", {"x-tierline-explain": "1"}, stream=streamed)
    assert "the bar" in said.headers["x-tierline-explanation"]
    assert "x-tierline-explanation" not in fleet.chat("auto", stream=streamed).headers


def test_feedback_is_kept_beside_the_decision(fleet: Running) -> None:
    decision = fleet.chat().headers["x-tierline-decision"]
    assert fleet.ask("POST", "/v1/feedback", {"decision": decision, "score": 0.5}).status == 200
    assert fleet.ask("POST", "/v1/feedback", {"decision": decision}).status == 400
    assert fleet.ask("POST", "/v1/feedback", {"decision": decision, "score": 7}).status == 400
    assert fleet.ask("POST", "/v1/feedback", {"decision": "nope", "accept": True}).status == 404
    assert fleet.ask("POST", "/v1/feedback", {"decision": decision, "accept": True, "kind": "pipeline"}).status == 200
    assert fleet.ask("POST", "/v1/feedback", {"decision": decision, "accept": True, "kind": "neighbour"}).status == 400


def test_text_is_kept_where_the_route_says_so_and_nowhere_else(fleet: Running) -> None:
    import sqlite3

    kept = fleet.chat("auto/audited").headers["x-tierline-decision"]
    plain = fleet.chat("auto").headers["x-tierline-decision"]
    fleet.record(plain)
    with sqlite3.connect(fleet.spec.parent / "tierline.db") as connection:
        texts = dict(connection.execute("SELECT request_id, body FROM texts").fetchall())
    connection.close()
    assert "capital of France" in str(texts[kept])
    assert plain not in texts
