"""Secrets and keys: what issuers mark with letters of their own, private keys, and whatever is assigned to a name like `password`.

Each pattern is tried only where the letters stand that it cannot do without: looking for those is some hundred times cheaper.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from ahocorasick_rs import AhoCorasick

_ALONE = r"(?<![A-Za-z0-9])"
_PEM = r"[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
_MARKED: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    [
        (marks, re.compile(pattern))
        for marks, pattern in (
            (("AKIA", "ASIA", "AROA", "AIDA", "ABIA", "ACCA"), _ALONE + r"A(?:KI|SI|RO|ID|BI|CC)A[A-Z0-9]{16}(?![A-Za-z0-9])"),
            (("sk-",), _ALONE + r"sk-(?:[a-z]{2,10}\d{0,2}-){0,2}(?=[A-Za-z0-9_\-]{0,60}\d)[A-Za-z0-9_\-]{20,200}"),
            (("sk_", "rk_", "pk_live_"), _ALONE + r"(?:[sr]k_(?:live|test)|pk_live)_[A-Za-z0-9]{16,200}"),
            (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _ALONE + r"gh[pousr]_[A-Za-z0-9]{36,255}"),
            (("github_pat_",), r"github_pat_[A-Za-z0-9_]{22,255}"),
            (("glpat-",), _ALONE + r"glpat-[A-Za-z0-9_\-]{20,64}"),
            (("xox",), _ALONE + r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}"),
            (("AIza",), _ALONE + r"AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
            (("ya29.",), _ALONE + r"ya29\.[A-Za-z0-9_\-]{20,400}"),
            (("hf_",), _ALONE + r"hf_[A-Za-z0-9]{30,64}(?![A-Za-z0-9])"),
            (("npm_",), _ALONE + r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
            (("pypi-",), r"pypi-AgEI[A-Za-z0-9_\-]{50,400}"),
            (("SG.",), _ALONE + r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{32,64}"),
            (("dop_v1_", "shpat_"), r"dop_v1_[a-f0-9]{64}|shpat_[a-fA-F0-9]{32}"),
            (("AccountKey=",), r"(?<=AccountKey=)[A-Za-z0-9+/]{86}=="),
            (("tl_",), _ALONE + r"tl_[A-Za-z0-9_\-]{20,200}"),
            (("eyJ",), r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,4000}\.eyJ[A-Za-z0-9_\-]{8,8000}\.[A-Za-z0-9_\-]{0,2000}"),
            (("PRIVATE KEY",), rf"-----BEGIN {_PEM}[^\x00]{{0,20000}}?(?:-----END {_PEM}|(?=\n?\x00)|\Z)"),
            (("://",), r"(?<=://)[^\s:/@\x00\"'<>]{1,80}:(?!\$\{|<|\*+@)[^\s@/\x00\"'<>]{3,120}(?=@)"),
            (("earer ",), r"(?<=[Bb]earer )(?=[A-Za-z0-9_\-.~+/]{0,80}\d)[A-Za-z0-9_\-.~+/]{20,2000}=*"),
        )
    ]
)

_OWNER = [number for number, (marks, _) in enumerate(_MARKED) for _ in marks]
_MARKS = AhoCorasick([mark for marks, _ in _MARKED for mark in marks])

_ASSIGNED = re.compile(
    r"[A-Za-z]{0,6}(?:[_\-][A-Za-z0-9]{1,12})?[\"'`]?[ ]{0,3}(?::=|=>|[:=]|(?<= )is\b)[ ]{0,3}[\"'`]?"
    r"(?P<value>[^\s\"'`\x00,;()\[\]{}<>]{8,200})"
)
_HINTS = ("pass", "pwd", "secret", "token", "credential", "key")
_COMPOUND = (
    "api",
    "access",
    "private",
    "client",
    "secret",
    "auth",
    "encryption",
    "signing",
    "service",
    "account",
    "admin",
    "user",
    "db",
    "my",
)
_NOT_SECRET = re.compile(
    r"(?:your|my|the|hidden|none|null|undefined|true|false|todo|env|str|int|bool|string|get|new|await|max|min)(?![A-Za-z0-9])"
    r"|example|changeme|placeholder|redacted|x{3}|\*{3}|\.{3}|\$|%|<|https?:|(?:os|process|self|this|settings|config)\.|[a-z]+\.[a-z]+$",
    re.IGNORECASE,
)
_DULL = re.compile(r"[A-Za-z]+(?:[_\-.][A-Za-z]+)*|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)

LEAST_ENTROPY = 2.5
"""Bits a character, below which what is assigned to a name is taken for a word."""


def find(text: str) -> Iterator[tuple[int, int]]:
    """Every secret in a text."""
    for number in sorted({_OWNER[index] for index, _, _ in _MARKS.find_matches_as_indexes(text, overlapping=True)}):
        for match in _MARKED[number][1].finditer(text):
            yield match.span()
    yield from _assigned(text)


def _assigned(text: str) -> Iterator[tuple[int, int]]:
    """What is assigned to a name that means a secret, as in `db_password = ...` and `"apiKey": "..."`."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join([char.lower() if char.isascii() else char for char in text])
    for hint in _HINTS:
        at = lower.find(hint)
        while at >= 0:
            match = _ASSIGNED.match(text, at + len(hint))
            if match is not None and _names_secret(lower, hint, at):
                value = match["value"].rstrip(".!?")
                if _is_secret(value, password=hint in ("pass", "pwd")):
                    yield match.start("value"), match.start("value") + len(value)
            at = lower.find(hint, at + len(hint))


def _names_secret(lower: str, hint: str, at: int) -> bool:
    """Whether the word before the sign is such a name: a key only as the key of something (`api_key`), not of a map, nor a monkey."""
    compound = lower.endswith(_COMPOUND, max(at - 12, 0), at - (at > 0 and lower[at - 1] in "_- "))
    return compound or (hint != "key" and not lower[at - 1 : at].isalpha())


def _is_secret(value: str, *, password: bool) -> bool:
    """Whether what is assigned looks made by chance, or is a password, which may be a word with anything but letters in it."""
    if len(value) < 8 or _NOT_SECRET.match(value) or _DULL.fullmatch(value):
        return False
    if password:
        return True
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value) and entropy(value) >= LEAST_ENTROPY


def entropy(text: str) -> float:
    """Bits a character, by how often each one stands in the text itself."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
