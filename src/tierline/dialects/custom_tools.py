"""Custom tools, which take plain text, seen as functions that take an object with that text as `input`.

Where a model of another dialect calls such a tool, it writes JSON; the client gets the plain text back as it comes.
"""

from __future__ import annotations

import re

import msgspec

ANY_TEXT = b'{"type":"text"}'
"""The format of a custom tool that names none."""
OPENING = '{"input":"'
CLOSING = '"}'

_START = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_RUN = re.compile(r'[^"\\]+')
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class _Grammar(msgspec.Struct):
    """`format` of a custom tool."""

    type: str = "text"
    syntax: str = ""
    definition: str = ""


class _Arguments(msgspec.Struct):
    """The arguments of a custom tool seen as a function."""

    input: str


_grammar = msgspec.json.Decoder(_Grammar)
_arguments = msgspec.json.Decoder(_Arguments)


def parameters(format: bytes) -> bytes:
    """The JSON Schema of a custom tool seen as a function; a grammar is told in words."""
    said = "The whole input of the tool, as plain text."
    try:
        grammar = _grammar.decode(format)
    except (msgspec.DecodeError, UnicodeDecodeError):
        grammar = _Grammar()
    if grammar.type == "grammar":
        said = f"The whole input of the tool, as plain text that follows this {grammar.syntax or 'formal'} grammar:\n{grammar.definition}"
    inner = {"input": {"type": "string", "description": said}}
    return msgspec.json.encode({"type": "object", "properties": inner, "required": ["input"], "additionalProperties": False})


def as_arguments(text: str) -> str:
    """Plain text → JSON arguments."""
    return f"{OPENING}{escaped(text)}{CLOSING}"


def escaped(text: str) -> str:
    """A piece of plain text as it stands inside a JSON string."""
    return msgspec.json.encode(text)[1:-1].decode()


def as_text(arguments: str) -> str:
    """JSON arguments → plain text; arguments of any other shape as they are."""
    try:
        return _arguments.decode(arguments).input
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return arguments


class TextOfArguments:
    """Reads JSON arguments piece by piece, cut anywhere, and gives the plain text in them as it comes.

    Where they do not begin with `input`, the text comes only with `rest`."""

    __slots__ = ("_all", "_at", "_ended", "_started")

    def __init__(self) -> None:
        self._all = ""
        self._at = 0
        self._started = False
        self._ended = False

    def feed(self, piece: str) -> str:
        """The text that the piece completes, possibly none."""
        self._all += piece
        if not self._started:
            start = _START.match(self._all)
            if start is None:
                return ""
            self._started, self._at = True, start.end()
        found: list[str] = []
        while not self._ended and (run := self._next()) is not None:
            found.append(run)
        return "".join(found)

    def rest(self) -> str:
        """What is still to be given once the arguments are complete: all of it where nothing could be given before."""
        return "" if self._started else as_text(self._all)

    def _next(self) -> str | None:
        """The next run of plain characters or one escape; None when more must come first."""
        run = _RUN.match(self._all, self._at)
        if run is not None:
            self._at = run.end()
            return run[0]
        left = self._all[self._at : self._at + 12]
        if not left:
            return None
        if left[0] == '"':
            self._ended = True
            return None
        if len(left) < 2:
            return None
        if left[1] != "u":
            self._at += 2
            return _SHORT.get(left[1], left[1])
        return self._unicode(left)

    def _unicode(self, left: str) -> str | None:
        """A character written as one or two escapes of four digits."""
        first = _code(left[:6])
        if first is None:
            return None
        if 0xD800 <= first < 0xDC00 and (len(left) < 8 or left[6:8] == "\\u"):
            second = _code(left[6:12])
            if second is None:
                return None
            self._at += 12
            return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) if 0xDC00 <= second < 0xE000 else "\ufffd\ufffd"
        self._at += 6
        return "\ufffd" if 0xD800 <= first < 0xE000 else chr(first)


def _code(escape: str) -> int | None:
    """The code of an escape of four digits; None while it is not whole, 0xFFFD where its digits are none."""
    if len(escape) < 6:
        return None
    try:
        return int(escape[2:], 16)
    except ValueError:
        return 0xFFFD
