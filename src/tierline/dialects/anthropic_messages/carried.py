"""What another dialect signed, carried through a client of this one and back.

A client of Anthropic's dialect returns thinking blocks, redacted ones and citations untouched. So a signature that another dialect
made travels inside such a block, marked as Tierline's; it comes back with the next request, reaches the dialect that made it,
and is taken out of what goes to Anthropic.

    thinking.signature                      the signature, seal and id of another dialect's thinking
    redacted_thinking.data                  sealed thinking without words, or the signature of the tool call named by `call`
    citations[].encrypted_index             says that the citation is not Anthropic's own
"""

from __future__ import annotations

import msgspec

from tierline.dialects.json_body import Fields

MARK = "tierline:"
MARK_BYTES = b'"' + MARK.encode()


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """What is carried: `by` is the dialect that made it, `call` the id of the tool call it signs."""

    by: str
    id: str = ""
    signature: str = ""
    sealed: str = ""
    call: str = ""


_carried = msgspec.json.Decoder(Carried)
_objects = msgspec.json.Decoder(list[Fields])


def packed(what: Carried) -> str:
    """As the text of a field that clients return untouched."""
    return MARK + msgspec.json.encode(what).decode()


def unpacked(text: str) -> Carried | None:
    """What `packed` made the text of; None for anything else."""
    if not text.startswith(MARK):
        return None
    try:
        return _carried.decode(text[len(MARK) :])
    except (msgspec.DecodeError, RecursionError):
        return None


def without(messages: msgspec.Raw) -> list[Fields]:
    """The messages without what is carried in them; one that held nothing else is left out."""
    kept: list[Fields] = []
    for message in _objects.decode(messages):
        content = message.get("content")
        if content is not None and MARK_BYTES in bytes(content) and bytes(content).startswith(b"["):
            blocks = [_uncited(block) for block in _objects.decode(content) if not _is_carrier(block)]
            if not blocks:
                continue
            message["content"] = msgspec.Raw(msgspec.json.encode(blocks))
        kept.append(message)
    return kept


def _is_carrier(block: Fields) -> bool:
    return any(bytes(block[key]).startswith(MARK_BYTES) for key in ("signature", "data") if key in block)


def _uncited(block: Fields) -> Fields:
    """A block without citations that are not Anthropic's own."""
    if "citations" not in block or MARK_BYTES not in bytes(block["citations"]):
        return block
    try:
        cited = _objects.decode(block["citations"])
    except msgspec.ValidationError:
        return block
    own = [citation for citation in cited if not bytes(citation.get("encrypted_index", b"")).startswith(MARK_BYTES)]
    kept = {key: value for key, value in block.items() if key != "citations"}
    return {**kept, "citations": msgspec.Raw(msgspec.json.encode(own))} if own else kept
