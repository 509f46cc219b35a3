"""Secrets and keys: what issuers mark with letters of their own, private keys, and whatever is assigned to a name like `password`.

Each pattern is tried only where the letters stand that it cannot do without: looking for those is some hundred times cheaper.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

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

_NAMES = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_\- ]?key|access[_\- ]?key(?:[_\- ]?id)?"
    r"|(?:private|client|secret|auth|encryption|signing)[_\- ]?(?:key|secret|token)|credentials?"
)
_ASSIGNED = re.compile(
    rf"(?<![A-Za-z])(?:[A-Za-z0-9]{{1,24}}[_\-.]){{0,4}}(?:{_NAMES})(?:[_\-][A-Za-z0-9]{{1,12}})?"
    r"[\"'`]?[ ]{0,3}(?::=|=>|[:=]|\bis\b)[ ]{0,3}[\"'`]?(?P<value>[^\s\"'`\x00,;()\[\]{}<>]{8,200})",
    re.IGNORECASE,
)
_HINTS = ("pass", "pwd", "secret", "token", "key", "credential")
_NOT_SECRET = re.compile(
    r"(?:your|my|the|example|changeme|placeholder|redacted|hidden|none|null|undefined|true|false|todo|xxx|\*\*\*|\.\.\.|\$|%|<|https?:"
    r"|os\.|env|process\.|self\.|this\.|str|int|bool|string|settings\.|config\.|get|new|await|max|min|[a-z]+\.[a-z]+$)",
    re.IGNORECASE,
)
_DULL = re.compile(r"[A-Za-z]+(?:[_\-.][A-Za-z]+)*|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_STRONG_NAME = re.compile(r"pass(?:word|wd|phrase|code)|pwd", re.IGNORECASE)

LEAST_ENTROPY = 2.5
"""Bits a character, below which what is assigned to a name is taken for a word."""


def find(text: str) -> Iterator[tuple[int, int]]:
    """Every secret in a text."""
    for marks, pattern in _MARKED:
        if any(mark in text for mark in marks):
            for match in pattern.finditer(text):
                yield match.span()
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        for match in _ASSIGNED.finditer(text):
            if _is_secret(match["value"].rstrip(".!?"), name=match[0][: match.start("value") - match.start()]):
                yield match.start("value"), match.start("value") + len(match["value"].rstrip(".!?"))


def _is_secret(value: str, name: str) -> bool:
    """Whether what is assigned looks made by chance, or is a password, which may be a word with anything but letters in it."""
    if len(value) < 8 or _NOT_SECRET.match(value) or _DULL.fullmatch(value):
        return False
    if _STRONG_NAME.search(name):
        return True
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value) and entropy(value) >= LEAST_ENTROPY


def entropy(text: str) -> float:
    """Bits a character, by how often each one stands in the text itself."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
