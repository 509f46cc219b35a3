"""Conditions in CEL: compiled once at load, evaluated many times, never able to run anything.

CEL is a small standard language without loops, side effects or I/O, and its regular expressions run in linear time. Names
an expression may use stand in `NAMES`; another name is an error at load, with the nearest one suggested.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

# The package imports its own command line (two seconds of it) unless the place is taken.
sys.modules.setdefault("cel.cli", types.ModuleType("cel.cli"))
import cel  # noqa: E402  # must follow the line above

from tierline.config import cel_syntax  # noqa: E402

NAMES: Mapping[str, str] = {
    "task": "the settled or scored task, '' while it is open",
    "route": "the route's name",
    "key": "the name of the API key",
    "team": "the key's team",
    "operation": "the leading kind of work: reasoning, synthesis, generation, classification, extraction or embedding",
    "operations": "every kind of work seen, a list",
    "input_tokens": "estimated tokens of the request",
    "output_tokens": "estimated tokens of the answer",
    "turns": "number of the user's turns",
    "questions": "number of questions asked in the last turn",
    "code": "true when the request holds code",
    "language": "ISO 639-1 code of the user's language, '' when unsure",
    "complexity": "the complexity score, 0 to 1",
    "needs": "a map capability → bool, e.g. needs.tools",
    "signals": "a map signal → count of hits",
    "sensitivity": "a map kind → bool, e.g. sensitivity.pii",
    "risk": "the risk that the client or the task declared",
    "user_tier": "the user's tier as the client gave it",
    "tags": "the client's tags, a list",
    "session": "the session id, '' without one",
    "tool_loop": "true when the model is to go on with the results of tools it asked for",
    "tool_failures": "how many tool results at the end of the conversation are marked as failed, one after another",
    "stream": "true when the client wants a stream",
    "prompt_fingerprint": "the digest of the system prompt",
}

_MACRO = re.compile(rf"\.\s*({'|'.join(sorted(cel_syntax.MACROS))})\s*\(")  # they bring variables of their own
_CHAIN = 16  # conditions joined into one program; longer chains meet the parser's depth limit


FAILURES = (LookupError, ArithmeticError, TypeError, ValueError, RuntimeError)
"""What an expression raises that cannot be evaluated: a missing member, an index out of bounds, an overflow, operands that do not fit."""


class ExpressionInvalid(ValueError):
    """An expression that does not parse, or that uses a name nobody knows (`unknown`, empty when it does not parse)."""

    def __init__(self, message: str, unknown: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.unknown = unknown


class Condition(msgspec.Struct, frozen=True):
    """One compiled condition and the names it reads."""

    source: str
    program: Any
    names: frozenset[str]

    @classmethod
    def compile(cls, source: str) -> Condition:
        """Raises ExpressionInvalid with the parser's own pointer to the place, or the unknown names."""
        try:
            program = cel.compile(source)
        except ValueError as error:
            raise ExpressionInvalid(str(error).removeprefix("Failed to parse expression ").strip()) from None
        syntax = cel_syntax.read(source) if _MACRO.search(source) else None
        names = frozenset(program.variables()) - (cel_syntax.bound(syntax) if syntax is not None else frozenset())
        unknown = tuple(sorted(names - NAMES.keys()))
        if unknown:
            raise ExpressionInvalid(f"unknown name{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}", unknown)
        return cls(source, program, names)

    def holds(self, values: dict[str, Any], *, on_error: bool = False) -> bool:
        """Whether it holds for these values, which name at least what it reads; `on_error` is the answer where it cannot be evaluated."""
        value = self.value(values)
        return on_error if value is None else value is True

    def value(self, values: dict[str, Any]) -> Any:
        """What it comes to for these values; None where it cannot be evaluated."""
        try:
            return self.program.execute(cel.Context(values))
        except FAILURES:
            return None


def members(sources: Iterable[str], name: str) -> frozenset[str] | None:
    """The members of a map that these expressions read, as in `needs.tools`; None where one uses the map as a whole.

    Only what is read need be put before an expression: a map is the dearest thing to hand over."""
    text = "\n".join(sources)
    read = re.findall(rf"\b{name}\.(\w+)\b(?!\()", text)
    return frozenset(read) if len(read) == len(re.findall(rf"\b{name}\b", text)) else None


class FirstMatch:
    """Many conditions, asked for the first that holds, in one evaluation for every sixteen of them."""

    __slots__ = ("_chunks", "conditions", "names")

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.names = frozenset().union(*(c.names for c in conditions))
        self._chunks = [
            (start, cel.compile(_chain(self.conditions[start : start + _CHAIN]))) for start in range(0, len(conditions), _CHAIN)
        ]

    def __call__(self, values: dict[str, Any]) -> int:
        """The index of the first condition that holds for these values, -1 if none does. One that cannot be evaluated does not hold."""
        if not self._chunks:
            return -1
        context = cel.Context(values)
        for start, program in self._chunks:
            try:
                found = program.execute(context)
            except FAILURES:
                found = self._one_by_one(start, context)
            if found >= 0:
                return start + int(found)
        return -1

    def _one_by_one(self, start: int, context: Any) -> int:
        for index, condition in enumerate(self.conditions[start : start + _CHAIN]):
            try:
                if condition.program.execute(context) is True:
                    return index
            except FAILURES:
                continue
        return -1


def _chain(conditions: Sequence[Condition]) -> str:
    """`a ? 0 : (b ? 1 : (-1))`: the first that holds, as one expression."""
    source = "-1"
    for index in range(len(conditions) - 1, -1, -1):
        source = f"({conditions[index].source}) ? {index} : ({source})"
    return source
