"""Where an answer says its result: the part that two answers are compared by."""

from __future__ import annotations

import re

import msgspec

_LONGEST = 20_000
"""Characters looked at, from the end: a result stands at the end."""

_FIELD = re.compile(
    r'"(?:final[_ ]?answer|answer|result|solution|label|choice|category|class)"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\n]*\]|[^,}\]\n]+)', re.I
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_HASHES = re.compile(r"^####[ \t]*(\S.*)$", re.M)
_SAID = re.compile(
    r"(?:^|[\s*_(>#\"'“])(?:(?:the|my|our|so|thus|therefore|hence|and)\s{1,3}){0,3}(?:(?:final|correct|best|right|overall)\s{1,3})?"
    r"(?:answer|option|choice|result|antwort|ergebnis|réponse|reponse|respuesta|resultado|risposta|resposta|antwoord|odpowiedź|ответ|答案|答え|정답)"
    r"(?:\s+(?:choice|option))?(?:\*\*|__)?"
    r"(?:\s*(?:\*\*|__)?\s*[:\uff1a=]|\s*(?:is|was|ist|est|es|è|é|jest|would\s+be|will\s+be|equals)\b\s*[:\uff1a]?|"
    r"\s*(?:是|为|は|은|는)|[ \t]*\n)"
    r"\s*(?:\*\*|__)?\s*(\S[^\n]*)",
    re.I,
)
_PLAIN_WORDS = re.compile(r"^(?:to|of|for|the question|can|key|explanation)\b", re.I)


def final_answer(text: str) -> str | None:
    r"""The result that an answer marks as such: a field `answer` in JSON, `\boxed{…}`, `#### …` or `Answer: …`, each the last of its
    kind; None where it marks none. The words are as they stand, without the marks around them."""
    tail = text[-_LONGEST:]
    field = _last(_FIELD, tail)
    if field is not None:
        return _unquoted(field)
    boxed = _boxed(tail)
    if boxed is not None:
        return boxed
    hashes = _last(_HASHES, tail)
    if hashes is not None:
        return hashes
    said = _last(_SAID, tail)
    return _sentence(said) if said is not None and not _PLAIN_WORDS.match(said) else None


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found = [match[1] for match in pattern.finditer(text)]
    return found[-1].strip() if found else None


def _unquoted(written: str) -> str:
    if not written.startswith('"'):
        return written.strip()
    try:
        return str(msgspec.json.decode(written, strict=True))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return written[1:-1]


def _boxed(text: str) -> str | None:
    """What the last box holds; braces within it are counted."""
    begun = [match.end() for match in _BOXED.finditer(text)]
    if not begun:
        return None
    depth = 1
    for place in range(begun[-1], len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[begun[-1] : place].strip()
    return None


def _sentence(line: str) -> str:
    """A line up to the end of its first sentence; a point within a number or after a single letter ends none."""
    end = re.search(r"(?<=[^\s.][\w)\]%°€$\"'*])[.!?](?=\s|$)", line)
    return line[: end.start()].strip() if end is not None else line.strip()
