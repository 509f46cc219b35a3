"""An answer whole, in no wire format, at once or event by event: the hub on the way back.

A stream is a sequence of events. For each choice, parts come in order and never overlap:

    Started  (PartStarted  (PartDelta | Signed | Cited)*  PartEnded)*  Finished  Counted?  Ended

`Ping` may stand anywhere; `Broken` ends a stream that failed, and nothing follows it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from tierline.types.conversation import Citation, Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.outcome import NO_USAGE, ErrorClass, Usage

Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "stop_sequence", "pause", "error"]
AnswerPart = Text | Thinking | ToolCall | Refusal | Media | Foreign


class CompletionChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the answers asked for. `stop_sequence` is the text that stopped it; `logprobs` is in OpenAI's chat form, as JSON."""

    parts: tuple[AnswerPart, ...]
    finish: Finish = "stop"
    stop_sequence: str = ""
    logprobs: bytes = b""


class Completion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole answer. `model` is what the upstream says it served; `created` Unix seconds, 0 where it does not say. `usage.input`
    counts all input tokens, cached ones included, whatever the dialect's own habit. `by` is the dialect it was read from."""

    by: str
    id: str
    model: str
    choices: tuple[CompletionChoice, ...]
    usage: Usage = NO_USAGE
    created: int = 0


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The stream has begun; `usage` holds what is known of the input already."""

    id: str = ""
    model: str = ""
    created: int = 0
    usage: Usage | None = None


class PartStarted(msgspec.Struct, frozen=True, tag="part_started"):
    """A part begins: `part` has its kind, id and name, and as a rule no words yet. `index` counts the parts of its choice from 0."""

    index: int
    part: AnswerPart
    choice: int = 0


class PartDelta(msgspec.Struct, frozen=True, tag="part_delta"):
    """More of the part: words, or a piece of a tool call's JSON arguments. `logprobs` as in CompletionChoice."""

    index: int
    text: str
    choice: int = 0
    logprobs: bytes = b""


class Signed(msgspec.Struct, frozen=True, tag="signed"):
    """The signature of a thinking part or a tool call."""

    index: int
    signature: str
    choice: int = 0


class Cited(msgspec.Struct, frozen=True, tag="cited"):
    """A citation within a text part."""

    index: int
    citation: Citation
    choice: int = 0


class PartEnded(msgspec.Struct, frozen=True, tag="part_ended"):
    """The part is complete."""

    index: int
    choice: int = 0


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The choice is complete."""

    finish: Finish
    stop_sequence: str = ""
    choice: int = 0


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The final usage."""

    usage: Usage


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """A sign of life."""


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The upstream reported an error inside the stream."""

    kind: ErrorClass
    message: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The stream ended as it should."""


Event = Started | PartStarted | PartDelta | Signed | Cited | PartEnded | Finished | Counted | Ping | Broken | Ended
