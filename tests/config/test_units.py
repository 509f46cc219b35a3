"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.config.units import Duration, Size


@pytest.mark.parametrize(
    ("text", "seconds"), [("1500ms", 1.5), ("2s", 2), ("10m", 600), ("1h", 3600), ("30d", 2592000), ("1.5h", 5400), (3, 3), ("7", 7)]
)
def test_a_duration_is_read_in_seconds(text: object, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize("value", ["", "s", "-1s", "1 week", "1e3", True, None, -1, float("inf"), float("nan"), [1]])
def test_what_is_no_duration_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValueError, match="is no duration: write 1500ms, 2s"):
        Duration.parse(value)


@pytest.mark.parametrize(
    ("text", "count"), [("512KB", 524288), ("10MB", 10485760), ("1.5kb", 1536), ("1GB", 1 << 30), (99, 99), ("99", 99)]
)
def test_a_size_is_read_in_bytes(text: object, count: int) -> None:
    assert Size.parse(text) == count


@pytest.mark.parametrize("value", ["", "MB", "-1", "10 MiB", 1.5, True, None, -1])
def test_what_is_no_size_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValueError, match="is no size: write 512KB"):
        Size.parse(value)


@given(st.integers(0, 10**9))
def test_what_is_written_reads_the_same(count: int) -> None:
    assert Size.parse(Size(count).written()) == count
    assert Duration.parse(Duration(count).written()) == count
