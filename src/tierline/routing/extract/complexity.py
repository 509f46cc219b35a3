"""How hard a request looks: a sum of named parts, each between nothing and its weight, cut to [0, 1].

Every part grows from 0 towards its weight as `n / (n + half)`: the first signs count most, and no part decides alone. How well the sum ranks
real questions, and where it is weak, stands in `docs/decisions/0003-complexity-score.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tierline.routing.extract.lexicon import FAMILIES
from tierline.routing.extract.structure import Structure
from tierline.types.features import Complexity

PARTS: Mapping[str, tuple[float, float]] = {
    "length": (0.16, 0.0),
    "reasoning": (0.26, 1.2),
    "maths": (0.30, 1.6),
    "formulas": (0.16, 2.0),
    "constraints": (0.22, 2.0),
    "depth": (0.26, 1.2),
    "steps": (0.14, 3.0),
    "code": (0.14, 0.0),
    "questions": (0.05, 2.0),
    "turns": (0.06, 8.0),
    "tools": (0.08, 4.0),
    "format": (0.05, 0.0),
    "context": (0.14, 0.0),
    "instructions": (0.06, 6.0),
    "options": (0.06, 0.0),
}
"""Part → its weight (the most it can add) and half (the count at which it has added half of it; 0 where the part has a scale of its own).

`length`: characters of what is judged, on a logarithmic scale from 60 to 3,000. `reasoning`, `maths`, `constraints`, `depth`, `steps`: words of those
families. `formulas`: TeX, and maths signs. `steps` counts list items too. `code`: code is there. `questions`: after the first. `turns`: the user's, after the
first. `tools`: tools that may be called, and results that came. `format`: JSON is asked for. `context`: tokens beside the words, on a logarithmic
scale from 1,000 to 100,000. `instructions`: constraints in the head of the system prompt. `options`: a multiple choice."""

SIMPLE = 0.6
"""A classification, an extraction or a short answer takes so many parts of what its words would add: one label is easier to give than to write about."""

_INDEX = {name: index for index, name in enumerate(FAMILIES)}
_REASONING, _MATHS, _CONSTRAINT, _STEPS, _DEPTH = (_INDEX[name] for name in ("reasoning", "maths", "constraint", "steps", "depth"))


def complexity(
    form: Structure,
    families: Sequence[int],
    system: Sequence[int],
    *,
    questions: int,
    turns: int,
    tools: int,
    structured: bool,
    context: float,
    simple: bool,
) -> Complexity:
    """The score and the parts that are not nothing, each rounded to four digits."""
    counts = {
        "length": _scale(form.chars, 60, 3_000),
        "reasoning": _share("reasoning", families[_REASONING]),
        "maths": _share("maths", families[_MATHS]),
        "formulas": _share("formulas", form.formulas + form.signs / 4),
        "constraints": _share("constraints", families[_CONSTRAINT]),
        "depth": _share("depth", families[_DEPTH]),
        "steps": _share("steps", families[_STEPS] + (0 if form.options >= 3 else form.items)),
        "code": float(form.code),
        "questions": _share("questions", questions - 1),
        "turns": _share("turns", turns - 1),
        "tools": _share("tools", tools),
        "format": float(structured),
        "context": _scale(context, 1_000, 100_000),
        "instructions": _share("instructions", system[_CONSTRAINT]),
        "options": float(form.options >= 3),
    }
    factor = SIMPLE if simple else 1.0
    parts = {name: round(PARTS[name][0] * share * factor, 4) for name, share in counts.items() if share > 0}
    return Complexity(min(round(sum(parts.values()), 4), 1.0), parts)


def _share(part: str, count: float) -> float:
    """n / (n + half), 0 for nothing."""
    return count / (count + PARTS[part][1]) if count > 0 else 0.0


def _scale(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, logarithmic between."""
    return 0.0 if value <= low else min(math.log(value / low) / math.log(high / low), 1.0)
