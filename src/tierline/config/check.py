"""Does the spec make sense? Every check of meaning, in the order a reader would make them."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.case import Case
from tierline.types.catalog import Model


def examine(case: Case, models: Mapping[str, Model]) -> None:
    """Reports everything that has the right shape but no good meaning."""
