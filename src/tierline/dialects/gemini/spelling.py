"""Snake case → camel case: Google takes both spellings of its own field names, and Tierline reads one.

Only the names that Google defines are respelled. What stands inside a function's arguments, responses and JSON Schemas, and the names of a
schema's properties, are the user's own words.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_NAMES = (
    *("system_instruction", "tool_config", "generation_config", "safety_settings", "cached_content", "output_dimensionality", "task_type"),
    *("inline_data", "file_data", "mime_type", "file_uri", "display_name", "thought_signature", "video_metadata", "media_resolution"),
    *("start_offset", "end_offset", "function_call", "function_response", "executable_code", "code_execution_result", "part_metadata"),
    *("function_declarations", "parameters_json_schema", "response_json_schema", "google_search", "google_search_retrieval"),
    *("code_execution", "url_context", "computer_use", "google_maps", "file_search", "dynamic_retrieval_config", "retrieval_config"),
    *("function_calling_config", "allowed_function_names", "top_p", "top_k", "candidate_count", "max_output_tokens", "stop_sequences"),
    *("presence_penalty", "frequency_penalty", "response_mime_type", "response_schema", "response_logprobs", "response_modalities"),
    *("thinking_config", "include_thoughts", "thinking_budget", "thinking_level", "speech_config", "voice_config", "image_config"),
    *("any_of", "min_items", "max_items", "min_length", "max_length", "min_properties", "max_properties", "property_ordering"),
)
_CAMEL = {name: re.sub(r"_(\w)", lambda letter: letter[1].upper(), name) for name in _NAMES}
_KNOWN = re.compile(rb'"(?:' + "|".join(_NAMES).encode() + rb')"\s*:')
_OPAQUE = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "labels", "default", "example", "enum", "partMetadata"}
_NAMED_BY_USER = {"properties", "defs"}


def camel(body: bytes) -> bytes:
    """The same JSON in camel case; `body` itself where nothing is spelled otherwise. Takes valid JSON only."""
    if b"_" not in body or _KNOWN.search(body) is None:
        return body
    return msgspec.json.encode(_respelled(msgspec.json.decode(body)))


def _respelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_respelled(item) for item in value]
    return _object(value) if isinstance(value, dict) else value


def _object(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for given, inner in value.items():
        name: str = _CAMEL.get(given, given)
        found[name] = _inside(name, inner)
    return found


def _inside(name: str, value: Any) -> Any:
    if name in _OPAQUE:
        return value
    if name in _NAMED_BY_USER and isinstance(value, dict):
        return {key: _respelled(inner) for key, inner in value.items()}
    return _respelled(value)
