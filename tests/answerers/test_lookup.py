"""Tables of questions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerers.asking import answers, asks, spec
from tierline.answerers.lookup import Lookup
from tierline.answerers.normalise import normalised
from tierline.answerers.question import question
from tierline.types.errors import AnswererFailure

ROWS = 'question,answer\nWhen do you open?,"At nine, every day."\nWo sind Sie?,In Wien.\n'


def table(folder: Path, text: str = ROWS, name: str = "faq.csv", **entry: Any) -> Lookup:
    (folder / name).write_text(text, encoding="utf-8")
    return Lookup({"lookup": name, **entry}, spec(folder))


def test_an_exact_question_gets_the_answer_beside_it_and_any_other_none(tmp_path: Path) -> None:
    assert answers(table(tmp_path), "When do you open?") == "At nine, every day."
    assert answers(table(tmp_path), "  When do you open?\n") == "At nine, every day."
    assert answers(table(tmp_path), "when do you open?") is None
    assert answers(table(tmp_path), "When do you close?") is None


@pytest.mark.parametrize("words", ["when do you OPEN", "When do you open?!", "when  do\nyou open", "Ｗｈｅｎ do you open?"])
def test_normalised_looks_past_case_punctuation_spaces_and_forms(tmp_path: Path, words: str) -> None:
    assert answers(table(tmp_path, match="normalised"), words) == "At nine, every day."


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once(words: str) -> None:
    assert normalised(normalised(words)) == normalised(words)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faq.json", '{"When do you open?": "At nine, every day."}'),
        ("faq.json", '[{"question": "When do you open?", "answer": "At nine, every day."}]'),
        ("faq.jsonl", '{"question": "When do you open?", "answer": "At nine, every day."}\n\n'),
        ("faq.csv", '\ufeffid,question,answer\n1,When do you open?,"At nine, every day."\n'),
    ],
)
def test_csv_json_and_jsonl_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    assert answers(table(tmp_path, text, name), "When do you open?") == "At nine, every day."


def test_the_columns_may_have_other_names(tmp_path: Path) -> None:
    asked = table(tmp_path, "q,a\nHow?,So.\n", question="q", answer="a")
    assert answers(asked, "How?") == "So."


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("faq.csv", "frage,answer\na,b\n", "no column 'question'"),
        ("faq.csv", "question,answer\na,\n", "line 2: no text in 'answer'"),
        ("faq.jsonl", "{}\n", "line 1: no text"),
        ("faq.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("faq.json", "{", "not JSON"),
        ("faq.json", "3", "an object of questions"),
        ("faq.txt", "a", "one of .csv, .json, .jsonl"),
    ],
)
def test_a_table_that_cannot_be_read_says_what_is_wrong_and_where(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(AnswererFailure, match=said):
        table(tmp_path, text, name)


def test_a_table_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(AnswererFailure, match="cannot be read"):
        Lookup({"lookup": "none.csv"}, spec(tmp_path))


SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
PICTURE = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]
CALLED = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"response_format": SCHEMA},
        {"response_format": {"type": "json_object"}},
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"},
        {"messages": [{"role": "user", "content": PICTURE}]},
        {"messages": [{"role": "user", "content": "What?"}, CALLED, {"role": "tool", "tool_call_id": "c", "content": "What?"}]},
        {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "What?"}]},
    ],
)
def test_a_request_that_words_could_not_answer_asks_no_question(changes: dict[str, Any]) -> None:
    assert question(asks("What?", **changes)) == ""


def test_the_last_message_is_the_question() -> None:
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "What?"}]
    assert question(asks("", messages=turns)) == "What?"
