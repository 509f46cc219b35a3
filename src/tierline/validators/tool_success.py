"""`tool_success`: the tools that the model called did not fail, as the client reports it."""

from __future__ import annotations

from tierline.config.answer_checks import ToolSuccessCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.ladder import last_models


class ToolSuccess:
    """See `ToolSuccessCheck`. Answers of the last model pass: there is nobody to climb to."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(ToolSuccessCheck).tool_success
        self._believed = last_models(check, loaded)

    def check(self, exchange: Exchange) -> Finding:
        """Counts the failed results at the end of the conversation."""
        failed = exchange.features.tool_failures
        if failed < self._limit:
            return Finding(True)
        said = f"{failed} failed tool results, at the limit of {self._limit}"
        if exchange.model in self._believed:
            return Finding(True, f"{said}; the last model goes on")
        return Finding(False, said, feedback=f"{failed} of your last tool calls failed. Try another way.")
