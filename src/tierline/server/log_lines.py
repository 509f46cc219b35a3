"""How the server's own messages are written on standard error: as lines for people, or as one object of JSON each."""

from __future__ import annotations

import logging
from typing import Literal

import msgspec


class JsonLines(logging.Formatter):
    """A message as one line of JSON: when (Unix time), how grave, who says it, in which process, and what. A traceback, which holds code
    and no values, is a part of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def write_as(how: Literal["text", "json"]) -> None:
    """Let every handler of the root logger write so."""
    if how == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
