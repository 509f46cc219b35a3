"""pydantic-ai over Anthropic Messages."""

import told
from pydantic_ai import ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai_agent import Place, check

provider = AnthropicProvider(base_url=told.GATEWAY, api_key=told.KEY)
check(AnthropicModel(told.MODEL, provider=provider), ToolOutput(Place, name="final_result"))
