"""Annotations of an answer's words ↔ citations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from tierline.dialects.openai_chat import finer
from tierline.dialects.openai_chat.finer import NAME, Object
from tierline.types.conversation import Citation, Text


class _UrlCitation(msgspec.Struct):
    """`url_citation` of an annotation."""

    url: str = ""
    title: str | None = None
    content: str | None = None
    start_index: int | None = None
    end_index: int | None = None


P = TypeVar("P")
_cited = msgspec.json.Decoder(_UrlCitation | None)


def citation_of(entry: Object) -> Citation:
    """An annotation; one of another type keeps only its own JSON."""
    raw = msgspec.json.encode(entry)
    try:
        found = _cited.decode(entry.get("url_citation", b"null"))
    except msgspec.DecodeError:
        found = None
    if found is None:
        return Citation(raw=raw, by=NAME)
    start, end = (-1 if at is None else at for at in (found.start_index, found.end_index))
    return Citation(found.url, found.title or "", quoted=found.content or "", start=start, end=end, raw=raw, by=NAME)


def cited(parts: Sequence[P], entries: Sequence[Object]) -> list[Any]:
    """The parts with the annotations at the last text; where there is none they become a field of the message."""
    if not entries:
        return [*parts]
    at = max((at for at, part in enumerate(parts) if isinstance(part, Text)), default=-1)
    if at < 0:
        return [*parts, finer.field("annotations", msgspec.Raw(msgspec.json.encode(entries)))]
    found: list[Any] = [*parts]
    found[at] = msgspec.structs.replace(found[at], citations=tuple([citation_of(entry) for entry in entries]))
    return found


def annotation_of(citation: Citation, offset: int, length: int) -> Any:
    """A citation as an annotation of a message in which its text begins at `offset` and has `length` characters (-1: not over yet);
    None where it has no address, for this dialect has no other."""
    if citation.by == NAME and citation.raw:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    start = offset + max(citation.start, 0)
    end = offset + citation.end if citation.end >= 0 else offset + length
    told = {"url": citation.url, "title": citation.title, "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": told}
