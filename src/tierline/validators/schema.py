"""`schema`: the answer holds JSON that a JSON Schema accepts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from tierline.config.answer_checks import SchemaCheck
from tierline.config.json_schemas import SchemaInvalid, compiled, read_schema
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.asked_schema import asked_schema
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.json_text import found_in
from tierline.validators.mend import mended, replacement

_SHOWN = 5
"""Mistakes that are told to the model."""
_LONGEST = 200


class Mistake(msgspec.Struct, frozen=True):
    """One thing a schema does not accept: `rule` is the schema's, `words` may quote the answer."""

    rule: str
    words: str


class Schema:
    """See `SchemaCheck`. With `request`, an answer to a client that asked for no schema passes."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(SchemaCheck)
        self.name = check.name
        self._repair = settings.repair
        self._validator: jsonschema_rs.Validator | None = None
        if isinstance(settings.schema, dict):
            self._validator = compiled(settings.schema)
        elif settings.schema != "request":
            self._validator = compiled(read_schema(loaded.path.parent / settings.schema))

    def check(self, exchange: Exchange) -> Finding:
        """Passes where any JSON of the answer is accepted, as it stands or mended."""
        if says_nothing(exchange):
            return NOTHING_SAID
        validator = self._validator
        if validator is None:
            schema = asked_schema(exchange.request)
            if schema is None:
                return Finding(True, "the client asked for no schema")
            try:
                validator = _compiled_once(msgspec.json.encode(schema))
            except SchemaInvalid:
                return Finding(True, "the client's schema cannot be read")
        return self._held_against(validator, exchange)

    def _held_against(self, validator: jsonschema_rs.Validator, exchange: Exchange) -> Finding:
        worst: Sequence[Mistake] | None = None
        for found in found_in(exchange.text):
            mistakes = mistakes_in(validator, found.value)
            if not mistakes:
                return Finding(True, replacement=replacement(exchange, found))
            worst = worst or mistakes
        if worst is not None:
            return self._refused(worst)
        better = mended(exchange) if self._repair else None
        if better is None:
            return Finding(False, "no JSON in the answer", feedback="Answer with JSON that can be parsed, and with nothing else.")
        mistakes = mistakes_in(validator, better.value)
        return self._refused(mistakes) if mistakes else Finding(True, "the JSON was mended", replacement=better.text)

    def _refused(self, mistakes: Sequence[Mistake]) -> Finding:
        """A schema of the spec may be named in the log, a client's is part of its request."""
        rules = dict.fromkeys(mistake.rule if self._validator is not None else mistake.rule.rpartition("/")[2] for mistake in mistakes)
        words = "\n".join(f"- {mistake.words}" for mistake in mistakes)
        return Finding(
            False, f"the schema refuses it: {', '.join(rules)}"[:_LONGEST], feedback=f"The JSON does not meet its schema:\n{words}"
        )


def mistakes_in(validator: jsonschema_rs.Validator, value: Any) -> list[Mistake]:
    """What a schema does not accept, at most the first few."""
    try:
        return [_mistake(error) for error in itertools.islice(validator.iter_errors(value), _SHOWN)]
    except (ValueError, RecursionError, OverflowError):
        return [Mistake("depth", "it nests too deeply, or holds a number that cannot be checked")]


def _mistake(error: jsonschema_rs.ValidationError) -> Mistake:
    keyword = type(error.kind).__name__
    rule = "/".join([*map(str, error.schema_path[:-1]), keyword])
    place = "/".join(map(str, error.instance_path))
    return Mistake(rule, f"at {place or 'the top'}: {error.message[:_LONGEST]}")


@lru_cache(maxsize=64)
def _compiled_once(schema: bytes) -> jsonschema_rs.Validator:
    """Clients send the same schema again and again; compiling one takes longer than using it."""
    return compiled(msgspec.json.decode(schema))
