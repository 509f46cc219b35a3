"""`fields`: the answer's JSON has certain fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tierline.config.answer_checks import FieldsCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.json_text import values_in

_NAMED = 5


class Fields:
    """See `FieldsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(FieldsCheck)
        self.name = check.name
        self._paths = [(path, path.split(".")) for path in settings.fields]
        self._empty = settings.empty

    def check(self, exchange: Exchange) -> Finding:
        """Passes where any object or list of the answer has all of them."""
        if says_nothing(exchange):
            return NOTHING_SAID
        fewest: list[str] | None = None
        for value in values_in(exchange.text):
            if not isinstance(value, dict | list):
                continue
            missing = [path for path, parts in self._paths if not self._has(value, parts)]
            if not missing:
                return Finding(True)
            fewest = missing if fewest is None or len(missing) < len(fewest) else fewest
        if fewest is None:
            return Finding(
                False, "no JSON in the answer", feedback=f"Answer with JSON that has {_listed([path for path, _ in self._paths])}."
            )
        return Finding(False, f"missing: {_listed(fewest)}", feedback=f"These fields are missing or empty: {_listed(fewest)}.")

    def _has(self, value: Any, parts: Sequence[str]) -> bool:
        if not parts:
            return self._empty or value not in (None, "", [], {})
        name, rest = parts[0], parts[1:]
        if isinstance(value, dict):
            return name in value and self._has(value[name], rest)
        if not isinstance(value, list):
            return False
        if name == "*":
            return bool(value) and all(self._has(item, rest) for item in value)
        return name.isascii() and name.isdigit() and len(name) < 7 and int(name) < len(value) and self._has(value[int(name)], rest)


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + more
