"""The parts of the Responses API's bodies that Tierline reads; every other field passes untouched.

Items and events of many types share these structs: fields that mean different things in different types are kept raw.
"""

from __future__ import annotations

import msgspec

Raw = msgspec.Raw
NOTHING = msgspec.Raw()


class InputAudio(msgspec.Struct):
    """`input_audio` of a content part: Base64 and its format."""

    data: str = ""
    format: str = ""


class CacheBreakpoint(msgspec.Struct):
    """`prompt_cache_breakpoint`: the end of a prefix worth caching."""

    mode: str = ""
    ttl: str | None = None


class Content(msgspec.Struct):
    """One part of a message's content, of a tool's output, or of a reasoning item."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None
    input_audio: InputAudio | None = None
    annotations: Raw = NOTHING
    logprobs: Raw = NOTHING
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class Item(msgspec.Struct):
    """One entry of `input` or of `output`. An entry without a type is a message, or else a reference by id."""

    type: str | None = None
    role: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    content: Raw = NOTHING
    summary: Raw = NOTHING
    encrypted_content: str | None = None
    arguments: Raw = NOTHING
    input: Raw = NOTHING
    output: Raw = NOTHING
    result: Raw = NOTHING
    output_format: Raw = NOTHING


class ToolEntry(msgspec.Struct):
    """One entry of `tools`; those that the provider runs itself have other fields besides. A namespace holds more `tools`."""

    type: str = "function"
    name: str | None = None
    tools: Raw = NOTHING
    description: str | None = None
    parameters: Raw = NOTHING
    strict: bool | None = None
    format: Raw = NOTHING


class NamedTool(msgspec.Struct):
    """`tool_choice` as an object."""

    type: str = ""
    name: str | None = None
    mode: str | None = None


class TextFormat(msgspec.Struct):
    """`text.format`."""

    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema: Raw = NOTHING
    strict: bool | None = None


class TextSettings(msgspec.Struct):
    """`text`."""

    format: TextFormat | None = None


class ReasoningSettings(msgspec.Struct):
    """`reasoning`."""

    effort: str | None = None
    summary: str | None = None


class ResponsesBody(msgspec.Struct):
    """What is read of a request."""

    model: str = ""
    input: str | list[Item] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: Raw = NOTHING
    prompt: Raw = NOTHING
    tools: list[ToolEntry] | None = None
    tool_choice: str | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    text: TextSettings | None = None
    reasoning: ReasoningSettings | None = None
    include: list[str] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    user: str | None = None


class InputDetails(msgspec.Struct):
    """`usage.input_tokens_details`."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class OutputDetails(msgspec.Struct):
    """`usage.output_tokens_details`."""

    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """`usage`."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class IncompleteDetails(msgspec.Struct):
    """`incomplete_details`."""

    reason: str | None = None


class WireResponse(msgspec.Struct):
    """What is read of a response. `error` stands where it failed, or where an upstream answers 200 and means an error."""

    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    output: list[Raw] | None = None
    usage: Raw = NOTHING
    error: Raw = NOTHING
    incomplete_details: IncompleteDetails | None = None


class WireEvent(msgspec.Struct):
    """What is read of a streamed event. `part`, `item` and `response` stand where the event's type brings them."""

    type: str = ""
    response: WireResponse | None = None
    item: Raw = NOTHING
    part: Content | None = None
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: Raw = NOTHING
    text: str | None = None
    refusal: str | None = None
    arguments: Raw = NOTHING
    input: Raw = NOTHING
    annotation: Raw = NOTHING
    logprobs: Raw = NOTHING
