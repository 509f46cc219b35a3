"""A record as a row, and back."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from decision_log.make_records import records, typical
from tierline.decision_log.codec import DROPS, WHYS, decode, encode, mended
from tierline.decision_log.schema import COLUMNS
from tierline.types.decision import Drop, Why
from tierline.types.record import Record

GOLDEN = Path(__file__).parent / "golden"


def row_of(record: Record) -> dict[str, object]:
    return dict(zip(COLUMNS, encode(record), strict=True))


@given(records)
@settings(max_examples=150, deadline=None)
def test_what_is_decoded_is_what_was_encoded(record: Record) -> None:
    assert decode(row_of(record)) == record


def test_every_reason_and_cause_of_a_drop_has_a_number() -> None:
    assert set(WHYS) == set(Why)
    assert set(DROPS) == set(Drop)


def test_columns_say_what_the_request_gave() -> None:
    row = row_of(typical())
    assert (row["model"], row["tier"], row["first_model"], row["task"]) == ("local", "fast", "mini", "order_extraction")
    assert (row["attempts"], row["fallbacks"], row["escalations"]) == (2, 1, 0)
    assert (row["cost"], row["input_tokens"], row["output_tokens"], row["cached_tokens"]) == (0.000412, 931, 151, 512)
    assert row["latency"] == pytest.approx(0.25 + 0.75 + 0.000131)
    assert row["ttft"] == pytest.approx(0.25 + 0.2112)


def stored(value: object) -> int:
    """Bytes that SQLite's record format takes for a value, with its entry in the row's header."""
    if isinstance(value, (str, bytearray)):
        size = len(value.encode() if isinstance(value, str) else value)
        return size + (1 if size < 58 else 2)
    if isinstance(value, float):
        return 9
    if value is None or value in (0, 1):
        return 1
    return 1 + next(size for size in (1, 2, 3, 4, 6, 8) if -(2 ** (8 * size - 1)) <= int(str(value)) < 2 ** (8 * size - 1))


def test_no_value_has_to_be_adapted_for_sqlite() -> None:
    assert {type(value) for value in encode(typical())} <= {int, float, str, bytearray, type(None)}


def test_a_row_holds_no_more_than_a_kilobyte() -> None:
    assert sum(map(stored, encode(typical()))) <= 1024


def test_a_record_with_values_that_have_no_stored_form_is_mended_and_the_rest_kept() -> None:
    broken = typical("half-\ud800", overhead=float("nan"))
    row = decode(row_of(mended(broken)))
    assert row.decision.request_id == "half-?"
    assert row.overhead == 0.0
    assert row.tried == broken.tried


@pytest.mark.parametrize("release", sorted(GOLDEN.glob("v*.jsonl")), ids=lambda path: path.stem)
def test_rows_of_every_release_decode_for_ever(release: Path) -> None:
    for line in release.read_text().splitlines():
        golden = json.loads(line)
        row = ADDED_SINCE | {
            name: base64.b64decode(value["base64"]) if isinstance(value, dict) else value for name, value in golden["row"].items()
        }
        assert holds(msgspec.to_builtins(decode(row)), golden["record"])


ADDED_SINCE = {"answered": "", "asides": None}
"""Columns that a migration has added, with the value it gives to the rows of earlier releases."""


def holds(found: object, golden: object) -> bool:
    """Everything the golden value says is in what was found; later releases may add to it."""
    if isinstance(golden, dict):
        return isinstance(found, dict) and all(name in found and holds(found[name], value) for name, value in golden.items())
    if isinstance(golden, list):
        return isinstance(found, (list, tuple)) and len(found) >= len(golden) and all(map(holds, found, golden))
    return found == golden
