"""A real model behind a real llama.cpp server as the fast tier, asked through the gateway with the official SDK.

Runs where `make .e2e` has been; elsewhere it is skipped, and fails under CI=true."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

from bench import small_model
from e2e.rows import row
from tierline.testing.serving import serving

EASY = "Say hello."


class Setup(NamedTuple):
    model: small_model.LlamaServer
    url: str
    log: Path

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="unused", max_retries=0)


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not small_model.available():
        reason = "the small model is not installed: run `make .e2e`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def set_up(folder: Path) -> Iterator[Setup]:
    with small_model.llama_server() as model, serving(small_model.spec(folder, model.port)) as gateway:
        yield Setup(model, gateway.url, folder / "tierline.db")


@pytest.fixture(scope="module")
def lasting(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    yield from set_up(tmp_path_factory.mktemp("small-model"))


@pytest.fixture
def doomed(installed: None, tmp_path: Path) -> Iterator[Setup]:
    yield from set_up(tmp_path)


def user(text: str) -> list[openai.types.chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def test_an_easy_request_is_answered_by_the_real_model_and_its_usage_is_in_the_log(lasting: Setup) -> None:
    with lasting.client() as client:
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=user(EASY), max_tokens=16)
    answer, said = raw.parse(), raw.headers
    assert said["x-tierline-model"] == "small"
    assert answer.model == "auto", "the client's own name for it"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    tried = row(lasting.log, said["x-tierline-decision"]).tried[0]
    assert tried.served_model == small_model.ALIAS
    assert (tried.usage.input, tried.usage.output) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert tried.cost == pytest.approx((answer.usage.prompt_tokens * 0.02 + answer.usage.completion_tokens * 0.04) / 1e6)
    assert float(said["x-tierline-cost"]) == pytest.approx(tried.cost, abs=5e-9)
    assert not tried.usage.estimated


@pytest.mark.parametrize("asks_usage", [True, False])
def test_a_stream_comes_through_and_its_usage_is_in_the_log_whether_or_not_the_client_asked_for_it(
    lasting: Setup, asks_usage: bool
) -> None:
    options: dict[str, object] = {"stream_options": {"include_usage": True}} if asks_usage else {}
    with lasting.client() as client:
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=user(EASY), max_tokens=16, stream=True, **options)
        chunks = list(raw.parse())
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert raw.headers["x-tierline-model"] == "small"
    assert words
    assert len(usages) == asks_usage
    record = row(lasting.log, raw.headers["x-tierline-decision"])
    assert record.tried[0].usage.output > 0
    assert not record.tried[0].usage.estimated
    assert record.cost > 0
    assert record.tried[0].ttft is not None
    if usages:
        assert usages[0].completion_tokens == record.tried[0].usage.output


def test_max_tokens_caps_the_real_model(lasting: Setup) -> None:
    with lasting.client() as client:
        answer = client.chat.completions.create(model="auto", messages=user("Say hello. Then tell a long story about it."), max_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


def test_a_hard_request_goes_to_the_dearer_tier(lasting: Setup) -> None:
    with lasting.client() as client:
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=user(small_model.HARD))
    assert raw.headers["x-tierline-model"] == "large"
    assert raw.headers["x-tierline-tier"] == "best"


def test_when_the_real_model_is_killed_its_neighbour_answers(doomed: Setup) -> None:
    with doomed.client() as client:
        before = client.chat.completions.with_raw_response.create(model="auto", messages=user(EASY), max_tokens=8)
        doomed.model.kill()
        after = client.chat.completions.with_raw_response.create(model="auto", messages=user(EASY), max_tokens=8)
        streamed = client.chat.completions.with_raw_response.create(model="auto", messages=user(EASY), max_tokens=8, stream=True)
        words = "".join(chunk.choices[0].delta.content or "" for chunk in streamed.parse() if chunk.choices)
    assert before.headers["x-tierline-model"] == "small"
    assert after.headers["x-tierline-model"] == streamed.headers["x-tierline-model"] == "middle"
    assert after.parse().choices[0].message.content
    assert words
    tried = row(doomed.log, after.headers["x-tierline-decision"]).tried
    assert [(one.target, one.ok, one.cause) for one in tried] == [("small", False, "first"), ("middle", True, "fallback")]
    assert tried[0].error == "connect"


def test_a_stream_that_loses_its_model_after_the_first_words_ends_in_an_error_and_a_truncated_row(doomed: Setup) -> None:
    with doomed.client() as client:
        raw = client.chat.completions.with_raw_response.create(
            model="auto", messages=user("Say hello, then count from one to three hundred in words."), max_tokens=600, stream=True
        )
        seen = 0
        with pytest.raises(openai.APIError):
            for chunk in raw.parse():
                seen += bool(chunk.choices and chunk.choices[0].delta.content)
                if seen == 3:
                    doomed.model.kill()
    record = row(doomed.log, raw.headers["x-tierline-decision"])
    assert record.truncated
    assert record.tried[-1].error == "cut"
