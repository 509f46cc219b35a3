"""`json`: the answer holds JSON."""

from __future__ import annotations

from typing import Any

from tierline.config.answer_checks import JsonCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.json_text import found_in
from tierline.validators.mend import mended, replacement


class JsonValue:
    """See `JsonCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(JsonCheck)
        self.name = check.name
        self._wanted = settings.json
        self._repair = settings.repair

    def check(self, exchange: Exchange) -> Finding:
        """Passes where any JSON of the answer is of the wanted sort, as it stands or mended."""
        if says_nothing(exchange):
            return NOTHING_SAID
        other = False
        for found in found_in(exchange.text):
            if self._is_wanted(found.value):
                return Finding(True, replacement=replacement(exchange, found))
            other = True
        better = mended(exchange) if self._repair and not other else None
        if better is not None and self._is_wanted(better.value):
            return Finding(True, "the JSON was mended", replacement=better.text)
        detail = f"the JSON is no {self._wanted}" if other else "no JSON in the answer"
        wanted = "JSON" if self._wanted == "any" else f"a JSON {self._wanted}"
        return Finding(False, detail, feedback=f"Answer with {wanted} that can be parsed, and with nothing else.")

    def _is_wanted(self, value: Any) -> bool:
        return self._wanted == "any" or isinstance(value, dict if self._wanted == "object" else list)
