"""A team's own prompts: what is taken, and what is wrong, told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline.evaluation.collect.prompts import PromptsInvalid, read_prompts


def test_a_prompt_or_whole_messages_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(
        '{"prompt": "What is 6 × 7?", "reference": 42, "task": "sums", "id": "s1", "system": "Be short."}\n\n'
        '{"messages": [{"role": "user", "content": [{"type": "text", "text": "Where is "}, {"type": "text", "text": "it?"}]}]}\n'
    )
    first, second = read_prompts(path).rows
    assert (first.id, first.task, first.reference, first.text) == ("s1", "sums", "42", "What is 6 × 7?")
    assert [message["role"] for message in first.messages] == ["system", "user"]
    assert (second.id, second.reference, second.text) == (second.digest, None, "Where is it?")


def test_csv_and_parquet_say_the_same_as_jsonl(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    lines = tmp_path / "prompts.jsonl"
    lines.write_text('{"id": "a", "query": "One?", "reference": "1"}\n{"id": "b", "query": "Two, say?", "reference": "2"}\n')
    with duckdb.connect() as database:
        table = database.read_json(str(lines))
        table.write_csv(str(tmp_path / "prompts.csv"))
        table.write_parquet(str(tmp_path / "prompts.parquet"))
    expected = read_prompts(lines).rows
    assert read_prompts(tmp_path / "prompts.csv").rows == expected
    assert read_prompts(tmp_path / "prompts.parquet").rows == expected


def test_columns_that_nobody_reads_are_named(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "One?", "refrence": "1"}\n')
    assert read_prompts(path).ignored == ("refrence",)


def test_all_that_is_wrong_is_told_at_once_by_line(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "One?", "id": "a"}\nnonsense\n{"prompt": ""}\n{"prompt": "Two?", "id": "a"}\n{"messages": "{"}\n')
    with pytest.raises(PromptsInvalid) as told:
        read_prompts(path)
    message = told.value.message
    assert "prompts.jsonl:2: this is no JSON object" in message
    assert "prompts.jsonl:3: it has neither `prompt` nor `messages`" in message
    assert "prompts.jsonl:4: 'a' stands on line 1 too" in message
    assert "prompts.jsonl:5: `messages` is no JSON" in message


@pytest.mark.parametrize(
    ("name", "text", "said"), [("p.jsonl", "", "no prompts"), ("p.xlsx", "x", "none of JSONL"), ("p.parquet", "x", "cannot be read")]
)
def test_a_file_that_is_none_is_told_so(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PromptsInvalid, match=said):
        read_prompts(tmp_path / name)
