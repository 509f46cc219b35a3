"""What stands in the query of a panel's address."""

from __future__ import annotations

import math
import re
from urllib.parse import parse_qs

from tierline.types.errors import BadRequest

LONGEST = 200
"""Characters of one value."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


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

    def number(self, name: str, most: float = math.inf) -> float | None:
        """A number from 0 to `most`, None where none is given."""
        value = self.word(name)
        if name not in self._given:
            return None
        number = float(value) if _NUMBER.fullmatch(value) else math.nan
        if not (math.isfinite(number) and 0 <= number <= most):
            among = "from 0 on" if most == math.inf else f"from 0 to {most:,.0f}"
            raise BadRequest(f"{name}: a number {among}, not {value[:40]!r}", param=name)
        return number

    def count(self, name: str, standard: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        value = self.word(name)
        if name not in self._given:
            return standard
        if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= most:
            raise BadRequest(f"{name}: a number from 1 to {most}", param=name)
        return int(value)

    def place(self, name: str) -> int | None:
        """A whole number from 0 on, as rows of a log are numbered; None where none is given."""
        value = self.word(name)
        if name not in self._given:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) < 19):
            raise BadRequest(f"{name}: a whole number from 0 on", param=name)
        return int(value)

    def flag(self, name: str) -> bool:
        """1 for yes, 0 for no; no where it is not given."""
        value = self.word(name) if name in self._given else "0"
        if value not in ("0", "1"):
            raise BadRequest(f"{name}: 0 or 1", param=name)
        return value == "1"
