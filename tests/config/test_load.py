"""What loading gives: everything resolved, secrets nowhere but where they are used."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import msgspec
import pytest

from config.spec_text import FLEET
from tierline.config.load import load
from tierline.config.loaded import Loaded
from tierline.types.errors import SpecInvalid
from tierline.types.features import CAPABILITIES

SECRET = "a-secret-that-is-long-enough"
ENVIRON = {"OPENAI_API_KEY": "sk-of-openai", "TEAM_KEY": SECRET, "TOKEN": "token-of-the-house"}


def loaded(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> Loaded:
    """A spec of this text."""
    file = folder / "tierline.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def test_a_preset_needs_nothing_but_its_name(tmp_path: Path) -> None:
    endpoint = loaded(tmp_path, FLEET).providers["openai"]
    assert (endpoint.base_url, endpoint.dialect, endpoint.auth) == ("https://api.openai.com/v1", "openai_chat", "bearer")
    assert (endpoint.secret, endpoint.residency) == ("sk-of-openai", "cloud")


def test_a_presets_own_secret_never_goes_to_another_address(tmp_path: Path) -> None:
    endpoint = loaded(tmp_path, FLEET.replace("openai: {}", "openai: {base_url: 'http://elsewhere/v1'}")).providers["openai"]
    assert (endpoint.secret, endpoint.auth) == ("", "none")


def test_several_keys_and_addresses_make_a_door_for_each_pair(tmp_path: Path) -> None:
    several = "openai: {api_keys: ['${A}', '${B}'], base_urls: ['http://one/v1/', 'http://two/v1']}"
    given = loaded(tmp_path, FLEET.replace("openai: {}", several), {"A": "sk-a", "B": "sk-b"})
    doors = given.providers["openai"].doors
    assert [(door.name, door.base_url, door.secret) for door in doors] == [
        ("openai#1", "http://one/v1", "sk-a"),
        ("openai#2", "http://one/v1", "sk-b"),
        ("openai#3", "http://two/v1", "sk-a"),
        ("openai#4", "http://two/v1", "sk-b"),
    ]
    assert not any(secret in text for secret in ("sk-a", "sk-b") for text in (f"{given!r}", given.canonical.decode()))


def test_one_key_and_one_address_are_one_door_with_the_provider_s_name(tmp_path: Path) -> None:
    (door,) = loaded(tmp_path, FLEET).providers["openai"].doors
    assert (door.name, door.base_url, door.secret) == ("openai", "https://api.openai.com/v1", "sk-of-openai")


def test_a_key_that_stands_in_the_file_is_not_kept_beside_the_log(tmp_path: Path) -> None:
    pasted = "openai: {api_keys: ['${OPENAI_API_KEY}', 'plainly written']}"
    given = loaded(tmp_path, FLEET.replace("openai: {}", pasted))
    assert b"plainly written" not in given.canonical
    assert [door.secret for door in given.providers["openai"].doors] == ["sk-of-openai", "plainly written"]


def test_a_provider_without_a_key_sends_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, FLEET).providers["house"].auth == "none"


def test_headers_are_sent_with_their_variables_filled(tmp_path: Path) -> None:
    text = FLEET.replace("region: eu}", 'region: eu, headers: {x-token: "${TOKEN}"}}')
    assert loaded(tmp_path, text).providers["house"].headers == (("x-token", "token-of-the-house"),)


def test_what_the_spec_says_of_a_model_wins_over_the_catalogue(tmp_path: Path) -> None:
    text = FLEET.replace(
        "model: gpt-5-mini, ", "model: gpt-5-mini, price: {input: 9, output: 8}, context: 77, capabilities: [vision], region: us, "
    )
    model = loaded(tmp_path, text).models["mini"]
    assert (model.price.input, model.price.output, model.context, model.source) == (9, 8, 77, "spec")
    assert (model.capabilities, model.region, model.residency) == (("chat", "vision"), "us", "cloud")


def test_the_catalogue_gives_price_window_and_capabilities(tmp_path: Path) -> None:
    model = loaded(tmp_path, FLEET).models["mini"]
    assert (model.source, model.upstream) == ("catalogue", "gpt-5-mini")
    assert model.price.known
    assert 0 < model.price.input < model.price.output
    assert model.context > 100_000
    assert {"chat", "tools", "json_schema", "vision"} <= set(model.capabilities)


def test_a_model_nobody_knows_is_taken_with_a_warning_that_says_what_to_give(tmp_path: Path) -> None:
    spec = loaded(tmp_path, FLEET.replace("gpt-5-mini", "gpt-5-minni"))
    (warning,) = spec.warnings
    assert (warning.path, warning.severity, warning.line) == ("models.mini", "warning", 6)
    assert "chat, tools, json_object" in warning.reason
    assert "price: {input: …, output: …}" in warning.suggestion
    assert "'gpt-5-mini'" in warning.suggestion
    assert (spec.models["mini"].price.known, spec.models["mini"].source) == (False, "unknown")
    assert spec.models["mini"].capabilities == ("chat", "tools", "json_object")


def test_a_priced_model_of_unknown_ability_is_warned_of_too(tmp_path: Path) -> None:
    (warning,) = loaded(tmp_path, FLEET.replace(", capabilities: [tools]", "")).warnings
    assert "can do" in warning.reason


@pytest.mark.parametrize("kind", ["scripted", "recorded"])
def test_models_without_a_network_can_do_everything_and_are_warned_of_without_a_price(kind: str, tmp_path: Path) -> None:
    more = ", table: answers.csv" if kind == "recorded" else ""
    spec = loaded(
        tmp_path, f"version: 1\nproviders: {{p: {{kind: {kind}{more}}}}}\nmodels: {{m: {{provider: p, tier: fast}}}}\ntiers: [fast]\n"
    )
    assert spec.models["m"].capabilities == CAPABILITIES
    assert [warning.path for warning in spec.warnings] == ["models.m"]


def test_a_model_that_is_not_served_on_the_chat_endpoint_is_warned_of(tmp_path: Path) -> None:
    (warning,) = loaded(tmp_path, FLEET.replace("model: gpt-5,", "model: gpt-5-pro,")).warnings
    assert "not served on the chat endpoint" in warning.reason


def test_a_model_that_was_retired_before_the_catalogue_was_made_is_warned_of(tmp_path: Path) -> None:
    text = FLEET.replace("openai: {}", "openai: {}\n  deepseek: {api_key: '${TOKEN}'}").replace(
        "openai, model: gpt-5,", "deepseek, model: deepseek-chat,"
    )
    (warning,) = loaded(tmp_path, text).warnings
    assert "retired 'deepseek-chat' on 2026-07-24" in warning.reason


def test_keys_are_found_by_the_digest_of_their_secret_only(tmp_path: Path) -> None:
    spec = loaded(
        tmp_path, FLEET + "keys:\n  team: {secret: '${TEAM_KEY}', scopes: [call, read], routes: [auto], models: [mini], team: blue}\n"
    )
    key = spec.keys[hashlib.sha256(SECRET.encode()).digest()]
    assert (key.name, key.scopes, key.routes, key.models, key.team) == (
        "team",
        frozenset({"call", "read"}),
        frozenset({"auto"}),
        frozenset({"mini"}),
        "blue",
    )


def test_no_secret_stands_in_the_canonical_spec_or_in_the_repr_of_anything(tmp_path: Path) -> None:
    text = FLEET.replace("region: eu}", "region: eu, headers: {x-token: '${TOKEN}', x-other: sk-pasted-by-somebody}}")
    text = text.replace("openai: {}", "openai: {api_key: sk-pasted-too-by-somebody}") + "keys:\n  team: {secret: '${TEAM_KEY}'}\n"
    spec = loaded(tmp_path, text)
    for secret in (*ENVIRON.values(), "sk-pasted-by-somebody", "sk-pasted-too-by-somebody"):
        assert secret.encode() not in spec.canonical
        assert secret not in repr(spec)


def test_the_canonical_spec_can_be_read_again_and_decides_the_same(tmp_path: Path) -> None:
    text = FLEET + "tasks:\n  t: {why: x, latency_budget: 1500ms, models: [mini, full]}\nroutes:\n  auto: {deadline: 20s}\n"
    first = loaded(tmp_path, text)
    again = loaded(tmp_path, first.canonical.decode())
    assert msgspec.structs.replace(again.spec, server=first.spec.server, decision_log=first.spec.decision_log) == first.spec
    assert again.fingerprint == first.fingerprint


def test_an_invalid_spec_raises_with_every_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as raised:
        loaded(tmp_path, FLEET + "taks: {}\nroutes:\n  r: {task: none}\n")
    assert [problem.path for problem in raised.value.problems] == ["taks", "routes.r.task"]
    assert "taks" in str(raised.value)


def test_a_small_spec_loads_within_sixty_milliseconds(tmp_path: Path) -> None:
    loaded(tmp_path, FLEET)
    best = min(_seconds(tmp_path) for _ in range(3))
    assert best < 0.06


def _seconds(folder: Path) -> float:
    start = time.process_time()
    loaded(folder, FLEET)
    return time.process_time() - start


def test_a_table_is_looked_for_beside_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(
        "version: 1\nproviders:\n  tape: {kind: recorded, table: answers.csv}\n"
        "models:\n  mini: {provider: tape, tier: fast, price: {input: 1, output: 1}}\n"
    )
    assert load(path).providers["tape"].table == str(tmp_path / "answers.csv")


@pytest.mark.parametrize(
    ("dialect", "header"), [("openai_chat", "bearer"), ("anthropic_messages", "x-api-key"), ("gemini", "x-goog-api-key")]
)
def test_a_server_of_ones_own_is_signed_in_to_as_its_dialect_does(tmp_path: Path, dialect: str, header: str) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(
        f'version: 1\nproviders:\n  own: {{dialect: {dialect}, base_url: "http://127.0.0.1:9/v1", api_key: "${{OWN_KEY}}"}}\n'
        "models:\n  mini: {provider: own, tier: fast, price: {input: 1, output: 1}}\n"
    )
    assert load(path, {"OWN_KEY": "a-secret-of-some-length"}).providers["own"].auth == header
