"""Providers as data."""

from __future__ import annotations

import pytest

from tierline.config.plugin_names import registered
from tierline.config.presets import presets


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_is_complete(name: str) -> None:
    preset = presets()[name]
    assert preset.base_url.startswith(("https://", "http://127.0.0.1:"))
    assert preset.dialect in registered("tierline.dialects")
    assert bool(preset.key) is (preset.residency == "cloud")


def test_the_well_known_providers_have_one() -> None:
    wanted = (
        "openai groq together fireworks deepseek mistral xai openrouter perplexity cerebras sambanova nvidia huggingface anthropic gemini"
    )
    assert {*wanted.split(), "ollama", "vllm", "sglang", "llamacpp", "lmstudio"} <= set(presets())
