"""RecordedProvider: the recorded answer, its recorded tokens, and nothing of its score."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tierline.providers.recorded import RecordedProvider
from tierline.testing.checks import check_provider
from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.errors import TierlineError
from tierline.types.wire import Call

DATA = Path(os.environ.get("TIERLINE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
ROWS: list[dict[str, Any]] = [
    {
        "query": "2+2?",
        "model": "mini",
        "response": "It is 4.\n\nSure.",
        "score": 0.123457,
        "input_tokens": 5,
        "output_tokens": 7,
        "task": "sums",
    },
    {"query": "2+2?", "model": "maxi", "response": "4", "score": 1.0, "input_tokens": 6, "output_tokens": 1, "task": "sums"},
    {
        "query": "注文はどこ？",
        "model": "mini",
        "response": "ここです",
        "score": 1.0,
        "input_tokens": 9,
        "output_tokens": 3,
        "task": "orders",
    },
    {"query": "2+2?", "model": "mini", "response": "a later row", "score": 1.0, "input_tokens": 1, "output_tokens": 1, "task": "sums"},
]


@pytest.fixture(params=["parquet", "csv", "jsonl"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    lines = tmp_path / "rows.jsonl"
    lines.write_text("\n".join(map(json.dumps, ROWS)))
    path = tmp_path / f"table.{request.param}"
    if request.param == "parquet":
        duckdb.sql(f"copy (select * from read_json_auto('{lines}')) to '{path}' (format parquet)")
    elif request.param == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ROWS[0])
            writer.writeheader()
            writer.writerows(ROWS)
    else:
        lines.rename(path)
    return path


def provider(table: Path | str, *models: str) -> RecordedProvider:
    return RecordedProvider(Endpoint("rec", kind="recorded", table=str(table), script={"models": list(models)} if models else {}))


def call(query: str, model: str = "mini", **body: Any) -> Call:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": query}]
    return Call(
        model=Model(name=model, tier="fast", provider="rec", upstream=model),
        kind="chat",
        path="/chat/completions",
        body=json.dumps({"model": model, "messages": messages, **body}).encode(),
        stream=bool(body.get("stream")),
        request_id="req-1",
    )


def answer(source: RecordedProvider, sent: Call) -> tuple[int, bytes]:
    async def work() -> tuple[int, bytes]:
        reply = await source.send(sent)
        return reply.status, await reply.body()

    return asyncio.run(work())


def test_it_keeps_the_laws_of_a_provider(table: Path) -> None:
    asyncio.run(check_provider(lambda: provider(table), call("2+2?"), call("2+2?", stream=True)))


def test_the_first_recorded_answer_comes_with_its_recorded_tokens(table: Path) -> None:
    status, body = answer(provider(table), call("2+2?"))
    found = json.loads(body)
    assert (status, found["model"], found["choices"][0]["message"]["content"]) == (200, "mini", "It is 4.\n\nSure.")
    assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (5, 7)
    assert json.loads(answer(provider(table), call("注文はどこ？"))[1])["choices"][0]["message"]["content"] == "ここです"


def test_a_stream_joined_is_the_recorded_answer(table: Path) -> None:
    _, body = answer(provider(table), call("2+2?", stream=True, stream_options={"include_usage": True}))
    events = [json.loads(event[6:]) for event in body.decode().split("\n\n") if event not in ("", "data: [DONE]")]
    pieces = [event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"]]
    assert "".join(pieces) == "It is 4.\n\nSure."
    assert len(pieces) > 3
    assert events[-1]["usage"]["completion_tokens"] == 7


def test_no_score_leaves_the_provider(table: Path) -> None:
    source = provider(table)
    for sent in (call("2+2?"), call("2+2?", stream=True)):
        assert b"0.123457" not in answer(source, sent)[1]
    assert "0.123457" not in repr(vars(source))


@pytest.mark.parametrize(("query", "model", "code"), [("3+3?", "mini", "query_not_recorded"), ("2+2?", "nobody", "model_not_found")])
def test_what_was_not_recorded_is_not_found(table: Path, query: str, model: str, code: str) -> None:
    status, body = answer(provider(table), call(query, model))
    assert (status, json.loads(body)["error"]["code"]) == (404, code)
    assert query not in body.decode()


def test_only_the_models_asked_for_are_loaded(table: Path) -> None:
    source = provider(table, "maxi")
    assert answer(source, call("2+2?", "maxi"))[0] == 200
    assert answer(source, call("2+2?", "mini"))[0] == 404


def test_a_model_without_answers_is_a_mistake_in_the_spec(table: Path) -> None:
    with pytest.raises(TierlineError, match=r"providers\.rec\.table: .* no answers of nobody"):
        provider(table, "mini", "nobody")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.csv", None, "there is no file"),
        ("table.xlsx", b"x", "none of Parquet, CSV and JSONL"),
        ("table.parquet", b"not parquet", "cannot be read"),
        ("table.jsonl", b'{"query": "x"}\n', "cannot be read: KeyError"),
        ("table.jsonl", b"{half", "cannot be read"),
        ("table.csv", b"query,model\nx,y\n", "cannot be read: KeyError"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TierlineError, match=said) as refused:
        provider(path)
    assert refused.value.message.startswith("providers.rec.table")


def test_no_table_is_a_mistake_in_the_spec() -> None:
    with pytest.raises(TierlineError, match=r"providers\.rec\.table: name the file"):
        RecordedProvider(Endpoint("rec", kind="recorded"))


def test_a_few_models_of_a_real_table_load_in_two_seconds_of_the_processor() -> None:
    path = DATA / "zeroeval.parquet"
    if not path.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the routing data: set TIERLINE_DATA ({path} is not there)")
        pytest.skip("the routing data is not here: set TIERLINE_DATA")
    models = ["gpt-4o-mini-2024-07-18", "claude-3-5-sonnet-20241022"]
    known = [row[0] for row in duckdb.execute("select distinct model from read_parquet(?)", [str(path)]).fetchall()]
    models = [model for model in models if model in known] or sorted(known)[:3]
    started = time.process_time()
    source = provider(path, *models)
    assert time.process_time() - started < 2
    expected = duckdb.execute(
        "select query, response, input_tokens, output_tokens from read_parquet(?) where model = ? limit 20", [str(path), models[0]]
    ).fetchall()
    for query, response, input_tokens, output_tokens in expected:
        found = json.loads(answer(source, call(query, models[0]))[1])
        assert found["choices"][0]["message"]["content"] == response
        assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (input_tokens, output_tokens)
