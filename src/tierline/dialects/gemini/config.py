"""`generationConfig` ↔ neutral sampling, output and reasoning."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.gemini import thinking
from tierline.dialects.gemini.generation import LEVELLED, Generation
from tierline.dialects.gemini.parse import shape_of
from tierline.dialects.gemini.parts import Dropped
from tierline.dialects.gemini.schema import json_schema
from tierline.dialects.gemini.wire import NAME, GenerationConfig, many, told
from tierline.dialects.json_body import Fields
from tierline.types.conversation import Conversation, Output, Reasoning, Sampling

Wire = dict[str, Any]
MOST_STOPS = 5
"""More stop sequences Google does not take."""
MOST_CANDIDATES = 8
"""More answers Google does not give."""
_LARGEST_SEED = 2**31
_JSON = "application/json"
_HELD = {
    *("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty", "frequencyPenalty"),
    *("responseJsonSchema", "responseLogprobs", "logprobs", "thinkingConfig"),
}
_config = msgspec.json.Decoder(GenerationConfig)
_fields = msgspec.json.Decoder(Fields)


def read(raw: bytes) -> tuple[Sampling, Output, Reasoning, Fields]:
    """Sampling, output and reasoning, and the fields without a neutral meaning. Raises msgspec.ValidationError for a wrong type."""
    wire = _config.decode(raw)
    fields = _fields.decode(raw)
    rest = {key: value for key, value in fields.items() if key not in _HELD and told(value)}
    if wire.response_mime_type in (_JSON, "text/plain"):
        del rest["responseMimeType"]
        rest.pop("responseSchema", None)
    if b"".join(bytes(rest.get("responseModalities", b"")).split()) == b'["TEXT"]':
        del rest["responseModalities"]
    reasoning = Reasoning()
    if wire.thinking_config is not None:
        reasoning = thinking.read(wire.thinking_config, bytes(fields["thinkingConfig"]))
    return _sampling(wire), _output(wire), reasoning, rest


def written(conversation: Conversation, version: Generation | None, dropped: Dropped, rest: Fields) -> Wire:
    """`generationConfig`; `rest` is what this dialect had kept of its own. A `responseSchema` comes back as `responseJsonSchema`."""
    fields = _sampled(conversation.sampling, dropped)
    output = _possible(conversation, version, dropped)
    if output.kind != "text" and "responseMimeType" not in rest:
        fields["responseMimeType"] = _JSON
    if output.kind == "json_schema" and "responseSchema" not in rest:
        fields["responseJsonSchema"] = msgspec.Raw(output.schema or b"{}")
    if output.description:
        dropped["json_schema.description"] = None
    wanted = thinking.written(conversation.reasoning, version, dropped)
    if wanted is not None:
        fields["thinkingConfig"] = wanted
    return {**fields, **rest}


def _possible(conversation: Conversation, version: Generation | None, dropped: Dropped) -> Output:
    """The shape asked for, as far as the model can keep it: before the third generation none can call functions and answer in JSON."""
    output = conversation.output
    if conversation.by == NAME or not conversation.tools or version is None or version >= LEVELLED or output.kind == "text":
        return output
    dropped[output.kind] = None
    return Output()


def _sampling(wire: GenerationConfig) -> Sampling:
    return Sampling(
        max_tokens=wire.max_output_tokens,
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=None if wire.top_k is None else int(wire.top_k),
        stop=tuple(many(wire.stop_sequences)),
        seed=wire.seed,
        frequency_penalty=wire.frequency_penalty,
        presence_penalty=wire.presence_penalty,
        n=max(wire.candidate_count or 1, 1),
        logprobs=wire.response_logprobs is True,
        top_logprobs=wire.logprobs,
    )


def _output(wire: GenerationConfig) -> Output:
    kind = shape_of(wire)
    if kind != "json_schema":
        return Output(kind)
    if told(wire.response_json_schema):
        return Output(kind, bytes(wire.response_json_schema))
    return Output(kind, json_schema(bytes(wire.response_schema)))


def _sampled(wanted: Sampling, dropped: Dropped) -> Wire:
    fields: Wire = {
        "maxOutputTokens": wanted.max_tokens,
        "temperature": wanted.temperature,
        "topP": wanted.top_p,
        "topK": wanted.top_k,
        "stopSequences": wanted.stop[:MOST_STOPS] or None,
        "seed": wanted.seed if wanted.seed is None else _seed(wanted.seed),
        "frequencyPenalty": wanted.frequency_penalty,
        "presencePenalty": wanted.presence_penalty,
        "candidateCount": min(wanted.n, MOST_CANDIDATES) if wanted.n > 1 else None,
        "responseLogprobs": wanted.logprobs or None,
        "logprobs": wanted.top_logprobs,
    }
    lost = {"stop": len(wanted.stop) > MOST_STOPS, "n": wanted.n > MOST_CANDIDATES}
    dropped.update(dict.fromkeys([name for name, asked in lost.items() if asked]))
    return {name: value for name, value in fields.items() if value is not None}


def _seed(seed: int) -> int:
    """Google takes 32 bits: a larger seed becomes one of those, and always the same."""
    return seed if -_LARGEST_SEED <= seed < _LARGEST_SEED else seed % _LARGEST_SEED
