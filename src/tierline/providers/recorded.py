"""Answers that were recorded: a table of query × model → response and tokens, played back over the dialect `openai_chat`.

`endpoint.table` is a Parquet (needs the extra `analysis`), CSV or JSONL file with the columns query, model, response, input_tokens
and output_tokens. The rest, scores above all, is not kept, so nothing that decides can see it. `endpoint.script.models` lists the
models to load, by upstream name; all of them when it is left out, at about the size of their answers in memory.

A call is answered where the last user message is a recorded query of the model; where a query was recorded more than once, its first
row counts. Usage is what was recorded, so costs add up; limits like max_tokens do not shorten an answer. Anything else is a 404.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.providers import openai_upstream as upstream
from tierline.providers.canned import CannedReply, Sleep
from tierline.providers.inventions import words
from tierline.types.access import Endpoint
from tierline.types.errors import TierlineError
from tierline.types.wire import Call, Reply

COLUMNS = ("query", "model", "response", "input_tokens", "output_tokens")


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """One recorded answer and its tokens."""

    response: str
    input_tokens: int
    output_tokens: int


class RecordedProvider:
    """Plays back `endpoint.table`. Raises TierlineError when the table cannot be read or lacks a column."""

    def __init__(self, endpoint: Endpoint, *, sleep: Sleep = asyncio.sleep) -> None:
        self.name = endpoint.name
        self._where = f"providers.{endpoint.name}.table"
        self._answers = _load(_path(endpoint, self._where), _models(endpoint), self._where)
        self._sleep = sleep

    async def send(self, call: Call) -> Reply:
        """Answers one call: the recorded response, or a 404 that says what is not recorded."""
        try:
            asked = upstream.ask(call.body)
        except msgspec.DecodeError:
            return self._error(400, "the body is no request", "invalid_request")
        answers = self._answers.get(call.model.upstream)
        if answers is None:
            return self._error(404, f"the table has no model {call.model.upstream}", "model_not_found")
        recorded = answers.get(asked.prompt)
        if recorded is None:
            return self._error(404, f"the table has no answer of {call.model.upstream} to this query", "query_not_recorded")
        identity = hashlib.blake2b(f"{call.request_id}/{call.model.upstream}".encode(), digest_size=12).hexdigest()
        said = upstream.Said(
            id=f"chatcmpl-{identity}",
            model=call.model.upstream,
            pieces=words(recorded.response) if call.stream else (recorded.response,),
            input_tokens=recorded.input_tokens,
            output_tokens=recorded.output_tokens,
        )
        if not call.stream:
            return CannedReply([upstream.whole(said)], sleep=self._sleep)
        events = upstream.events(said, usage=asked.wants_usage)
        return CannedReply(events, sleep=self._sleep, headers={"content-type": "text/event-stream"})

    async def close(self) -> None:
        """Nothing is open."""

    def _error(self, status: int, message: str, code: str) -> Reply:
        return CannedReply([upstream.error(message, "invalid_request_error", code)], sleep=self._sleep, status=status)


def _path(endpoint: Endpoint, where: str) -> Path:
    if not endpoint.table:
        raise TierlineError(f"{where}: name the file with the recorded answers")
    path = Path(endpoint.table)
    if not path.is_file():
        raise TierlineError(f"{where}: there is no file {path}")
    return path


def _models(endpoint: Endpoint) -> frozenset[str]:
    """The models to load; empty: all."""
    given = endpoint.script.get("models", ())
    if not isinstance(given, (list, tuple, Mapping)):
        raise TierlineError(f"providers.{endpoint.name}.script.models: write a list of model names")
    return frozenset(map(str, given))


def _load(path: Path, models: frozenset[str], where: str) -> dict[str, dict[str, Recorded]]:
    readers = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl}
    read = readers.get(path.suffix.lower())
    if read is None:
        raise TierlineError(f"{where}: {path.name} is none of Parquet, CSV and JSONL ({', '.join(readers)})")
    answers: dict[str, dict[str, Recorded]] = {}
    known: dict[str, str] = {}  # the models answer the same queries: each query is kept once
    try:
        for query, model, response, input_tokens, output_tokens in read(path, models):
            row = Recorded(str(response or ""), int(float(input_tokens or 0)), int(float(output_tokens or 0)))
            answers.setdefault(str(model), {}).setdefault(known.setdefault(str(query), str(query)), row)
    except (OSError, ValueError, KeyError, csv.Error, msgspec.DecodeError) as fault:
        raise TierlineError(f"{where}: {path.name} cannot be read: {type(fault).__name__}: {str(fault)[:200]}") from fault
    if missing := models - answers.keys():
        raise TierlineError(f"{where}: {path.name} has no answers of {', '.join(sorted(missing))}")
    return answers


def _parquet(path: Path, models: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    try:
        import duckdb  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise TierlineError(
            f"reading {path.name} takes DuckDB: pip install 'tierline[analysis]', or give the table as CSV or JSONL"
        ) from None
    chosen = "where model in (select unnest(?))" if models else ""
    with duckdb.connect() as database:
        try:
            rows = database.execute(
                f"select {', '.join(COLUMNS)} from read_parquet(?) {chosen}",  # noqa: S608  # fixed words only
                [str(path), sorted(models)] if models else [str(path)],
            )
            while batch := rows.fetchmany(5000):
                yield from batch
        except duckdb.Error as fault:
            raise ValueError(str(fault).splitlines()[0]) from None


def _csv(path: Path, models: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from _rows(csv.DictReader(file), models)


def _jsonl(path: Path, models: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    with path.open("rb") as file:
        yield from _rows((decoder.decode(line) for line in file if line.strip()), models)


def _rows(rows: Iterable[Mapping[str, Any]], models: frozenset[str]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        if not models or str(row["model"]) in models:
            yield tuple([row[column] for column in COLUMNS])
