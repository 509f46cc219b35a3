"""What was paid for, on disk at once: an append-only JSONL file beside the table, a line for each answer and each grade.

A line is written in one piece; a process that dies in the middle of one leaves a last line without its end, which the next run cuts off.
A later line about the same cell takes the place of an earlier one, but what both cost was spent.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import msgspec

from tierline.types.errors import TierlineError


class JournalUnreadable(TierlineError):
    """A journal with a line that is none of its own."""


class AnswerLine(msgspec.Struct, frozen=True, tag="answer", omit_defaults=True):
    """One cell's answer, or why there is none (`error`). `prompt` and `model_print` are the digests of what was asked and of who was asked;
    `body` is the whole answer in OpenAI's form; seconds and USD; `at` in Unix seconds."""

    query_id: str
    prompt: str
    model: str
    model_print: str
    at: float
    response: str = ""
    body: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    latency: float = 0.0
    finish: str = ""
    error: str = ""
    detail: str = ""
    calls: int = 1


class GradeLine(msgspec.Struct, frozen=True, tag="grade", omit_defaults=True):
    """One cell's grade, in [0, 1], or None and why (`detail`). `answered` is the digest of the answer that was graded, `grader` that of
    what it was graded by."""

    query_id: str
    model: str
    answered: str
    grader: str
    score: float | None = None
    detail: str = ""
    cost_usd: float = 0.0


Line = AnswerLine | GradeLine
Cell = tuple[str, str]
"""Query id and model name."""

_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


class Journal:
    """The lines of one collection. `answers` and `grades` hold the last line of each cell, `spent` the USD of every line there ever was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[Cell, AnswerLine] = {}
        self.grades: dict[Cell, GradeLine] = {}
        self.spent = 0.0
        self._size = self._read()

    def __enter__(self) -> Journal:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, self._size)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def add(self, line: Line) -> None:
        """Write a line; it is with the operating system when this returns."""
        left = memoryview(_encode(line) + b"\n")
        while left:
            left = left[os.write(self._file, left) :]
        self._keep(line)

    def _read(self) -> int:
        """Take in what is there; returns the bytes that are whole lines."""
        if not self.path.exists():
            return 0
        size = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    self._keep(_decode(line))
                except msgspec.DecodeError:
                    raise JournalUnreadable(f"{self.path}:{number} is no line of a journal → move the file away to begin anew") from None
                size += len(line)
        return size

    def _keep(self, line: Line) -> None:
        self.spent += line.cost_usd
        if isinstance(line, AnswerLine):
            self.answers[line.query_id, line.model] = line
        else:
            self.grades[line.query_id, line.model] = line
