"""What clients get is what OpenAI's own SDK reads: every golden answer and stream is taken by its types."""

from __future__ import annotations

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from dialects.openai_chat.worlds import CASES, case, chunks, named

ANSWERS = named("answer_")
STREAMS = [name for name in named("stream_", "to_client_") if (CASES / name / "client.txt").read_bytes().endswith(b"[DONE]\n\n")]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_one_of_openais(name: str) -> None:
    answer = ChatCompletion.model_validate(case(name, "client.json"))
    assert answer.model == "auto"
    assert [choice.index for choice in answer.choices] == list(range(len(answer.choices)))


@pytest.mark.parametrize("name", STREAMS)
def test_every_chunk_is_one_of_openais(name: str) -> None:
    told = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks((CASES / name / "client.txt").read_bytes()) if not _custom(chunk)]
    assert {chunk.object for chunk in told} == {"chat.completion.chunk"}
    assert told[0].choices[0].delta.role == "assistant"


def _custom(chunk: object) -> bool:
    """Whether a chunk calls a custom tool: the API streams them, the SDK's types of chunks do not know them."""
    return '"type": "custom"' in json.dumps(chunk)
