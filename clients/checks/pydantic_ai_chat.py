"""pydantic-ai over Chat Completions."""

import told
from pydantic_ai import NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai_agent import Place, check

provider = OpenAIProvider(base_url=f"{told.GATEWAY}/v1", api_key=told.KEY)
check(OpenAIChatModel(told.MODEL, provider=provider), NativeOutput(Place))
