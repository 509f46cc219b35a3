"""Whose prompts and answers are kept."""

from __future__ import annotations

import pytest

from tierline.gateway.texts import share


@pytest.mark.parametrize(("written", "kept"), [("none", 0.0), ("all", 1.0), ("flagged", 1.0), ("sample 0.01", 0.01), ("sample  1", 1.0)])
def test_a_share_is_read(written: str, kept: float) -> None:
    assert share(written) == kept


@pytest.mark.parametrize("written", ["", "some", "sample", "sample 2", "sample -1", "sample x"])
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"sample|convert"):
        share(written)
