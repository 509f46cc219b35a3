"""Facts of a text's form: what it looks like, how its numbers and sentences run, and which kinds of plain words it uses.

The first `OLDEST` are about between 0 and 1, the others counts. The first are those of the first layout of artifacts; further ones
are only ever added at the end."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tierline.scoring.learned.grams import clipped

OLDEST = 12
"""Facts of the first layout."""

_KINDS: tuple[str, ...] = (
    "one two three four five six seven eight nine ten eleven twelve dozen twenty thirty hundred thousand fourth",
    "each every per",
    "if then when after before",
    "more less fewer than times as",
    "half third quarter fraction ratio twice double triple",
    "hour hours minute minutes day days week weeks month months year years second seconds",
    "total all together altogether combined",
    "left remain remaining rest still",
    "average mean rate speed mph interest profit discount increase decrease",
)
_KIND: Mapping[str, int] = {word: kind for kind, words in enumerate(_KINDS) for word in words.split()}
_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d*)?")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_NAME = re.compile(r"\b[A-Z][a-z]+")
_MOST_NUMBERS = 64
_SIGNS = (40, 41, 42, 43, 45, 47, 60, 61, 62, 91, 93, 94, 123, 125)

FORM = OLDEST + len(_KINDS) + 8 + 8


def form(text: str) -> NDArray[np.float32]:
    """The facts of a text, shaped (FORM,)."""
    read = clipped(text)
    lower = read.lower()
    return np.array([*_marks(text, read), *_kinds(_WORD.findall(lower)), *_numbers(read, lower), *_shape(read, lower)], dtype=np.float32)


def _marks(text: str, read: str) -> list[float]:
    """Length, words, lines, questions, digits, capitals, marks, brackets and operators, quoted code, TeX, options of a multiple choice,
    letters beyond ASCII."""
    size = max(len(read), 1)
    raw = read.encode("utf-8", "surrogatepass")
    counts = np.bincount(np.frombuffer(raw, dtype=np.uint8), minlength=256).tolist()
    words, lines = counts[32] + counts[10] + 1, counts[10] + 1
    signs = sum(map(counts.__getitem__, _SIGNS))
    return [
        math.log1p(len(text)) / 9.0,
        math.log1p(words) / 7.0,
        math.log1p(lines) / 5.0,
        min(counts[63], 5) / 5.0,
        min(1.0, 5.0 * sum(counts[48:58]) / size),
        min(1.0, 5.0 * sum(counts[65:91]) / size),
        min(1.0, 10.0 * sum(counts[33:48]) / size),
        min(1.0, 10.0 * signs / size),
        float("```" in read or "def " in read or "assert " in read),
        min(1.0, counts[92] / 10.0 + counts[36] / 10.0),
        float("A)" in read or "A." in read or "(A" in read),
        min(1.0, 2.0 * (len(raw) - sum(counts[:128])) / size),
    ]


def _kinds(words: list[str]) -> list[int]:
    """How many words there are of each kind."""
    counts = [0] * len(_KINDS)
    for kind in map(_KIND.get, words):
        if kind is not None:
            counts[kind] += 1
    return counts


def _numbers(read: str, lower: str) -> list[float]:
    """How many numbers, how many different ones, the largest, their mean, how many with decimals, percents, slashes, sums of money."""
    found = _NUMBER.findall(read)[:_MOST_NUMBERS]
    values = [float(number.replace(",", "")[:12]) for number in found] or [0.0]
    return [
        len(found),
        len(set(found)),
        math.log1p(max(values)),
        math.log1p(sum(values) / len(values)),
        sum(value != int(value) for value in values),
        read.count("%") + lower.count("percent"),
        read.count("/"),
        read.count("$"),
    ]


def _shape(read: str, lower: str) -> list[float]:
    """Sentences, words a sentence, commas, names, questions, length of words, different ones of them, those of the last sentence."""
    words = lower.split()
    many = max(len(words), 1)
    sentences = max(len(_SENTENCE.findall(read)), 1)
    return [
        sentences,
        many / sentences,
        read.count(","),
        len(_NAME.findall(read)),
        read.count("?"),
        sum(map(len, words)) / many,
        len(set(words)) / many,
        len(set(_WORD.findall(lower.rpartition(".")[2]))),
    ]
