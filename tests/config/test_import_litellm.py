"""A LiteLLM configuration becomes a spec that checks, and what is lost is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tierline.config.import_litellm import convert
from tierline.config.load import load
from tierline.types.errors import TierlineError

CONFIG = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 60}
  - model_name: gpt-4o
    litellm_params: {model: openrouter/openai/gpt-4o, api_key: os.environ/ROUTER_KEY}
  - model_name: mini
    litellm_params: {model: gpt-4o-mini, api_key: sk-pasted-into-the-file}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-5, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: house
    litellm_params: {model: openai/qwen3-32b, api_base: os.environ/HOUSE_URL, api_key: none, max_parallel_requests: 8}
    model_info: {input_cost_per_token: 1.0e-07, output_cost_per_token: 2.0e-07, max_input_tokens: 32000,
      supports_function_calling: true, id: x}
  - model_name: far
    litellm_params: {model: azure/gpt-4o-eu, api_base: "https://x.example", api_key: os.environ/AZ}
  - model_name: "openai/*"
    litellm_params: {model: "openai/*"}
  - model_name: embed
    litellm_params: {model: text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: embedding}
router_settings:
  routing_strategy: usage-based-routing-v2
  fallbacks: [{gpt-4o: [mini, claude]}]
litellm_settings:
  context_window_fallbacks: [{mini: [gpt-4o]}]
  drop_params: true
general_settings: {master_key: sk-1234-in-the-file, database_url: "postgres://x"}
callback_settings: {a: 1}
"""
ENVIRON = {
    "OPENAI_API_KEY": "sk-openai",
    "ROUTER_KEY": "sk-router",
    "HOUSE_URL": "http://house:8000/v1",
    "TIERLINE_ADMIN_KEY": "the-admins-long-secret-key",
}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("litellm") / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    return convert(file)


@pytest.fixture(scope="module")
def spec(text: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def test_the_result_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "tierline.yaml").write_text(text, encoding="utf-8")
    loaded = load(tmp_path / "tierline.yaml", ENVIRON)
    assert set(loaded.models) == {"gpt-4o", "gpt-4o-2", "mini", "house", "embed"}
    assert loaded.providers[loaded.models["house"].provider].base_url == "http://house:8000/v1"
    assert loaded.models["embed"].capabilities == ("embeddings",)


def test_each_deployment_becomes_a_model_at_its_provider(spec: dict[str, Any]) -> None:
    assert [(m["provider"], m["model"]) for m in spec["models"].values()] == [
        ("openai", "gpt-4o"),
        ("openrouter", "openai/gpt-4o"),
        ("openai", "gpt-4o-mini"),
        ("openai-compatible", "qwen3-32b"),
        ("openai", "text-embedding-3-small"),
    ]


def test_prices_windows_and_limits_are_carried_over(spec: dict[str, Any]) -> None:
    house = spec["models"]["house"]
    assert house["price"] == {"input": 0.1, "output": 0.2}
    assert (house["context"], house["max_concurrency"], house["capabilities"]) == (32000, 8, ["tools"])


def test_secrets_are_read_from_the_environment_and_never_copied(text: str, spec: dict[str, Any]) -> None:
    assert "sk-" not in text
    assert spec["keys"]["admin"]["secret"] == "${TIERLINE_ADMIN_KEY}"
    assert spec["providers"]["openrouter"]["api_key"] == "${ROUTER_KEY}"


def test_groups_and_fallbacks_become_a_task_and_a_route(spec: dict[str, Any]) -> None:
    assert spec["tasks"]["gpt-4o"]["models"] == ["gpt-4o"]
    assert spec["tasks"]["gpt-4o"]["fallback"] == ["gpt-4o-2", "mini"]
    assert spec["tasks"]["mini"]["fallback"] == ["gpt-4o", "gpt-4o-2"]
    assert spec["routes"]["gpt-4o"] == {"task": "gpt-4o"}


def test_tiers_are_guessed_by_price_and_that_is_said(text: str, spec: dict[str, Any]) -> None:
    assert spec["models"]["embed"]["tier"] == "fast"
    assert spec["models"]["gpt-4o"]["tier"] == "best"
    assert "tiers are guessed by thirds of price" in text


@pytest.mark.parametrize(
    "lost",
    [
        "rpm",
        "claude-sonnet-5",
        "wildcards",
        "azure/gpt-4o-eu",
        "routing_strategy",
        "drop_params",
        "database_url",
        "callback_settings",
        "model_info id",
        "context_window_fallbacks",
        "'gpt-4o' → 'claude'",
        "master_key",
        "api_key stood in the file",
        "auto/gpt-4o",
    ],
)
def test_what_has_no_counterpart_is_listed_at_the_top(lost: str, text: str) -> None:
    notes = [line for line in text.splitlines() if line.startswith("# - ")]
    assert any(lost in note for note in notes)


def test_default_fallbacks_stand_in_for_every_group(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: gpt-4o}}\n"
        "  - {model_name: b, litellm_params: {model: gpt-4o-mini}}\n"
        "litellm_settings: {default_fallbacks: [b]}\n"
    )
    spec = yaml.safe_load(convert(file))
    assert spec["tasks"]["a"]["fallback"] == ["b"]
    assert "b" not in spec["tasks"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: 1\n", "no model_list"),
        ("model_list: []\n", "no model_list"),
        ("model_list:\n  - {model_name: a}\n", "none of the deployments"),
        ("model_list: [\n", "not YAML"),
    ],
)
def test_what_is_no_such_configuration_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(TierlineError, match=reason):
        convert(tmp_path / "config.yaml")
