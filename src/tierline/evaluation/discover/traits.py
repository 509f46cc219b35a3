"""A request's features in words. No word of a prompt is among them."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.types.features import Features

Trait = tuple[str, str]
"""A field and what stands in it: `("operation", "extraction")`."""

WEIGHTS: Mapping[str, float] = {
    "task": 3.0, "prompt": 2.0, "operation": 1.0, "also": 0.5, "needs": 0.8, "language": 0.6, "signal": 0.8, "match": 0.8,
    "code": 0.7, "length": 0.5, "answer": 0.4, "turns": 0.4, "loop": 0.6, "difficulty": 0.3,
}  # fmt: skip
"""How much a field counts. A system prompt and a task nearly are a type; a length says little."""

BESIDE_WORDS = frozenset({"task", "prompt", "operation", "needs", "signal", "match", "code", "loop"})
"""Fields that count where words are kept: the words say the others better."""

LENGTHS = ((60, "a line"), (250, "a paragraph"), (1_000, "a page"), (4_000, "pages"), (30_000, "a long document"))
ANSWERS = ((60, "a word"), (300, "a paragraph"), (1_000, "a page"))
DIFFICULTIES = ((0.2, "easy"), (0.45, "middling"), (0.7, "hard"))
PROMPT_DIGITS = 8


def traits(features: Features, task: str) -> tuple[Trait, ...]:
    """What is known of a request, one trait a fact."""
    found: list[Trait] = [
        ("operation", features.operation),
        ("length", _band(features.input_tokens, LENGTHS, "a book")),
        ("answer", _band(features.output_tokens, ANSWERS, "pages")),
        ("turns", "one turn" if features.turns <= 1 else "a few turns" if features.turns <= 6 else "a long talk"),
        ("difficulty", _band(features.complexity.score, DIFFICULTIES, "very hard")),
    ]
    if task:
        found.append(("task", task))
    if features.prompt_fingerprint:
        found.append(("prompt", features.prompt_fingerprint[:PROMPT_DIGITS]))
    if features.language:
        found.append(("language", features.language))
    if features.code:
        found.append(("code", "code"))
    if features.tool_loop:
        found.append(("loop", "in a tool loop"))
    found += [("also", name) for name in features.operations if name != features.operation]
    found += [("needs", need) for need in features.needs if need != "chat"]
    found += [("signal", name) for name, count in features.signals.items() if count]
    found += [("match", name) for name, count in features.matches.items() if count]
    return tuple(sorted(found))


def said(trait: Trait) -> str:
    """A trait for people: `needs tools`, `system prompt 3f9a1c0b`."""
    field, value = trait
    forms = {
        "task": "task {}", "prompt": "system prompt {}", "also": "with {}", "needs": "needs {}", "signal": "signal {}",
        "match": "hints of {}", "length": "asks {}", "answer": "answer of {}",
    }  # fmt: skip
    return forms.get(field, "{}").format(value)


def _band(value: float, bands: tuple[tuple[float, str], ...], above: str) -> str:
    return next((name for most, name in bands if value <= most), above)
