"""ScriptedProvider: the same script gives the same fleet, and every scripted fault is a fault."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tierline.providers.script import Script
from tierline.providers.scripted import ScriptedProvider
from tierline.testing.checks import check_provider
from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.errors import ProviderFailure, TierlineError
from tierline.types.wire import Call, Reply

T = TypeVar("T")


class Clock:
    """Time that passes at once, and says how much of it did."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def fleet(clock: Clock | None = None, **script: Any) -> ScriptedProvider:
    return ScriptedProvider(Endpoint("demo", kind="scripted", script=script), sleep=(clock or Clock()).sleep)


def call(prompt: str = "Where is order 17?", model: str = "mini", request_id: str = "req-1", timeout: float = 60.0, **body: Any) -> Call:
    sent = json.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], **body}).encode()
    return Call(
        model=Model(name=model, tier="fast", provider="demo", upstream=model),
        kind="embeddings" if "input" in body else "chat",
        path="/chat/completions",
        body=sent,
        stream=bool(body.get("stream")),
        timeout=timeout,
        request_id=request_id,
    )


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def chunks(reply: Reply) -> list[bytes]:
    found = []
    while (piece := await reply.chunk()) is not None:
        found.append(piece)
    return found


def told(provider: ScriptedProvider, sent: Call) -> dict[str, Any]:
    async def work() -> dict[str, Any]:
        reply = await provider.send(sent)
        assert reply.status == 200
        found: dict[str, Any] = json.loads(await reply.body())
        return found

    return run(work())


def text(provider: ScriptedProvider, sent: Call) -> str:
    content = told(provider, sent)["choices"][0]["message"]["content"]
    assert isinstance(content, str)
    return content


def events(provider: ScriptedProvider, sent: Call) -> list[Any]:
    async def work() -> list[bytes]:
        return await chunks(await provider.send(sent))

    sent_events = run(work())
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") for event in sent_events)
    assert sent_events[-1] == b"data: [DONE]\n\n"
    return [json.loads(event[6:]) for event in sent_events[:-1]]


def test_it_keeps_the_laws_of_a_provider() -> None:
    run(check_provider(fleet, call(), call(stream=True)))


def test_the_same_script_prompt_and_request_id_give_the_same_bytes() -> None:
    assert told(fleet(seed=7), call()) == told(fleet(seed=7), call())
    assert events(fleet(seed=7), call(stream=True)) == events(fleet(seed=7), call(stream=True))
    assert told(fleet(seed=7), call()) != told(fleet(seed=8), call())


def test_a_stream_joined_is_the_whole_answer() -> None:
    whole = told(fleet(), call())
    streamed = events(fleet(), call(stream=True, stream_options={"include_usage": True}))
    assert (
        "".join(event["choices"][0]["delta"].get("content") or "" for event in streamed if event["choices"])
        == whole["choices"][0]["message"]["content"]
    )
    assert streamed[-2]["choices"][0]["finish_reason"] == "stop"
    assert (streamed[-1]["choices"], streamed[-1]["usage"]) == ([], whole["usage"])
    assert {event["id"] for event in streamed} == {whole["id"]}


def test_no_usage_is_streamed_to_who_does_not_ask_for_it() -> None:
    assert all("usage" not in event for event in events(fleet(), call(stream=True)))


def test_a_right_answer_is_told_from_a_wrong_one() -> None:
    able, unable = fleet(models={"mini": {"ability": 1.2}}), fleet(models={"mini": {"ability": -0.2}})
    right, wrong = text(able, call()), text(unable, call())
    assert right != wrong
    assert able.script.was_right("Where is order 17?", right)
    assert not able.script.was_right("Where is order 17?", wrong)


def test_what_a_right_answer_says_may_be_written_in_the_script() -> None:
    provider = fleet(answers={"capital of France": "Paris"}, models={"mini": {"ability": 2}})
    assert text(provider, call("What is the capital of France?")).endswith("Answer: Paris")


def test_a_model_is_right_as_often_as_its_ability_says() -> None:
    script = Script.of({"seed": 3, "models": {"mini": {"ability": 0.6, "noise": 0.1}}})
    share = sum(script.is_able("mini", f"question {number}", f"r{number}") for number in range(2000)) / 2000
    assert 0.57 < share < 0.63


def test_the_hardest_marker_in_a_prompt_is_its_difficulty() -> None:
    script = Script.of({"difficulty": {"prove": 0.9, "what is": 0.1}})
    assert script.difficulty_of("what is it? prove it") == 0.9
    assert 0 <= script.difficulty_of("anything else") < 1


def test_tools_are_called_until_one_has_answered() -> None:
    tool = {
        "type": "function",
        "function": {"name": "track", "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}},
    }
    provider = fleet(models={"mini": {"ability": 2}})
    message = told(provider, call(tools=[tool]))["choices"][0]["message"]
    arguments = message["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments).keys() == {"order"}
    assert provider.script.was_right("Where is order 17?", arguments)
    streamed = events(provider, call(tools=[tool], stream=True))
    pieces = [event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] for event in streamed[1:3]]
    assert "".join(pieces) == arguments
    assert streamed[-1]["choices"][0]["finish_reason"] == "tool_calls"
    after = [{"role": "user", "content": "Where?"}, {"role": "tool", "tool_call_id": "c", "content": "here"}]
    assert told(provider, call(tools=[tool], messages=after))["choices"][0]["finish_reason"] == "stop"
    assert told(provider, call(tools=[tool], tool_choice="none"))["choices"][0]["finish_reason"] == "stop"


SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "status": {"type": "string", "enum": ["open", "closed"]},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "paid": {"type": "boolean"}}}},
        "note": {"type": ["string", "null"]},
    },
    "required": ["count", "status", "lines", "note"],
}


def test_json_follows_the_schema_that_was_asked_for() -> None:
    provider = fleet(models={"mini": {"ability": 2}})
    answer = text(provider, call(response_format={"type": "json_schema", "json_schema": {"name": "order", "schema": SCHEMA}}))
    made = json.loads(answer)
    assert made.keys() == SCHEMA["properties"].keys()
    assert isinstance(made["count"], int)
    assert made["status"] == "open"
    assert made["lines"][0].keys() == {"name", "paid"}
    assert provider.script.was_right("Where is order 17?", answer)
    assert json.loads(text(provider, call(response_format={"type": "json_object"}))).keys() == {"answer"}


def test_some_wrong_objects_lack_a_required_property() -> None:
    provider = fleet(models={"mini": {"ability": -1}})
    shape = {"type": "json_schema", "json_schema": {"name": "order", "schema": SCHEMA}}
    made = [json.loads(text(provider, call(f"order {number}", response_format=shape))) for number in range(40)]
    lacking = [answer for answer in made if "note" not in answer]
    assert 5 < len(lacking) < 35


def test_max_tokens_cut_an_answer() -> None:
    answer = told(fleet(), call(max_tokens=5))
    assert (answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]) == (5, "length")


def test_n_gives_n_choices_and_counts_them() -> None:
    answer = told(fleet(), call(n=3))
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"]["completion_tokens"] == 3 * told(fleet(), call())["usage"]["completion_tokens"]


def test_embeddings_follow_from_the_text() -> None:
    provider = fleet()
    one, two, again = (item["embedding"] for item in told(provider, call(input=["a", "b", "a"]))["data"])
    assert one == again != two
    assert sum(value * value for value in one) == pytest.approx(1)
    packed = told(provider, call(input="a", encoding_format="base64", dimensions=16))["data"][0]["embedding"]
    assert struct.unpack("<16f", base64.b64decode(packed)) == pytest.approx(one, abs=1e-6)
    assert len(told(provider, call(input=[1, 2, 3]))["data"]) == 1


# time


def test_time_passes_as_the_script_says() -> None:
    clock = Clock()
    provider = fleet(clock, models={"mini": {"ttft": "120ms", "tokens_per_second": 100, "output": 10}}, time_scale=0.5)
    answer = told(provider, call())
    assert clock.slept == [pytest.approx((0.12 + answer["usage"]["completion_tokens"] / 100) * 0.5)]
    clock.slept.clear()
    streamed = events(provider, call(stream=True))
    assert clock.slept == [pytest.approx(0.06)] + [pytest.approx(0.005)] * len(streamed)


def test_without_latency_nothing_waits() -> None:
    clock = Clock()
    provider = fleet(clock, latency="none", models={"mini": {"ttft": "1h"}})
    told(provider, call(timeout=0.1))
    events(provider, call(stream=True, timeout=0.1))
    assert clock.slept == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_slower_than_the_timeout_times_out_after_it(stream: bool) -> None:
    clock = Clock()
    with pytest.raises(ProviderFailure) as failed:
        run(fleet(clock, models={"mini": {"ttft": "2s"}}).send(call(timeout=1.5, stream=stream)))
    assert (failed.value.kind, clock.slept) == ("timeout", [1.5])


def test_jitter_sways_each_request_within_its_bounds() -> None:
    clock = Clock()
    provider = fleet(clock, models={"mini": {"ttft": "1s", "jitter": 0.2, "output": 1, "tokens_per_second": 1e9}})
    for number in range(30):
        told(provider, call(request_id=f"r{number}"))
    assert all(0.8 <= seconds <= 1.2 for seconds in clock.slept)
    assert max(clock.slept) - min(clock.slept) > 0.1


# failures


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("server", 500),
        ("overloaded", 503),
        ("rate_limited", 429),
        ("auth", 401),
        ("not_found", 404),
        ("bad_request", 400),
        ("context_exceeded", 400),
        ("content_filter", 400),
    ],
)
def test_scripted_errors_come_as_statuses(kind: str, status: int) -> None:
    reply = run(fleet(models={"mini": {"fail": {"kind": kind, "retry_after": "2s"}}}).send(call()))
    assert (reply.status, reply.headers["retry-after"]) == (status, "2")
    assert "error" in json.loads(run(reply.body()))


@pytest.mark.parametrize("kind", ["connect", "timeout"])
def test_scripted_failures_to_answer_are_raised(kind: str) -> None:
    with pytest.raises(ProviderFailure) as failed:
        run(fleet(latency="none", models={"mini": {"fail": {"kind": kind}}}).send(call()))
    assert failed.value.kind == kind


def test_a_stream_that_falls_silent_begins_without_content_and_is_given_up_after_the_idle_time_out() -> None:
    async def work(clock: Clock) -> tuple[bytes, str]:
        reply = await fleet(clock, models={"mini": {"fail": {"kind": "idle"}}}).send(call(stream=True))
        begun = b""
        with pytest.raises(ProviderFailure) as failed:
            while (piece := await reply.chunk()) is not None:
                begun += piece
        return begun, failed.value.kind

    clock = Clock()
    begun, kind = run(work(clock))
    assert begun.startswith(b"data: {") and b"Answer" not in begun
    assert (kind, clock.slept) == ("idle", [60.0])


def test_an_answer_that_falls_silent_is_a_time_out() -> None:
    with pytest.raises(ProviderFailure) as failed:
        run(fleet(latency="none", models={"mini": {"fail": {"kind": "idle"}}}).send(call()))
    assert failed.value.kind == "timeout"


@pytest.mark.parametrize("stream", [False, True])
def test_a_scripted_cut_comes_after_half_of_the_answer(stream: bool) -> None:
    async def work() -> list[bytes]:
        reply = await fleet(models={"mini": {"fail": {"kind": "cut"}}}).send(call(stream=stream))
        found = []
        with pytest.raises(ProviderFailure) as failed:
            while (piece := await reply.chunk()) is not None:
                found.append(piece)
        assert failed.value.kind == "cut"
        return found

    pieces = run(work())
    assert b'"content":' in b"".join(pieces)
    assert b"[DONE]" not in b"".join(pieces)


@pytest.mark.parametrize("stream", [False, True])
def test_a_malformed_answer_is_no_json(stream: bool) -> None:
    body = run(run(fleet(models={"mini": {"fail": {"kind": "malformed"}}}).send(call(stream=stream))).body())
    with pytest.raises(json.JSONDecodeError):
        json.loads(body.removeprefix(b"data: "))


def test_a_failure_strikes_only_the_calls_it_names() -> None:
    provider = fleet(models={"mini": {"fail": [{"kind": "server", "from": 2, "to": 3}, {"kind": "overloaded", "from": 5}]}})
    statuses = [run(provider.send(call(request_id=f"r{number}"))).status for number in range(6)]
    assert statuses == [200, 500, 500, 200, 503, 503]


def test_a_rate_of_failures_is_kept_and_follows_from_the_request_id() -> None:
    def struck() -> list[int]:
        provider = fleet(seed=1, models={"mini": {"fail": {"rate": 0.2}}})
        return [number for number in range(500) if run(provider.send(call(request_id=f"r{number}"))).status != 200]

    first = struck()
    assert 70 < len(first) < 130
    assert struck() == first


def test_a_model_that_the_script_lacks_is_not_found() -> None:
    assert run(fleet(models={"mini": {}}).send(call(model="maxi"))).status == 404


def test_a_body_that_is_no_request_is_refused() -> None:
    sent = Call(model=Model(name="mini", tier="fast", provider="demo", upstream="mini"), kind="chat", path="/", body=b"<html>")
    assert run(fleet().send(sent)).status == 400


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"models": {"mini": {"abilty": 1}}}, "abilty"),
        ({"models": {"mini": {"ttft": "soon"}}}, "soon"),
        ({"models": {"mini": {"fail": {"kind": "boom"}}}}, "boom"),
        ({"latency": "some"}, "latency"),
    ],
)
def test_a_mistake_in_a_script_is_named(script: dict[str, Any], said: str) -> None:
    with pytest.raises(TierlineError, match=rf"providers\.demo\.script.*{said}"):
        fleet(**script)
