"""`tools`: the answer's tool calls name declared tools, with arguments that their schemas accept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import jsonschema_rs
import msgspec

from tierline.config.answer_checks import ToolsCheck
from tierline.config.json_schemas import SchemaInvalid, compiled
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.conversation import ToolCall
from tierline.types.outcome import Finding
from tierline.types.request import Tool
from tierline.validators.schema import mistakes_in

_NO_SCHEMA = (b"", b"{}", b"null")
_NO_CALL = ("", "auto", "none")


class Tools:
    """See `ToolsCheck`. Tools that the provider runs by itself are not looked at."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._required = check.read(ToolsCheck).tools == "required"

    def check(self, exchange: Exchange) -> Finding:
        """Looks at every call of every choice."""
        declared = {tool.name: tool for tool in exchange.request.tools}
        calls = [part for choice in exchange.answer.choices for part in choice.parts if isinstance(part, ToolCall)]
        if not calls:
            return self._none_came(exchange, declared)
        for number, call in enumerate(calls, 1):
            wrong = _wrong(call, declared)
            if wrong is not None:
                detail, feedback = wrong
                return Finding(False, f"call {number} of {len(calls)}: {detail}", feedback=feedback)
        return Finding(True)

    def _none_came(self, exchange: Exchange, declared: Mapping[str, Tool]) -> Finding:
        wanted = exchange.request.params.tool_choice not in _NO_CALL
        if not declared or not (wanted or self._required):
            return Finding(True)
        detail = "the client requires a tool call, and none came" if wanted else "no tool call came"
        return Finding(False, detail, feedback="Call one of the tools instead of answering in words.")


def _wrong(call: ToolCall, declared: Mapping[str, Tool]) -> tuple[str, str] | None:
    """What is wrong with a call: for the log, and for the model."""
    tool = declared.get(call.name)
    if tool is None:
        known = ", ".join(sorted(declared)) or "none"
        return "no such tool is declared", f"There is no tool {call.name[:80]!r}; the tools are: {known}."
    if tool.parameters in _NO_SCHEMA:
        return None
    try:
        arguments = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return "its arguments are not JSON", f"The arguments of {call.name} are not JSON."
    validator = _compiled_once(tool.parameters)
    mistakes = mistakes_in(validator, arguments) if validator is not None else []
    if not mistakes:
        return None
    words = "\n".join(f"- {mistake.words}" for mistake in mistakes)
    rule = mistakes[0].rule.rpartition("/")[2]
    return f"its arguments do not meet the tool's schema ({rule})", f"The arguments of {call.name} do not meet its schema:\n{words}"


@lru_cache(maxsize=256)
def _compiled_once(parameters: bytes) -> jsonschema_rs.Validator | None:
    """A tool's schema, ready to use; None where a client sent something that is none."""
    try:
        return compiled(msgspec.json.decode(parameters))
    except (SchemaInvalid, msgspec.DecodeError, RecursionError):
        return None
