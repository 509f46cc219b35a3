"""The names of attributes: those of OpenTelemetry's semantic conventions (checked against the package in a test), and our own."""

from __future__ import annotations

from urllib.parse import urlsplit

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
STREAM = "gen_ai.request.stream"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION = "gen_ai.usage.cache_creation.input_tokens"
REASONING = "gen_ai.usage.reasoning.output_tokens"
TOOL_NAME = "gen_ai.tool.name"
EVALUATION = "gen_ai.evaluation.name"
SCORE_VALUE = "gen_ai.evaluation.score.value"
SCORE_LABEL = "gen_ai.evaluation.score.label"
ERROR_TYPE = "error.type"
METHOD = "http.request.method"
ROUTE = "http.route"
STATUS = "http.response.status_code"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

EVALUATED = "gen_ai.evaluation.result"
"""The event of a validator's verdict."""
FIRST_CONTENT = "tierline.first_content"
"""The event of the first content."""

_HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "azure.com": "azure.ai.openai",
    "amazonaws.com": "aws.bedrock",
    "mistral.ai": "mistral_ai",
    "groq.com": "groq",
    "deepseek.com": "deepseek",
    "perplexity.ai": "perplexity",
    "x.ai": "x_ai",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
}


def place_of(address: str) -> tuple[str, int]:
    """The host and port of an address; empty and 0 where it has none."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname or "", port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def provider_of(host: str, name: str) -> str:
    """The conventions' word for who serves a host; where they have none, the provider's name in the spec."""
    for known, word in _HOSTS.items():
        if host == known or host.endswith((f".{known}", f"-{known}")):
            return word
    return name
