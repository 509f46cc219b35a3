"""What an upstream holds of a conversation: a request that leans on it can go to no other dialect than its own."""

from __future__ import annotations

from tierline.types.conversation import Conversation, Foreign
from tierline.types.errors import BadRequest

_ITEMS = frozenset({"item_reference", "compaction"})
_FIELDS = {"conversation": "a stored conversation", "prompt": "a stored prompt"}


def refuse_held_state(conversation: Conversation, dialect: str) -> None:
    """Raises BadRequest when a conversation of another dialect cannot be understood without what its own upstream holds, or cannot be
    answered but there. To be called before a conversation is rendered in `dialect`."""
    if conversation.by == dialect:
        return
    if conversation.previous:
        raise _refused("previous_response_id", "a stored response")
    for field, what in _FIELDS.items():
        if field in conversation.extra:
            raise _refused(field, what)
    if conversation.extra.get("background", b"false").strip() == b"true":
        said = "background: the model that was chosen cannot answer in the background"
        raise BadRequest(f"{said}; leave it out, or name a model of a provider with the Responses API", param="background")
    for turn in conversation.turns:
        for part in turn.parts:
            if isinstance(part, Foreign) and part.kind in _ITEMS:
                raise _refused("input", f"what an item of type {part.kind} stands for")


def _refused(field: str, what: str) -> BadRequest:
    said = f"{field}: only the upstream that holds {what} can go on from it, and the model that was chosen is another provider's"
    return BadRequest(f"{said}; send the whole conversation in `input`, or name that upstream's model", param=field)
