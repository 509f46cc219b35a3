"""The parts of Gemini's bodies that Tierline reads, in camel case as Google writes them; every other field passes untouched.

Google takes one object where a list stands, so such fields are either.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

Raw = msgspec.Raw
NAME = "gemini"
NOTHING = Raw()
T = TypeVar("T")


def many(given: list[T] | T | None) -> list[T]:
    """A field that holds one object or a list of them, as a list."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def told(raw: Raw | bytes) -> bool:
    """Whether a field was sent and is not null."""
    return bytes(raw) not in (b"", b"null")


class Blob(msgspec.Struct, rename="camel"):
    """`inlineData`: Base64 and its type."""

    mime_type: str | None = None
    data: str | None = None
    display_name: str | None = None


class FileData(msgspec.Struct, rename="camel"):
    """`fileData`: an address, or the address of a file that Google holds."""

    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(msgspec.Struct, rename="camel"):
    """`functionCall`; many upstreams give it no id."""

    name: str = ""
    id: str | None = None
    args: Raw = NOTHING


class FunctionResponsePart(msgspec.Struct, rename="camel"):
    """Media inside a function's response."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(msgspec.Struct, rename="camel"):
    """`functionResponse`: what a function gave back, as an object."""

    name: str = ""
    id: str | None = None
    response: Raw = NOTHING
    parts: list[FunctionResponsePart] | None = None


class WirePart(msgspec.Struct, rename="camel"):
    """One part of a content; what other fields it has is known to Gemini alone."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None


class Content(msgspec.Struct, rename="camel"):
    """One turn: `role` is user, model or function, and user where it is missing."""

    role: str | None = None
    parts: list[WirePart] | WirePart | None = None


class RawContent(msgspec.Struct, rename="camel"):
    """One turn with its parts as they were sent."""

    role: str | None = None
    parts: Raw = NOTHING


class Declaration(msgspec.Struct, rename="camel"):
    """One function: `parameters` in the subset of OpenAPI that Google defines, or `parametersJsonSchema`."""

    name: str = ""
    description: str | None = None
    parameters: Raw = NOTHING
    parameters_json_schema: Raw = NOTHING


class WireTool(msgspec.Struct, rename="camel"):
    """One entry of `tools`: functions, and tools that Google itself runs."""

    function_declarations: list[Declaration] | Declaration | None = None


class FunctionCallingConfig(msgspec.Struct, rename="camel"):
    """`toolConfig.functionCallingConfig`."""

    mode: str | None = None
    allowed_function_names: list[str] | str | None = None


class ToolConfig(msgspec.Struct, rename="camel"):
    """`toolConfig`."""

    function_calling_config: FunctionCallingConfig | None = None


class ThinkingConfig(msgspec.Struct, rename="camel"):
    """`generationConfig.thinkingConfig`: a budget of -1 leaves it to the model."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class GenerationConfig(msgspec.Struct, rename="camel"):
    """`generationConfig`."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | str | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str | None = None
    response_schema: Raw = NOTHING
    response_json_schema: Raw = NOTHING
    response_logprobs: bool | None = None
    logprobs: int | None = None
    thinking_config: ThinkingConfig | None = None


class ChatBody(msgspec.Struct, rename="camel"):
    """What routing reads of a generateContent request."""

    contents: list[Content] | Content | None = None
    system_instruction: Content | None = None
    tools: list[WireTool] | WireTool | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    model: str | None = None


class EmbedRequest(msgspec.Struct, rename="camel"):
    """One text to embed."""

    content: Content | None = None
    model: str | None = None


class EmbedBody(EmbedRequest, rename="camel"):
    """What routing reads of an embedContent or batchEmbedContents request."""

    requests: list[EmbedRequest] | None = None


class WireUsage(msgspec.Struct, rename="camel"):
    """`usageMetadata`: the prompt with what the cache held, the candidates without thoughts."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None


class Web(msgspec.Struct, rename="camel"):
    """A source of grounding; `text` is what was found in it."""

    uri: str | None = None
    title: str | None = None
    text: str | None = None


class GroundingChunk(msgspec.Struct, rename="camel"):
    """One source, by kind."""

    web: Web | None = None
    retrieved_context: Web | None = None
    maps: Web | None = None
    image: Web | None = None


class Segment(msgspec.Struct, rename="camel"):
    """A span of the answer, in bytes of UTF-8, and its words."""

    start_index: int | None = None
    end_index: int | None = None
    text: str | None = None


class GroundingSupport(msgspec.Struct, rename="camel"):
    """Which sources bear a span."""

    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class GroundingMetadata(msgspec.Struct, rename="camel"):
    """`groundingMetadata` of a candidate."""

    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None


class CitationSource(msgspec.Struct, rename="camel"):
    """One entry of `citationMetadata`, its span in bytes."""

    uri: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class CitationMetadata(msgspec.Struct, rename="camel"):
    """`citationMetadata` of a candidate; older answers say `citationSources`."""

    citations: list[CitationSource] | None = None
    citation_sources: list[CitationSource] | None = None


class TokenLogprob(msgspec.Struct, rename="camel"):
    """One token and its log probability."""

    token: str | None = None
    log_probability: float | None = None


class TopCandidates(msgspec.Struct, rename="camel"):
    """The likeliest tokens at one place."""

    candidates: list[TokenLogprob] | None = None


class LogprobsResult(msgspec.Struct, rename="camel"):
    """`logprobsResult` of a candidate."""

    chosen_candidates: list[TokenLogprob] | None = None
    top_candidates: list[TopCandidates] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One answer, or a piece of it in a stream."""

    content: RawContent | None = None
    finish_reason: str | None = None
    index: int | None = None
    grounding_metadata: GroundingMetadata | None = None
    citation_metadata: CitationMetadata | None = None
    logprobs_result: LogprobsResult | None = None


class PromptFeedback(msgspec.Struct, rename="camel"):
    """`promptFeedback`: why a prompt was refused."""

    block_reason: str | None = None


class AnswerBody(msgspec.Struct, rename="camel"):
    """A GenerateContentResponse. `error` stands where an upstream answers 200 and means an error."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Raw = NOTHING
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: Raw = NOTHING


class SeenPart(msgspec.Struct, rename="camel"):
    """What is looked at of a part that passes: its words, and whether it is anything else."""

    text: str | None = None
    thought: bool | None = None
    function_call: Raw = NOTHING
    inline_data: Raw = NOTHING
    executable_code: Raw = NOTHING


class SeenContent(msgspec.Struct):
    """The content of a candidate that passes."""

    parts: list[SeenPart] | None = None


class SeenCandidate(msgspec.Struct, rename="camel"):
    """A candidate that passes."""

    content: SeenContent | None = None
    finish_reason: str | None = None
    index: int | None = None


class SeenAnswer(msgspec.Struct, rename="camel"):
    """A GenerateContentResponse that passes."""

    candidates: list[SeenCandidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Raw = NOTHING
    model_version: str | None = None
    error: Raw = NOTHING


class SeenUsage(msgspec.Struct, rename="camel"):
    """The count alone."""

    usage_metadata: Raw = NOTHING


class EmbedAnswer(msgspec.Struct, rename="camel"):
    """An answer of embedContent (`embedding`) or batchEmbedContents (`embeddings`)."""

    embedding: Raw = NOTHING
    embeddings: list[Raw] | None = None
    usage_metadata: Raw = NOTHING
    error: Raw = NOTHING


class ErrorDetail(msgspec.Struct):
    """The inside of an error envelope."""

    message: str | None = None
    code: int | str | None = None
    status: str | None = None


class ErrorEnvelope(msgspec.Struct):
    """An error body."""

    error: ErrorDetail | str | None = None
