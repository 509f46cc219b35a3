"""The texts of a request's body, wherever its dialect keeps them: read out for the detectors, and written anew.

A body is walked as the JSON that it is, so a field that nobody has heard of is read like any other. What only machines read (pictures,
signatures, sealed reasoning) is passed over, and that it was there is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

LATE = ("messages", "input", "contents", "inputs")
"""The fields that grow from turn to turn. They are read last, so that what stands before them keeps its number."""

_STRUCTURE = frozenset({"role", "type", "object", "status"})
_SEALED = frozenset({"signature", "encrypted_content", "thoughtSignature", "thought_signature"})
_INLINE = frozenset({"data", "file_data", "bytes", "image_url", "url", "fileUri", "file_uri"})
_WORD = re.compile(r"[a-zA-Z_.\-/]{1,40}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-=\r\n]{64,512}")
_CUES = ("pass", "pwd", "secret", "token", "key", "credential")
_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z_\-]*")
_LONG_NUMBER = 8


class Texts:
    """What a walk has seen: `texts` in their order, and whether there was something `unread`."""

    __slots__ = ("texts", "unread")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.unread = False

    def take(self, value: Any, key: str = "") -> None:
        """Everything below a value; `key` is what it is called there."""
        if isinstance(value, str):
            self._string(value, key)
        elif isinstance(value, dict):
            for name, below in value.items():
                if not _PLAIN_NAME.fullmatch(name):
                    self.texts.append(name)
                self.take(below, name)
        elif isinstance(value, list):
            if value and key in LATE and all(isinstance(one, int | list) for one in value):
                self.unread = True  # a text as the numbers of its tokens
            for below in value:
                self.take(below, key)
        elif isinstance(value, int | float) and not isinstance(value, bool) and len(shown := str(value)) >= _LONG_NUMBER:
            self.texts.append(shown)

    def _string(self, value: str, key: str) -> None:
        if opaque(value, key):
            self.unread = self.unread or key not in _SEALED
        elif not (key in _STRUCTURE and _WORD.fullmatch(value)):
            lower = key.lower()
            self.texts.append(f"{key}: {value}" if any(cue in lower for cue in _CUES) and " " not in value else value)


def opaque(value: str, key: str) -> bool:
    """Whether a string is data and no text: a data URL, or Base64 in a field for such."""
    if value.startswith("data:") and ";base64," in value[:200]:
        return True
    return key in _INLINE | _SEALED and len(value) >= 64 and _BASE64.match(value) is not None and not (" " in value or "@" in value)


def rewritten(
    value: Any, change: Callable[[str], str], number: Callable[[str], str | None] = lambda _: None, key: str = "", unread: str = ""
) -> Any:
    """A value with every text in it changed; the very same object where nothing was. `number` says what stands for a number, None where it
    stays; `unread` what stands for data that is no text, empty where it stays."""
    if isinstance(value, str):
        if opaque(value, key):
            return unread or value
        return value if key in _STRUCTURE and _WORD.fullmatch(value) else change(value)
    if isinstance(value, dict):
        made = {_name(name, change): rewritten(below, change, number, name, unread) for name, below in value.items()}
        same = all(a is b for a, b in zip(made.values(), value.values(), strict=False)) and list(made) == list(value)
        return value if same else made
    if isinstance(value, list):
        many = [rewritten(below, change, number, key, unread) for below in value]
        return value if all(a is b for a, b in zip(many, value, strict=True)) else many
    if isinstance(value, int | float) and not isinstance(value, bool) and len(shown := str(value)) >= _LONG_NUMBER:
        instead = number(shown)
        return value if instead is None else instead
    return value


def _name(name: str, change: Callable[[str], str]) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else change(name)


def decoded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body as values, those that grow last. Raises ValueError where one cannot be read at all."""
    order = sorted(raw, key=lambda name: name in LATE)
    return {name: value_of(bytes(raw[name])) for name in order}


def value_of(data: bytes) -> Any:
    """One JSON value; raises ValueError. What msgspec refuses and some clients send (lone surrogates) is read by the standard library."""
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except msgspec.DecodeError:
        try:
            return json.loads(data)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def bytes_of(value: Any) -> bytes:
    """A value as JSON."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return json.dumps(value).encode()


def same(raw: bytes, value: Any) -> bytes:
    """The bytes of a field that holds `value`: its own, unless they say more than was read (a name that stands twice in one object)."""
    try:
        plain = msgspec.json.format(raw, indent=-1)
    except msgspec.DecodeError:
        return bytes_of(value)
    again = bytes_of(value)
    return again if plain != again and _says_twice(raw) else raw


def _says_twice(raw: bytes) -> bool:
    """Whether an object anywhere in this JSON has two members of one name, of which a reader sees the last alone."""
    twice = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({name for name, _ in pairs}) < len(pairs)

    json.loads(raw, object_pairs_hook=look)
    return twice
