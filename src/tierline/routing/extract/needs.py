"""What a model must be able to do to serve a request."""

from __future__ import annotations

from tierline.types.features import CAPABILITIES
from tierline.types.request import Request

_MEDIA = {"image": "vision", "audio": "audio", "document": "documents"}


def needs(request: Request, media: frozenset[str]) -> tuple[str, ...]:
    """Words of `CAPABILITIES`, in their order."""
    if request.kind == "embeddings":
        return ("embeddings",)
    params = request.params
    if not (media or request.tools or params.reasoning or params.logprobs or params.response_format != "text"):
        return ("chat",)
    needed = {"chat", *(_MEDIA[kind] for kind in media)}
    if request.tools:
        needed.add("tools")
    if params.response_format != "text":
        needed.add(params.response_format)
    if params.reasoning:
        needed.add("reasoning")
    if params.logprobs:
        needed.add("logprobs")
    return tuple(word for word in CAPABILITIES if word in needed)
