"""Changes to a prompt that change nothing of what is asked. Each is a function of the text and of chance, and chance follows from seed,
kind and text alone: the same prompt is changed in the same way wherever it stands.

    typos         about one letter in 25 is swapped, dropped, doubled or hit beside; digits and what stands in code fences stay
    case          all small letters, or all capitals; code fences stay
    whitespace    doubled spaces, line breaks before and behind, a tab at the head
    paraphrase    the words of a person around it: "Could you help me with this? …"
    boilerplate   what evaluation harnesses and prompt templates put around it: "### Instruction: … ### Response:"
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from tierline.types.errors import TierlineError

Change = Callable[[str, random.Random], str]

TYPO_EVERY = 25

_FENCE = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {
    letter: "".join(row[max(place - 1, 0) : place] + row[place + 1 : place + 2]) for row in _ROWS for place, letter in enumerate(row)
}

PARAPHRASES = (
    "Could you help me with this? {}",
    "I would like to know the following. {}",
    "{}\n\nThank you in advance!",
    "Hi, a quick one for you: {}",
    "My colleague and I were wondering about something. {} What would you say?",
    "Please have a look at this and tell me the answer. {}",
)
BOILERPLATE = (
    "### Instruction:\n{}\n\n### Response:\n",
    "Below is a question. Answer it as well as you can.\n\nQuestion: {}\nAnswer:",
    "Q: {}\nA: Let's think step by step.",
    "You are a helpful assistant.\n\nUser: {}\nAssistant:",
    "Answer the following. End your reply with a line that begins with `Answer:`.\n\n{}",
    "<|question|>\n{}\n<|end|>\n",
)


class UnknownPerturbation(TierlineError):
    """A kind of change that there is not."""


def perturbed(texts: Sequence[str], kind: str, seed: int) -> list[str]:
    """Every text, changed; raises UnknownPerturbation."""
    change = KINDS.get(kind)
    if change is None:
        raise UnknownPerturbation(f"{kind!r} is no built-in perturbation → {', '.join(KINDS)}")
    return [change(text, random.Random(f"{seed}/{kind}/{text}")) for text in texts]  # noqa: S311  # repeatable, not secret


def _typos(text: str, chance: random.Random) -> str:
    return _outside_code(text, lambda part: _mistyped(part, chance))


def _mistyped(text: str, chance: random.Random) -> str:
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    if not letters:
        return text
    count = max(len(letters) // TYPO_EVERY, 1)
    chars = list(text)
    for place in chance.sample(letters, count):
        chars[place] = _slip(text, place, chance)
    return "".join(chars)


def _slip(text: str, place: int, chance: random.Random) -> str:
    """What one mistyped letter becomes."""
    letter = text[place]
    beside = _BESIDE.get(letter.lower(), "")
    slips = [letter * 2, "", *([chance.choice(beside)] if beside else [])]
    if place + 1 < len(text) and text[place + 1].isalpha():
        slips.append(text[place + 1] + letter)
    return chance.choice(slips)


def _case(text: str, chance: random.Random) -> str:
    change = str.lower if chance.random() < 0.5 else str.upper
    return _outside_code(text, change)


def _whitespace(text: str, chance: random.Random) -> str:
    spaced = re.sub(r"(?<=\S) (?=\S)", lambda found: "  " if chance.random() < 0.3 else found.group(), text)
    return "\n" * chance.randint(0, 2) + ("\t" if chance.random() < 0.3 else " ") + spaced + " " + "\n" * chance.randint(1, 3)


def _paraphrase(text: str, chance: random.Random) -> str:
    return chance.choice(PARAPHRASES).replace("{}", text)


def _boilerplate(text: str, chance: random.Random) -> str:
    return chance.choice(BOILERPLATE).replace("{}", text)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """The change everywhere but inside code fences."""
    return "".join(part if part.startswith("```") else change(part) for part in _FENCE.split(text))


KINDS: Mapping[str, Change] = {
    "typos": _typos,
    "case": _case,
    "whitespace": _whitespace,
    "paraphrase": _paraphrase,
    "boilerplate": _boilerplate,
}
"""The built-in perturbations, in the order in which they are shown."""
