"""The parts of Anthropic's bodies that Tierline reads; every other field passes untouched.

What some block types fill with another type than the rest (`content`, `source`, `input`, …) stays raw until the block's type is known.
"""

from __future__ import annotations

import msgspec

Raw = msgspec.Raw
NAME = "anthropic_messages"
NOTHING = Raw()


class Source(msgspec.Struct):
    """`source` of an image or a document."""

    type: str = ""
    data: str = ""
    media_type: str = ""
    url: str = ""
    file_id: str = ""
    content: Raw = NOTHING


class Block(msgspec.Struct):
    """One content block of any type, in requests and answers."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    title: str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    source: Raw = NOTHING
    content: Raw = NOTHING
    input: Raw = NOTHING
    citations: Raw = NOTHING
    cache_control: Raw = NOTHING


class WireMessage(msgspec.Struct):
    """One entry of `messages`."""

    role: str = ""
    content: str | list[Block] = ""


class WireTool(msgspec.Struct):
    """One entry of `tools`; a tool of Anthropic's own has a type other than `custom`."""

    type: str | None = None
    name: str = ""
    description: str | None = None
    input_schema: Raw = NOTHING
    strict: bool | None = None
    cache_control: Raw = NOTHING


class WireToolChoice(msgspec.Struct):
    """`tool_choice`."""

    type: str = "auto"
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class WireSampling(msgspec.Struct):
    """How to draw tokens, and how many."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None


class ThinkingConfig(msgspec.Struct):
    """`thinking`."""

    type: str = ""
    budget_tokens: int | None = None
    display: str | None = None


class Format(msgspec.Struct):
    """`output_config.format`, or the older `output_format`."""

    type: str = ""
    schema: Raw = NOTHING


class OutputConfig(msgspec.Struct):
    """`output_config`."""

    effort: str | None = None
    format: Format | None = None


class MessagesBody(msgspec.Struct):
    """What routing reads of a request."""

    model: str = ""
    max_tokens: int | None = None
    messages: list[WireMessage] = []
    system: str | list[Block] | None = None
    tools: list[WireTool] | None = None
    tool_choice: WireToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    metadata: dict[str, Raw] | None = None
    stream: bool | None = None


class OutputDetails(msgspec.Struct):
    """`usage.output_tokens_details`."""

    thinking_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """`usage`: `input_tokens` leaves out what came from the cache or was written to it."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class AnswerBody(msgspec.Struct):
    """What is read of a whole answer. `error` stands where an upstream answers 200 and means an error."""

    type: str = ""
    id: str = ""
    model: str | None = None
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: WireUsage | None = None
    error: Raw = NOTHING


class StreamDelta(msgspec.Struct):
    """`delta` of a content block or of the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    citation: Raw = NOTHING
    stop_reason: str | None = None
    stop_sequence: str | None = None


class StreamMessage(msgspec.Struct):
    """The message that `message_start` announces."""

    id: str = ""
    model: str | None = None
    usage: WireUsage | None = None


class StreamEvent(msgspec.Struct):
    """One event of a stream, of any type."""

    type: str = ""
    index: int = 0
    message: StreamMessage | None = None
    content_block: Raw = NOTHING
    delta: Raw = NOTHING
    usage: WireUsage | None = None
    error: Raw = NOTHING


class ErrorDetail(msgspec.Struct):
    """The inside of an error envelope."""

    type: str | None = None
    message: str | None = None


class ErrorEnvelope(msgspec.Struct):
    """An error body: Anthropic's envelope, or the flat shapes of clouds and compatible servers."""

    error: ErrorDetail | str | None = None
    type: str | None = None
    message: str | None = None
