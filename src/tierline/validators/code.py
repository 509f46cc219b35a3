"""`code`: the answer's fenced code can be parsed. Nothing is ever run."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

import msgspec

from tierline.config.answer_checks import CodeCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing
from tierline.validators.parsers import Parser, parsers

_BLOCK = re.compile(r"^([ \t]*)(`{3,8}|~{3,8})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\2[`~]{0,8}[ \t]*$|\Z)", re.S | re.M)
_NAMES: Mapping[str, str] = {
    "python": "python", "py": "python", "python3": "python", "json": "json", "yaml": "yaml", "yml": "yaml", "javascript": "javascript",
    "js": "javascript", "jsx": "javascript", "mjs": "javascript", "node": "javascript", "typescript": "typescript", "ts": "typescript",
    "tsx": "tsx", "sql": "sql", "postgresql": "sql", "postgres": "sql", "mysql": "sql", "sqlite": "sql",
}  # fmt: skip
"""What a fence may call a language → what it is called here."""
_LONGEST = 20_000
"""Characters of a block; longer ones are not parsed."""
_BLOCKS = 50
_SHELL = re.compile(r"^(?:>>> |\.\.\. |In \[\d+\]:)", re.M)


class Block(msgspec.Struct, frozen=True):
    """A fenced block in a language that is known here."""

    language: str
    text: str


class Code:
    """See `CodeCheck`. Blocks without a language, and sessions of an interactive shell, are not looked at."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(CodeCheck)
        self.name = check.name
        self._required = settings.required
        self._parsers: Mapping[str, Parser] = parsers(None if settings.code == "any" else tuple(settings.code))

    def check(self, exchange: Exchange) -> Finding:
        """Parses each block in one of the languages; the first that cannot be parsed refuses the answer."""
        if says_nothing(exchange):
            return NOTHING_SAID
        blocks = [block for block in blocks_of(exchange.text) if block.language in self._parsers]
        for number, block in enumerate(blocks, 1):
            if len(block.text) > _LONGEST or _SHELL.search(block.text):
                continue
            wrong = self._parsers[block.language](block.text)
            if wrong is not None:
                line = f" near line {wrong}" if wrong else ""
                detail = f"block {number} of {len(blocks)} is no {block.language}{line}"
                return Finding(False, detail, feedback=f"The {block.language} code in block {number} cannot be parsed{line}.")
        if self._required and not blocks:
            wanted = " or ".join(sorted(self._parsers))
            return Finding(False, "no block of code", feedback=f"Answer with code in a fenced block that names its language: {wanted}.")
        return Finding(True)


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks that name a language known here, without their common indentation; the last may be open."""
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        language = _NAMES.get(match[3].lower())
        if language is not None and len(found) < _BLOCKS:
            found.append(Block(language, textwrap.dedent(match[4])))
    return found
