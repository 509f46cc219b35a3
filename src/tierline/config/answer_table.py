"""A table of questions and answers: CSV with a header, JSON (`{"question": "answer"}` or a list of objects) or JSONL."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

KINDS = (".csv", ".json", ".jsonl")
MOST = 64 * 1024**2
"""Bytes of the largest table: it is held in memory."""


def digest(path: Path) -> str:
    """What tells one content from another; empty where the file cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def read_table(path: Path, question: str, answer: str) -> Iterator[tuple[str, str, str]]:
    """Where it stands, question and answer, row by row. Raises ValueError that says what is wrong and where, quoting no row."""
    try:
        if path.stat().st_size > MOST:
            raise ValueError(f"the table is larger than {MOST // 1024**2} MB; put it into a database and use sql")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"the table {path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the table {path.name} is not UTF-8") from None
    readers = {".csv": _csv, ".json": _json, ".jsonl": _jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"a table is one of {', '.join(KINDS)}, not {path.suffix or 'a file without an ending'}")
    for where, row in reader(text, question, answer):
        for column in (question, answer):
            if not isinstance(row.get(column), str) or not row[column].strip():
                raise ValueError(f"{path.name}, {where}: no text in {column!r}")
        yield where, row[question], row[answer]


def _csv(text: str, question: str, answer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [column for column in (question, answer) if column not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"the first line names no column {missing[0]!r}; it has {', '.join(reader.fieldnames or ()) or 'none'}")
    for row in reader:
        yield f"line {reader.line_num}", row


def _json(text: str, question: str, answer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    whole = _decoded(text, "the file")
    if isinstance(whole, dict):
        whole = [{question: asked, answer: given} for asked, given in whole.items()]
    if not isinstance(whole, list) or not all(isinstance(row, dict) for row in whole):
        raise ValueError("a JSON table is an object of questions and answers, or a list of objects")
    for index, row in enumerate(whole, 1):
        yield f"entry {index}", row


def _jsonl(text: str, _question: str, _answer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            row = _decoded(line, f"line {number}")
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no JSON object")
            yield f"line {number}", row


def _decoded(text: str, where: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise ValueError(f"{where} is not JSON") from None
