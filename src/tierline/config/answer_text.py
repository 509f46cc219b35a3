"""The words of an answer with places for values: `Order {id} is {status}.` A brace that is meant is doubled.

Only names stand in braces: no attribute, index, conversion or format, so a template reaches nothing but the values it is given.
"""

from __future__ import annotations

import string
from collections.abc import Mapping


def names(template: str) -> tuple[str, ...]:
    """The names that it uses, each once; raises ValueError for anything else in braces."""
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{error}; write {{name}}, and {{{{ for a brace that is meant") from None
    found = [(field, form, conversion) for _, field, form, conversion in pieces if field is not None]
    for field, form, conversion in found:
        if not field.isidentifier() or form or conversion:
            raise ValueError(f"{{{field}}} is no plain name: write {{name}}, without formats, attributes or indices")
    return tuple(dict.fromkeys([field for field, _, _ in found]))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The words with their values; raises KeyError for a name that has none."""
    pieces = string.Formatter().parse(template)
    return "".join([literal + (values[field] if field is not None else "") for literal, field, _, _ in pieces])
