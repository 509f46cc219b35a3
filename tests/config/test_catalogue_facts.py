"""Facts about models: found under the names people write, from a snapshot anyone can make anew."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tierline.config.catalogue import Catalogue, Facts, bits, shipped, spellings
from tierline.config.catalogue_build import LISTED_AS, build
from tierline.config.presets import presets
from tierline.types.errors import TierlineError
from tierline.types.features import CAPABILITIES

LIST: dict[str, Any] = {
    "sample_spec": {"mode": "one of"},
    "gpt-5-mini": {
        "litellm_provider": "openai",
        "mode": "chat",
        "max_input_tokens": 1000,
        "max_output_tokens": 100,
        "supports_function_calling": True,
        "supports_vision": True,
        "deprecation_date": "2030-01-01",
    },
    "groq/own-model": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "max_input_tokens": 8191},
    "dall-e-3": {"litellm_provider": "openai", "mode": "image_generation"},
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    file = tmp_path_factory.mktemp("list") / "list.json"
    file.write_text(json.dumps(LIST))
    return Catalogue(build(file))


def test_a_model_is_found_under_its_dated_prefixed_and_capital_names() -> None:
    exact = shipped().find("openai", "gpt-5-mini")
    assert exact is not None
    for name in ("openai/gpt-5-mini", "GPT-5-mini", "gpt-5-mini-2099-01-31", "gpt-5-mini-20990131", "gpt-5-mini-latest"):
        assert shipped().find("openai", name) == exact


def test_the_exact_name_is_looked_for_first() -> None:
    assert spellings("openai", "GPT-4o-2024-08-06") == ("GPT-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o")


def test_a_model_is_not_found_at_a_provider_that_does_not_serve_it() -> None:
    assert shipped().find("groq", "gpt-5-mini") is None
    assert shipped().find("nobody", "gpt-5-mini") is None


def test_the_shipped_snapshot_is_small_and_says_where_it_is_from() -> None:
    catalogue = shipped()
    assert set(catalogue.about.sources) == {"prices", "capabilities"}
    assert all("MIT" in source for source in catalogue.about.sources.values())
    packed = Path(__file__).parents[2] / "src/tierline/config/catalogue.json.gz"
    assert packed.stat().st_size < 400_000


def test_every_fact_of_the_snapshot_is_plausible() -> None:
    for provider in shipped().providers:
        for name, facts in shipped().table(provider).items():
            price = facts.price
            assert price is None or (price.input >= 0 and price.output >= 0), (provider, name)
            assert price is None or max(price.input, price.output) < 2000, (provider, name)
            assert facts.context >= 0, (provider, name)


def test_every_provider_with_a_preset_of_the_catalogue_has_a_table() -> None:
    for name, preset in presets().items():
        if preset.catalogue != "":
            assert name in LISTED_AS


def test_capabilities_survive_their_bits() -> None:
    for word in CAPABILITIES:
        assert Facts(bits=bits({word, "chat"})).capabilities == tuple(w for w in CAPABILITIES if w in (word, "chat"))
    assert Facts().capabilities is None


def test_a_price_is_known_only_when_both_its_sides_are() -> None:
    assert Facts(input=1.0).price is None
    embedding = Facts(input=1.0, bits=bits({"embeddings"})).price
    assert embedding is not None
    assert embedding.output == 0


def test_a_fresh_snapshot_takes_prices_from_the_one_source_and_the_rest_from_the_other(fresh: Catalogue) -> None:
    facts = fresh.find("openai", "gpt-5-mini")
    assert facts is not None
    assert (facts.priced_by, facts.context, facts.max_output, facts.retired) == ("genai-prices", 1000, 100, "2030-01-01")
    assert facts.price is not None
    assert facts.capabilities is not None
    assert {"chat", "tools", "vision", "json_object"} <= set(facts.capabilities)


def test_the_lists_own_price_stands_in_where_the_other_source_has_none(fresh: Catalogue) -> None:
    facts = fresh.find("groq", "own-model")
    assert facts is not None
    assert (facts.input, facts.output, facts.priced_by) == (1.0, 2.0, "litellm")


def test_embedding_models_are_known_and_image_models_are_not(fresh: Catalogue) -> None:
    facts = fresh.find("openai", "text-embedding-3-small")
    assert facts is not None
    assert facts.capabilities == ("embeddings",)
    assert fresh.find("openai", "dall-e-3") is None


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    file, wheel = tmp_path / "list.json", tmp_path / "litellm-1.2.3-py3-none-any.whl"
    file.write_text(json.dumps(LIST))
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("litellm/model_prices_and_context_window_backup.json", json.dumps(LIST))
    assert build(file) == build(file)
    from_wheel = Catalogue(build(wheel))
    assert from_wheel.about.sources["capabilities"] == "litellm 1.2.3 (MIT)"
    assert from_wheel.table("groq") == Catalogue(build(file)).table("groq")


@pytest.mark.parametrize("content", [b"[]", b"not json", b""])
def test_a_list_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_bytes(content)
    with pytest.raises(TierlineError, match="not litellm's model list"):
        build(tmp_path / "list.json")


def test_a_wheel_without_the_list_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other-1.0-py3-none-any.whl", "w") as packed:
        packed.writestr("other/__init__.py", "")
    with pytest.raises(TierlineError, match="is it a wheel of litellm"):
        build(tmp_path / "other-1.0-py3-none-any.whl")
    with pytest.raises(TierlineError, match="there is no file"):
        build(tmp_path / "none.json")


def test_a_snapshot_has_one_digest_for_its_facts() -> None:
    packed = (Path(__file__).parents[2] / "src/tierline/config/catalogue.json.gz").read_bytes()
    repacked = gzip.compress(gzip.decompress(packed), 1, mtime=5)
    assert Catalogue(repacked).digest == shipped().digest
