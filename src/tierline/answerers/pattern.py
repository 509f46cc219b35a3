"""A question's pattern: whether it is one that a source can answer, and what it names."""

from __future__ import annotations

from collections.abc import Mapping

import re2


class Pattern:
    """One RE2 pattern with named groups (linear time, whatever is asked)."""

    def __init__(self, pattern: str) -> None:
        self._compiled = re2.compile(pattern)

    def named(self, words: str) -> Mapping[str, str] | None:
        """What each group found, None where the words do not match; a group that took no part is left out."""
        match = self._compiled.search(words) if words else None
        return None if match is None else {name: value for name, value in match.groupdict().items() if value is not None}
