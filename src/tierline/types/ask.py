"""What an organ that calls nobody asks its driver to call, and what it is told.

A validator, a classifier or a prepare step that needs a model yields an `Ask`; the driver makes the call, charges it to the request and
sends a `Told` back.
"""

from __future__ import annotations

import msgspec

from tierline.types.completion import Completion
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Request

CLASSIFY = "classify"
"""The purpose of an `Aside` in which a small model was asked what a request is."""
REMEMBERED = "remembered"
"""The detail of such an `Aside` where the answer was known: nobody was called and nothing was paid."""


class Ask(msgspec.Struct, frozen=True):
    """One question to one model. `model` is a name of the spec, empty: the cheapest of the lowest tier; `same` asks the client's own
    request again instead of `prompt`; `schema` (JSON bytes) is the shape that the reply is to have, empty: any text. `timeout` in
    seconds, None: what the request has left."""

    model: str
    prompt: str = ""
    system: str = ""
    max_tokens: int = 256
    schema: bytes = b""
    same: bool = False
    timeout: float | None = None


class Told(msgspec.Struct, frozen=True):
    """What came of an `Ask`. `ok` is false when no answer came: `detail` says why. Seconds and USD."""

    ok: bool
    text: str = ""
    usage: Usage = NO_USAGE
    cost: float = 0.0
    elapsed: float = 0.0
    detail: str = ""


class Exchange(msgspec.Struct, frozen=True):
    """What a validator looks at: the request, its features, the answer in neutral form, and the words of its first choice. `model` is the
    name of the model that answered. `finish` is the neutral stop reason, as in `Answer`."""

    request: Request
    features: Features
    answer: Completion
    text: str
    finish: str = "stop"
    model: str = ""


class Hit(msgspec.Struct, frozen=True):
    """What a tool answered in a model's place: words, or a whole answer where it kept one. `detail` quotes nothing."""

    text: str
    answer: Completion | None = None
    detail: str = ""
