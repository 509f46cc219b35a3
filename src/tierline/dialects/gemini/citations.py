"""Where an answer's words come from: `groundingMetadata` and `citationMetadata` ↔ neutral citations.

Google counts a span in bytes of UTF-8, the neutral form in characters of the answer's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tierline.dialects.gemini.wire import NAME, Candidate, CitationMetadata, GroundingChunk, GroundingMetadata
from tierline.types.conversation import Citation

Wire = dict[str, Any]


def read(candidate: Candidate, words: str) -> list[Citation]:
    """The citations of a candidate whose words, thoughts left out, are `words`."""
    found: list[Citation] = []
    if candidate.grounding_metadata is not None:
        found.extend(_grounded(candidate.grounding_metadata, words))
    if candidate.citation_metadata is not None:
        found.extend(_cited(candidate.citation_metadata, words))
    return sorted(found, key=lambda citation: citation.start if citation.start >= 0 else len(words))


def written(citations: Sequence[Citation], words: str) -> Wire:
    """`groundingMetadata` for citations of an answer whose words are `words`."""
    sources: list[tuple[str, str, str]] = []
    spans: dict[tuple[int, int], list[int]] = {}
    for citation in citations:
        source = (citation.url, citation.title, citation.quoted)
        if source not in sources:
            sources.append(source)
        if citation.start >= 0 and citation.end > citation.start:
            spans.setdefault((citation.start, citation.end), []).append(sources.index(source))
    supports = [{"segment": _segment(words, *span), "groundingChunkIndices": numbers} for span, numbers in spans.items()]
    return {"groundingChunks": [_source(*source) for source in sources], **({"groundingSupports": supports} if supports else {})}


def _grounded(wire: GroundingMetadata, words: str) -> list[Citation]:
    sources = [_citation(chunk) for chunk in wire.grounding_chunks or ()]
    used: set[int] = set()
    found: list[Citation] = []
    for support in wire.grounding_supports or ():
        start, end = (0, None) if support.segment is None else (support.segment.start_index or 0, support.segment.end_index)
        for number in support.grounding_chunk_indices or ():
            if 0 <= number < len(sources):
                used.add(number)
                url, title, quoted = sources[number]
                found.append(Citation(url, title, quoted=quoted, **_span(words, start, end), by=NAME))
    found.extend(
        [Citation(url, title, quoted=quoted, by=NAME) for number, (url, title, quoted) in enumerate(sources) if number not in used]
    )
    return found


def _cited(wire: CitationMetadata, words: str) -> list[Citation]:
    sources = wire.citations or wire.citation_sources or ()
    return [
        Citation(source.uri or "", source.title or "", **_span(words, source.start_index or 0, source.end_index), by=NAME)
        for source in sources
    ]


def _citation(chunk: GroundingChunk) -> tuple[str, str, str]:
    """Address, title and quoted words of a source."""
    found = chunk.web or chunk.retrieved_context or chunk.maps or chunk.image
    return ("", "", "") if found is None else (found.uri or "", found.title or "", found.text or "")


def _span(words: str, start: int, end: int | None) -> dict[str, Any]:
    if end is None or not 0 <= start < end:
        return {}
    if words.isascii():
        return {"start": start, "end": end}
    plain = words.encode(errors="replace")
    return {"start": len(plain[:start].decode(errors="ignore")), "end": len(plain[:end].decode(errors="ignore"))}


def _segment(words: str, start: int, end: int) -> Wire:
    if words.isascii():
        return {"startIndex": start, "endIndex": end, "text": words[start:end]}
    before, cited = words[:start].encode(errors="replace"), words[start:end]
    return {"startIndex": len(before), "endIndex": len(before) + len(cited.encode(errors="replace")), "text": cited}


def _source(url: str, title: str, quoted: str) -> Wire:
    told = {"uri": url, "title": title, "text": quoted}
    kind = "web" if url and not quoted else "retrievedContext"
    return {kind: {name: value for name, value in told.items() if value}}
