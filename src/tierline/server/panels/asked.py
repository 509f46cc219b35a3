"""What stands in the query of a panel's address."""

from __future__ import annotations

import math
from urllib.parse import parse_qs

from tierline.types.errors import BadRequest

LONGEST = 200
"""Characters of one value."""


class Asked:
    """The query of one request. Raises BadRequest where a value is not what it should be."""

    def __init__(self, query: str) -> None:
        self._given = parse_qs(query, keep_blank_values=True)

    def word(self, name: str) -> str:
        """A word, empty where none is given."""
        value = self._given.get(name, [""])[-1]
        if len(value) > LONGEST:
            raise BadRequest(f"{name}: at most {LONGEST} characters", param=name)
        return value

    def number(self, name: str) -> float | None:
        """A number, None where none is given."""
        value = self.word(name)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadRequest(f"{name}: a number, not {value[:40]!r}", param=name)
        return number

    def count(self, name: str, standard: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        value = self.word(name)
        if not value:
            return standard
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise BadRequest(f"{name}: a number from 1 to {most}", param=name)
        return int(value)

    def flag(self, name: str) -> bool:
        """Whether it is given, as anything but 0."""
        return self.word(name) not in ("", "0")
