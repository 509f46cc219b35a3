"""The parts of OpenAI's bodies that Tierline reads; every other field passes untouched."""

from __future__ import annotations

import msgspec

Raw = msgspec.Raw
NOTHING = msgspec.Raw()


class ImageUrl(msgspec.Struct):
    """`image_url` of a content part."""

    url: str = ""


class InputAudio(msgspec.Struct):
    """`input_audio` of a content part: Base64 and its format."""

    data: str = ""
    format: str = ""


class InputFile(msgspec.Struct):
    """`file` of a content part: inline as a data URL, or by its id."""

    file_data: str = ""
    file_id: str = ""
    filename: str = ""


class ContentPart(msgspec.Struct):
    """One part of a message's content; parts of other types are passed on and not read."""

    type: str = ""
    text: str | None = None
    image_url: ImageUrl | str | None = None
    input_audio: InputAudio | None = None
    file: InputFile | None = None
    refusal: str | None = None


class CalledFunction(msgspec.Struct):
    """What an assistant called, its arguments as JSON text."""

    name: str = ""
    arguments: str | None = None
    input: str | None = None


class WireToolCall(msgspec.Struct):
    """One entry of `tool_calls`."""

    id: str | None = None
    function: CalledFunction | None = None
    custom: CalledFunction | None = None


class WireMessage(msgspec.Struct):
    """One entry of `messages`."""

    role: str = ""
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None
    refusal: str | None = None
    reasoning_details: Raw = NOTHING


class FunctionSpec(msgspec.Struct):
    """A function that the model may call."""

    name: str = ""
    description: str | None = None
    parameters: Raw = NOTHING


class WireTool(msgspec.Struct):
    """One entry of `tools`; tools of the provider's own carry neither `function` nor `custom`."""

    type: str = "function"
    function: FunctionSpec | None = None
    custom: FunctionSpec | None = None


class NamedTool(msgspec.Struct):
    """`tool_choice` or `function_call` as an object."""

    type: str = ""
    name: str = ""
    function: FunctionSpec | None = None
    custom: FunctionSpec | None = None


class ResponseFormat(msgspec.Struct):
    """`response_format`."""

    type: str = "text"


class StreamOptions(msgspec.Struct):
    """`stream_options`."""

    include_usage: bool | None = None


class ChatBody(msgspec.Struct):
    """What routing reads of a chat completion request."""

    model: str = ""
    messages: list[WireMessage] = []
    tools: list[WireTool] | None = None
    functions: list[FunctionSpec] | None = None
    tool_choice: str | NamedTool | None = None
    function_call: str | NamedTool | None = None
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    reasoning_effort: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


class EmbeddingsBody(msgspec.Struct):
    """What routing reads of an embeddings request."""

    model: str = ""
    input: str | list[str | int | list[int]] = ""


class PromptDetails(msgspec.Struct):
    """`usage.prompt_tokens_details`."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    """`usage.completion_tokens_details`."""

    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """`usage`; `prompt_cache_hit_tokens` is what some compatible upstreams say instead of the details."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class AnswerMessage(msgspec.Struct):
    """The message of a choice."""

    content: str | list[ContentPart] | None = None
    refusal: str | None = None


class Choice(msgspec.Struct):
    """One choice of an answer."""

    message: AnswerMessage
    finish_reason: str | None = None


class ChatAnswer(msgspec.Struct):
    """What is read of a chat completion. `error` stands where an upstream answers 200 and means an error."""

    choices: list[Choice] = []
    model: str | None = None
    usage: Raw = NOTHING
    error: Raw = NOTHING


class EmbeddingsAnswer(msgspec.Struct):
    """What is read of an embeddings answer."""

    data: list[Raw] = []
    model: str | None = None
    usage: Raw = NOTHING
    error: Raw = NOTHING


class Delta(msgspec.Struct):
    """The delta of a streamed choice; reasoning counts as content, for the client sees it and pays for it."""

    content: str | list[ContentPart] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: Raw = NOTHING
    function_call: Raw = NOTHING
    audio: Raw = NOTHING


class StreamChoice(msgspec.Struct):
    """One choice of a streamed chunk."""

    delta: Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class Chunk(msgspec.Struct):
    """One chunk of a stream."""

    choices: list[StreamChoice] | None = None
    model: str | None = None
    usage: Raw = NOTHING
    error: Raw = NOTHING


class ErrorDetail(msgspec.Struct):
    """The inside of an error envelope."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class ErrorEnvelope(msgspec.Struct):
    """An error body: the envelope, or the flat shape of some compatible servers."""

    error: ErrorDetail | str | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    detail: Raw = NOTHING
