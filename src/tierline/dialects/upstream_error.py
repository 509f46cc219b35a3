"""What may be said of an upstream's error: its status, its name and its words, without what it quotes, echoes or gives away."""

from __future__ import annotations

import re

_LIMIT = 160
_NAME_LIMIT = 40
_QUOTED = re.compile(r"(['\"`])(.*?)\1", re.DOTALL)
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,40}\Z")
_SECRET = re.compile(r"\b(?:(?:[sp]k|key)[-_]|key (?=\S*\d)|AIza|ya29\.|Bearer[-_ ])[\w*.-]{4,}")
_ECHO = re.compile(r"[\n\r{<]")


def told(status: int, names: tuple[str | int | None, ...], message: str | None, quotable: re.Pattern[str] = _FIELD_NAME) -> str:
    """`status 400, invalid_request_error: messages: field required`, at most a line. What stands in quotes is left out unless all of it is
    `quotable`, as the name of a field is; so are secrets, and everything behind a line break or a brace: it may be the prompt."""
    named = "/".join(str(name)[:_NAME_LIMIT] for name in names if name)
    said = _ECHO.split(message or "", maxsplit=1)[0]
    said = _QUOTED.sub(lambda match: match[0] if quotable.match(match[2]) else f"{match[1]}…{match[1]}", said)
    said = _SECRET.sub("[secret]", said).strip()
    if len(said) > _LIMIT:
        said = said[:_LIMIT].rstrip() + "…"
    return f"status {status}" + (f", {named}" if named else "") + (f": {said}" if said else "")
