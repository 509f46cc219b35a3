"""Providers as data."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from config.spec_text import problems
from tierline.config.environment import has_placeholder, variables
from tierline.config.load import load
from tierline.config.plugin_names import registered
from tierline.config.presets import page, presets
from tierline.config.sign_in import LIBRARIES, WORDS
from tierline.types.access import Endpoint
from tierline.types.errors import SpecInvalid

ACCOUNT = {
    "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com/",
    "AWS_REGION": "eu-central-1",
    "GOOGLE_CLOUD_LOCATION": "europe-west4",
    "GOOGLE_CLOUD_PROJECT": "acme-support",
    "DATABRICKS_HOST": "https://adb-1.azuredatabricks.net",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef",
}
"""A value for each variable that an address of a preset reads."""

SPEAKS_NOW = {name: preset for name, preset in presets().items() if preset.dialect in registered("tierline.dialects")}


def spec(provider: str, **fields: object) -> str:
    """A spec with one provider and one model of it."""
    model = {"provider": provider, "tier": "fast", "price": {"input": 0, "output": 0}, "capabilities": []}
    return yaml.safe_dump({"version": 1, "providers": {provider: fields}, "models": {"m": model}, "tiers": ["fast"]})


def resolved(folder: Path, name: str, environ: dict[str, str], **fields: object) -> Endpoint:
    """What a provider that is only named becomes."""
    (folder / "tierline.yaml").write_text(spec(name, **fields), encoding="utf-8")
    return load(folder / "tierline.yaml", environ).providers[name]


def test_there_are_presets_for_every_provider_that_was_promised() -> None:
    wanted = """
        openai anthropic gemini azure bedrock vertex mistral cohere groq together fireworks deepseek xai openrouter perplexity
        cerebras sambanova nvidia huggingface databricks cloudflare github dashscope zai zhipu minimax novita nebius hyperbolic
        scaleway ovhcloud deepinfra moonshot ollama vllm sglang llamacpp lmstudio litellm tgi localai jan
    """
    assert set(wanted.split()) <= set(presets())


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_signs_in_somehow_unless_it_is_a_server_of_ones_own(name: str) -> None:
    preset = presets()[name]
    assert preset.dialect in registered("tierline.dialects")
    assert bool(preset.key or preset.auth in LIBRARIES) is (preset.residency == "cloud")
    assert preset.auth in WORDS or preset.auth == preset.auth.lower()


@pytest.mark.parametrize("name", sorted(SPEAKS_NOW))
def test_a_preset_resolves_to_an_address_that_keeps_secrets_or_stays_on_the_machine(name: str, tmp_path: Path) -> None:
    preset = presets()[name]
    endpoint = resolved(tmp_path, name, {**ACCOUNT, preset.key: "a-key"})
    address = urlsplit(endpoint.base_url)
    assert address.scheme == "https" or (address.scheme, address.hostname, preset.residency) == ("http", "127.0.0.1", "on_prem")
    assert not has_placeholder(endpoint.base_url)
    assert "//" not in address.path
    assert endpoint.secret == ("a-key" if preset.key else "")
    assert endpoint.auth == (preset.auth if preset.residency == "cloud" else "none")


@pytest.mark.parametrize("name", sorted(SPEAKS_NOW))
def test_a_preset_is_checked_without_any_variable(name: str, tmp_path: Path) -> None:
    assert list(problems(tmp_path, spec(name))) == []


@pytest.mark.parametrize("name", sorted(name for name, preset in SPEAKS_NOW.items() if variables(preset.base_url)))
@pytest.mark.parametrize("empty", [False, True], ids=["not set", "empty"])
def test_to_serve_each_variable_of_an_address_is_asked_for_at_the_line_of_the_provider(name: str, empty: bool, tmp_path: Path) -> None:
    needed = dict.fromkeys(variables(presets()[name].base_url), "") if empty else {}
    text = spec(name)
    found = problems(tmp_path, text, {presets()[name].key: "a-key", **needed}, need_secrets=True)
    line = text.splitlines().index(f"  {name}: {{}}") + 1
    assert [(p.path, p.line) for p in found] == [(f"providers.{name}", line)] * len(set(variables(presets()[name].base_url)))
    for problem, variable in zip(found, dict.fromkeys(variables(presets()[name].base_url)), strict=True):
        assert f"{variable}, which is {'empty' if empty else 'not set'}" in problem.reason


def test_an_address_of_ones_own_needs_no_variable_of_the_preset(tmp_path: Path) -> None:
    endpoint = resolved(tmp_path, "azure", {}, base_url="https://gateway.example/openai/v1", api_key="the-gateways-key")
    assert (endpoint.base_url, endpoint.secret, endpoint.auth) == ("https://gateway.example/openai/v1", "the-gateways-key", "api-key")


def test_a_variable_that_makes_no_address_is_named_and_its_value_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as raised:
        resolved(tmp_path, "databricks", {"DATABRICKS_HOST": "dapi-a-token-in-the-wrong-place", "DATABRICKS_TOKEN": "t"})
    (problem,) = raised.value.problems
    assert "with DATABRICKS_HOST as it is set" in problem.reason
    assert "wrong-place" not in str(problem)


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_has_its_row_in_the_reference(name: str) -> None:
    preset = presets()[name]
    (row,) = [line for line in page().splitlines() if line.startswith(f"| `{name}` |")]
    assert f"`{preset.base_url}`" in row
    assert f"`{preset.dialect}`" in row
    assert not preset.key or f"`{preset.key}`" in row


def test_the_committed_page_is_up_to_date() -> None:
    committed = Path(__file__).parents[2] / "docs/reference/providers.md"
    assert committed.read_text(encoding="utf-8") == page(), "run: make docs"
