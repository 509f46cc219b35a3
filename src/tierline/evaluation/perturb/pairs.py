"""A team's own pairs: a prompt, the same thing asked otherwise, and what kind of change it is.

    {"query_id": "q1", "perturbed": "where's my stuff", "kind": "slang"}
    {"query": "Where is my order?", "perturbed": "Wo ist meine Bestellung?", "kind": "German"}

JSONL or CSV. `query_id` or `query` says which query of the table it belongs to; `kind` may be left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.evaluation.table import Table
from tierline.types.errors import TierlineError

KIND = "pairs"
"""The name of pairs that give none."""


class PairsInvalid(TierlineError):
    """A file of pairs that cannot be used."""


class Pairs(msgspec.Struct, frozen=True):
    """Kind → the rows of the table and their other wordings, side by side; `unknown` counts pairs whose query the table has not."""

    kinds: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]
    unknown: int = 0


def read_pairs(path: Path, table: Table) -> Pairs:
    """The pairs of a file, found in the table; raises PairsInvalid."""
    by_id = {query: row for row, query in enumerate(table.query)}
    by_text = {text: row for row, text in enumerate(table.text or ())}
    kinds: dict[str, tuple[list[int], list[str]]] = {}
    unknown = 0
    for line, pair in _lines(path):
        words = pair.get("perturbed")
        if not isinstance(words, str) or not words.strip() or not (pair.get("query_id") or pair.get("query")):
            raise PairsInvalid(f"{path.name}:{line}: a pair has `query_id` or `query`, and `perturbed`")
        row = by_id.get(str(pair.get("query_id")), by_text.get(str(pair.get("query"))))
        if row is None:
            unknown += 1
            continue
        places, texts = kinds.setdefault(str(pair.get("kind") or KIND), ([], []))
        places.append(row)
        texts.append(words)
    if not kinds:
        raise PairsInvalid(f"{path.name}: none of its {unknown} pairs belongs to a query of the table")
    return Pairs({kind: (tuple(places), tuple(texts)) for kind, (places, texts) in kinds.items()}, unknown)


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not path.is_file():
        raise PairsInvalid(f"there is no file {path}")
    if path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            yield from ((reader.line_num, row) for row in reader)
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield number, msgspec.json.decode(line, type=dict[str, Any])
                except msgspec.DecodeError:
                    raise PairsInvalid(f"{path.name}:{number}: this is no JSON object") from None
