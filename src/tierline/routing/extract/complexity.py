"""How hard a request looks: a sum of named parts, each between nothing and its weight, cut to [0, 1].

Every part grows from 0 towards its weight as `n / (n + half)`: the first signs count most, and no part decides alone. How well the sum
ranks real questions, and where it is weak, stands in `docs/decisions/0003-complexity-score.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tierline.routing.extract.lexicon import FAMILIES
from tierline.routing.extract.structure import Structure
from tierline.types.features import Complexity

PARTS: Mapping[str, tuple[float, float]] = {
    "length": (0.18, 0.0),
    "reasoning": (0.26, 1.0),
    "proof": (0.34, 0.6),
    "maths": (0.3, 1.6),
    "formulas": (0.26, 1.5),
    "constraints": (0.24, 2.0),
    "depth": (0.3, 1.2),
    "technical": (0.18, 1.5),
    "steps": (0.16, 3.0),
    "code": (0.12, 0.0),
    "questions": (0.05, 2.0),
    "turns": (0.06, 8.0),
    "tools": (0.08, 4.0),
    "format": (0.05, 0.0),
    "context": (0.14, 0.0),
    "instructions": (0.06, 6.0),
    "options": (0.06, 0.0),
}
"""Part → its weight (the most it can add) and half (the count at which it has added half of it; 0 where the part has a scale of its own).

`length`: characters of what is judged, on a logarithmic scale from 60 to 3,000. `reasoning`, `maths`, `constraints`, `depth`, `steps`:
words of those families. `formulas`: TeX, and maths signs. `steps` counts list items too. `code`: code is there. `questions`: after the
first. `turns`: the user's, after the first. `tools`: tools that may be called, and results that came. `format`: JSON is asked for.
`context`: tokens beside the words, on a logarithmic scale from 1,000 to 100,000. `instructions`: constraints in the head of the system
prompt. `options`: a multiple choice."""

SIMPLE = 0.6
"""A classification, an extraction or a short answer takes so many parts of what its words would add: one label is easier to give than to
write about."""

_INDEX = {name: index for index, name in enumerate(FAMILIES)}
_REASONING, _MATHS, _CONSTRAINT, _STEPS, _DEPTH, _TECHNICAL, _PROOF = (
    _INDEX[name] for name in ("reasoning", "maths", "constraint", "steps", "depth", "technical", "proof")
)


SHORTEST, LONGEST = 60, 3_000
LEAST_CONTEXT, MOST_CONTEXT = 1_000, 100_000
_LENGTH_SPAN, _CONTEXT_SPAN = math.log(LONGEST / SHORTEST), math.log(MOST_CONTEXT / LEAST_CONTEXT)

_AT_MOST = 64


def _table(name: str, factor: float) -> tuple[float, ...]:
    """What a part adds for each count up to 64, beyond which it hardly grows."""
    weight, half = PARTS[name]
    return tuple(round(weight * factor * count / (count + half), 3) if count else 0.0 for count in range(_AT_MOST + 1))


_COUNTED = (
    "reasoning", "proof", "maths", "formulas", "constraints", "depth", "technical", "steps", "questions", "turns", "tools", "instructions",
)  # fmt: skip
_FACTORS = {False: 1.0, True: SIMPLE}
_TABLES = {simple: tuple(_table(name, factor) for name in _COUNTED) for simple, factor in _FACTORS.items()}
_MOST = {simple: {name: weight * factor for name, (weight, _) in PARTS.items()} for simple, factor in _FACTORS.items()}


def complexity(
    form: Structure,
    families: Sequence[int],
    system: Sequence[int],
    questions: int,
    turns: int,
    tools: int,
    context: float,
    *,
    structured: bool,
    simple: bool,
) -> Complexity:
    """The score and the parts that are not nothing, each rounded to three digits."""
    counts = (
        families[_REASONING],
        families[_PROOF],
        families[_MATHS],
        form.formulas + form.signs // 4,
        families[_CONSTRAINT],
        families[_DEPTH],
        families[_TECHNICAL],
        families[_STEPS] + (0 if form.options else form.items),
        questions - 1,
        turns - 1,
        tools,
        system[_CONSTRAINT],
    )
    parts: dict[str, float] = {}
    for name, table, count in zip(_COUNTED, _TABLES[simple], counts, strict=True):
        if count > 0:
            parts[name] = table[count if count < _AT_MOST else _AT_MOST]
    most = _MOST[simple]
    if form.chars > SHORTEST:
        _add(parts, "length", most["length"], math.log(form.chars / SHORTEST) / _LENGTH_SPAN)
    if context > LEAST_CONTEXT:
        _add(parts, "context", most["context"], math.log(context / LEAST_CONTEXT) / _CONTEXT_SPAN)
    if form.code:
        _add(parts, "code", most["code"])
    if structured:
        _add(parts, "format", most["format"])
    if form.options:
        _add(parts, "options", most["options"])
    score = _rounded(sum(parts.values()))
    return Complexity(score if score < 1 else 1.0, parts)


def _add(parts: dict[str, float], name: str, most: float, share: float = 1.0) -> None:
    """Adds a part that has a scale of its own, unless it is nothing."""
    if value := _rounded(most * share if share < 1 else most):
        parts[name] = value


def _rounded(value: float) -> float:
    """`round(value, 3)`, without its way through decimal digits."""
    return round(value * 1_000) / 1_000
