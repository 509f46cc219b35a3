"""Where a number came from is written so that it can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.estimate.source import KINDS, Source, read, written
from tierline.types.errors import EvaluationFailure

NOTES = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="\n"), max_size=20).map(str.strip)


@given(st.sampled_from(KINDS), st.integers(0, 10**9), st.booleans(), NOTES)
def test_what_is_written_is_read_again(kind: str, n: int, dated: bool, note: str) -> None:
    days = ("2026-10-01", "2026-10-31") if dated else ("", "")
    source = Source(kind, n, *days, note)  # type: ignore[arg-type]
    assert read(written(source), "sheet") == (source, 0.0)


def test_how_far_a_measured_amount_may_be_off_is_kept() -> None:
    assert read(written(Source("measured", 420), 0.021), "sheet") == (Source("measured", 420), 0.021)


def test_what_is_no_source_is_refused_with_what_one_looks_like() -> None:
    with pytest.raises(EvaluationFailure, match="row 3: 'hearsay' is no source: write measured n=420"):
        read("hearsay", "row 3")
