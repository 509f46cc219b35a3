"""A team's own prompts, from JSONL, CSV or Parquet.

    {"prompt": "What is 6 × 7?", "reference": "42", "task": "sums", "id": "s1"}
    {"messages": [{"role": "system", "content": "Sort the ticket."}, {"role": "user", "content": "My chain broke."}]}

Each row has `prompt` (or `query`, as in a finished table) or `messages`, in OpenAI's form; in CSV these are JSON text. `system`, `task`,
`reference`, `dataset` and `id` (or `query_id`) may be left out: a prompt without an id is known by its own digest.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.types.errors import TierlineError

COLUMNS = ("id", "query_id", "prompt", "query", "messages", "system", "task", "reference", "dataset")
_SHOWN = 10


class PromptsInvalid(TierlineError):
    """A file of prompts that cannot be used: what is wrong, by line."""


class Prompt(msgspec.Struct, frozen=True):
    """One prompt. `messages` as OpenAI's API takes them; `text` the words of the last message from the user; `reference` the right answer,
    None where none is given; `digest` follows from the messages alone."""

    id: str
    messages: tuple[Mapping[str, Any], ...]
    text: str
    digest: str
    task: str = ""
    reference: str | None = None
    dataset: str = ""


class Prompts(msgspec.Struct, frozen=True):
    """The prompts of a file in its order, and the names of columns that nobody read."""

    rows: tuple[Prompt, ...]
    ignored: tuple[str, ...] = ()


def read_prompts(path: Path) -> Prompts:
    """Every prompt of the file; raises PromptsInvalid with all that is wrong, by line."""
    if not path.is_file():
        raise PromptsInvalid(f"there is no file {path}")
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise PromptsInvalid(f"{path.name} is none of JSONL, CSV and Parquet ({', '.join(readers)})")
    try:
        return prompts_of(read(path), path.name)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise PromptsInvalid(f"{path.name} cannot be read: {type(fault).__name__}: {fault}") from None


def prompts_of(rows: Iterable[tuple[int, Mapping[str, Any] | None]], name: str) -> Prompts:
    """The prompts of rows with their line numbers (None: the line is no JSON object); `name` is how messages call the source."""
    found: dict[str, tuple[int, Prompt]] = {}
    problems: list[str] = []
    unknown: set[str] = set()
    for line, row in rows:
        try:
            prompt = _prompt(row)
        except ValueError as fault:
            problems.append(f"{name}:{line}: {fault}")
            continue
        unknown.update(set(row or ()) - set(COLUMNS))
        if prompt.id in found:
            problems.append(
                f"{name}:{line}: {prompt.id!r} stands on line {found[prompt.id][0]} too → give each its own id, or leave one out"
            )
            continue
        found[prompt.id] = (line, prompt)
    if not found and not problems:
        problems.append(f"{name}: there are no prompts in it")
    if problems:
        more = f"\n… and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise PromptsInvalid("\n".join(problems[:_SHOWN]) + more)
    return Prompts(tuple(prompt for _, prompt in found.values()), tuple(sorted(unknown)))


def _prompt(row: Mapping[str, Any] | None) -> Prompt:
    """One row; raises ValueError saying what is wrong with it."""
    if row is None:
        raise ValueError("this is no JSON object")
    messages = _messages(row)
    digest = hashlib.sha256(msgspec.json.encode(messages, order="deterministic")).hexdigest()[:12]
    text = next((_words(message) for message in reversed(messages) if message.get("role") == "user"), "")
    if not text.strip():
        raise ValueError("there are no words of the user in it")
    return Prompt(
        id=_text(row, "id") or _text(row, "query_id") or digest,
        messages=messages,
        text=text,
        digest=digest,
        task=_text(row, "task"),
        reference=_text(row, "reference") or None,
        dataset=_text(row, "dataset"),
    )


def _messages(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    given = row.get("messages")
    if isinstance(given, str) and given.strip():
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError:
            raise ValueError("`messages` is no JSON") from None
    if given:
        if not isinstance(given, Sequence) or not all(isinstance(message, Mapping) and "role" in message for message in given):
            raise ValueError("`messages` is no list of objects with role and content")
        return tuple({key: value for key, value in message.items() if value is not None} for message in given)
    words = _text(row, "prompt") or _text(row, "query")
    if not words.strip():
        raise ValueError("it has neither `prompt` nor `messages`")
    system = _text(row, "system")
    before = ({"role": "system", "content": system},) if system else ()
    return (*before, {"role": "user", "content": words})


def _words(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                row = None
            yield number, row if isinstance(row, dict) else None


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, {name: value for name, value in row.items() if name is not None}


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        import duckdb  # an optional extra  # noqa: PLC0415
    except ImportError:
        raise PromptsInvalid(f"reading {path.name} takes DuckDB: install `tierline[analysis]`, or give the prompts as JSONL") from None
    with duckdb.connect() as database:
        try:
            found = database.execute("select * from read_parquet(?)", [str(path)])
            names = [column[0] for column in found.description]
            for number, row in enumerate(iter(found.fetchone, None), 1):
                yield number, dict(zip(names, row, strict=True))
        except duckdb.Error as fault:
            raise PromptsInvalid(f"{path.name} cannot be read: {str(fault).splitlines()[0]}") from None
