r"""Answers that say the same in other words → the same text, so that they can be compared.

`number`  1,200.0 · $1.2k · \boxed{1200} · "The answer is 1200 litres."   → 1200
`choice`  B · (b) · **Answer:** B) Paris                                    → B
`label`   Not spam. · label: not_spam                                       → not spam
`json`    keys in any order, 1.0 for 1, white space, fences                 → canonical JSON
`text`    case, punctuation, articles and white space                       → plain words
`auto`    json, then choice, number and text, each only where the result as marked by every answer has that form; a result in quotes
          is compared as it is written

Pure and quick; any text is taken, however long or odd.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tierline.validators.final_answer import final_answer
from tierline.validators.json_text import values_in
from tierline.validators.number import bare, numbers

_LONGEST = 20_000
_LITERAL = 4_000
"""Characters of a Python literal that are read."""
_UNIT_WORDS = 4
"""Words that may stand beside a number before it counts as a sentence."""
_LABEL_WORDS = 6

_CONSTANTS = {"true": "true", "false": "false", "none": "null", "null": "null"}
_MARKUP = re.compile(r"[*_`#>~]+")
_ARTICLES = frozenset({"a", "an", "the"})
_CHOICE = re.compile(r"^\W*(?:(?:option|choice|answer|option:)\s+)?\(?\[?([A-Za-z])(?:[)\].:]+(?:\s|$)|\s*[-–—]\s|\W*$)", re.I)
_CHOICE_INSIDE = re.compile(r"\(([A-Z])\)|\b(?:option|choice|answer)\s+\(?([A-Z])\b")
_KEY = re.compile(r"^[\w ]{1,30}[:\uff1a]\s*(?=\S)")


def normalised(text: str, how: str) -> str | None:
    """The one form of an answer, or None where it holds nothing of that kind. `how` is number, choice, label, json, text or auto;
    ValueError for any other word."""
    if how not in _WAYS:
        raise ValueError(f"{how!r} is no way to normalise: {', '.join(_WAYS)}")
    return _WAYS[how](text[-_LONGEST:])


def normalised_all(texts: Sequence[str], how: str) -> tuple[str | None, ...]:
    """The forms of several answers that are to be compared. With `auto` one way is taken for all of them: the first that every answer
    fits, so that a number is never compared with a sentence about it."""
    if how != "auto":
        return tuple(normalised(text, how) for text in texts)
    parts = [_result(text[-_LONGEST:]) for text in texts]
    if any(map(_quoted, parts)):
        return tuple(map(_unquoted, parts))
    for way in (_structure, _strict_choice, _strict_number):
        forms = tuple(way(part) for part in parts)
        if all(form is not None for form in forms):
            return forms
    return tuple(map(_plain, parts))


def _auto(text: str) -> str | None:
    return normalised_all((text,), "auto")[0]


def _quoted(part: str) -> bool:
    """Whether a text is one quoted string: its case, points and spaces are then meant."""
    return len(part) > 1 and part[0] in "'\"" and part[-1] == part[0]


def _unquoted(part: str) -> str:
    return part[1:-1] if _quoted(part) else part


def _result(text: str) -> str:
    """What an answer marks as its result, else all of it, without the fence around it."""
    marked = final_answer(text)
    if marked is not None:
        return marked
    fenced = re.fullmatch(r"\s*```\w*\n(.*?)\n?```\s*", text, re.S)
    return fenced[1] if fenced is not None else text.strip()


def _number(text: str) -> str | None:
    """The number of the result; in an answer that marks none, the last number."""
    marked = final_answer(text)
    if marked is not None:
        found = numbers(marked.rpartition("=")[2]) or numbers(marked)
        if found:
            return found[0]
    found = numbers(text)
    return found[-1] if found else None


def _strict_number(part: str) -> str | None:
    """The number of a text that is a number with its unit, and no more."""
    if len(part) > 100:
        return None
    part = part.rpartition("=")[2]
    found = numbers(part)
    rest = bare(part)
    if len(set(found)) != 1 or re.search(r"[\[\]{}\\^√π;<>]|\b(?:or|and|i|x|y|z|n|sqrt|pi)\b", rest, re.I):
        return None
    return found[0] if len(re.findall(r"\w+", rest)) <= _UNIT_WORDS else None


def _choice(text: str) -> str | None:
    marked = final_answer(text)
    for part in (text.strip(), marked):
        found = _strict_choice(part) if part is not None else None
        if found is not None:
            return found
    inside = _CHOICE_INSIDE.findall(marked or "") or _CHOICE_INSIDE.findall(text)
    return (inside[-1][0] or inside[-1][1]).upper() if inside else None


def _strict_choice(part: str) -> str | None:
    """The letter of a text that begins with one as options do, or is one."""
    part = _MARKUP.sub("", part).strip()
    found = _CHOICE.match(part)
    return found[1].upper() if found is not None else None


def _label(text: str) -> str | None:
    marked = final_answer(text)
    part = marked if marked is not None else next(reversed([line for line in text.splitlines() if line.strip()]), "")
    words = _words(_KEY.sub("", _MARKUP.sub(" ", part.replace("_", " "))).replace("-", " "))
    return " ".join(words) if 0 < len(words) <= _LABEL_WORDS else None


def _json(text: str) -> str | None:
    return next((canonical(value) for value in values_in(text)), None)


def _structure(part: str) -> str | None:
    """JSON or a Python literal: a list, a mapping, a tuple, True, False or None."""
    part = part.strip().strip("`").strip()
    if not part or len(part) > _LITERAL or (part[0] not in "[{(" and part.lower() not in _CONSTANTS):
        return None
    if part.lower() in _CONSTANTS:
        return _CONSTANTS[part.lower()]
    try:
        return canonical(json.loads(part))
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return canonical(ast.literal_eval(part))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _text(text: str) -> str | None:
    return _plain(_result(text))


def _plain(part: str) -> str | None:
    words = _words(_MARKUP.sub(" ", part))
    return " ".join(words) if words else _symbols(part)


def _symbols(part: str) -> str | None:
    """A text without any word, such as `{}` or `→`, as it is."""
    return "".join(part.split()) or None


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    signed = re.sub(r"(?<![\w)])[-−](?=\d)", "minus", folded)
    words = re.findall(r"\w+(?:['.,]\w+)*", signed)
    return [word for word in words if word not in _ARTICLES] or words


def canonical(value: Any) -> str:
    """JSON with its keys in order and one form for each number; raises RecursionError for what nests too deeply, and ValueError for
    what no JSON holds."""
    return json.dumps(_plain_value(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, tuple | set | frozenset):
        return {type(value).__name__: [_plain_value(item) for item in value]}
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"no JSON holds a {type(value).__name__}")


_WAYS: Mapping[str, Callable[[str], str | None]] = {
    "number": _number,
    "choice": _choice,
    "label": _label,
    "json": _json,
    "text": _text,
    "auto": _auto,
}
