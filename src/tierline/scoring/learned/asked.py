"""The text of a request that is judged: what the user asked last."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.types.request import Request, Text

SHORT = 48
"""A last turn of at most so many characters is judged with the turn before it: `yes, go on` says nothing alone."""


def asked(request: Request) -> str:
    """The user's last turn, with the one before it where it is short; the inputs of a request for embeddings."""
    if request.inputs:
        return "\n".join(request.inputs)
    last = ""
    for message in reversed(request.messages):
        if message.role != "user" or not (words := _words(message.parts)):
            continue
        if last:
            return f"{words}\n{last}"
        if len(words) > SHORT:
            return words
        last = words
    return last


def _words(parts: Sequence[object]) -> str:
    return "\n".join(part.text for part in parts if type(part) is Text).strip()
