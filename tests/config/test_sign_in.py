"""`auth`: how a provider's calls sign in."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.spec_text import problems
from tierline.config.load import load
from tierline.config.sign_in import aws_scope
from tierline.types.access import Endpoint

MODEL = "models: {m: {provider: p, tier: fast, price: {input: 0, output: 0}, capabilities: []}}\ntiers: [fast]\n"
AWS = "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1"


def spec(provider: str) -> str:
    return f"version: 1\nproviders:\n  p: {provider}\n{MODEL}"


def endpoint(folder: Path, provider: str, environ: dict[str, str] | None = None) -> Endpoint:
    (folder / "tierline.yaml").write_text(spec(provider), encoding="utf-8")
    return load(folder / "tierline.yaml", environ or {}).providers["p"]


@pytest.mark.parametrize(
    ("provider", "auth", "secret"),
    [
        ("{base_url: 'https://x/v1', api_key: the-key}", "bearer", "the-key"),
        ("{base_url: 'https://x/v1', api_key: the-key, auth: x-token}", "x-token", "the-key"),
        ("{base_url: 'https://x/v1', auth: bearer}", "none", ""),
        ("{preset: anthropic, dialect: openai_chat, auth: bearer, api_key: the-key}", "bearer", "the-key"),
        ("{preset: openai, auth: none}", "none", ""),
        ("{base_url: 'https://x/v1', auth: google}", "google", ""),
        (f"{{base_url: '{AWS}', auth: aws}}", "aws", ""),
    ],
)
def test_what_the_spec_says_wins_over_the_preset(provider: str, auth: str, secret: str, tmp_path: Path) -> None:
    found = endpoint(tmp_path, provider)
    assert (found.auth, found.secret) == (auth, secret)


def test_a_cloud_that_signs_in_by_itself_needs_no_key(tmp_path: Path) -> None:
    found = endpoint(tmp_path, "{preset: azure, auth: azure}", {"AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com"})
    assert (found.auth, found.secret, found.base_url) == ("azure", "", "https://acme.openai.azure.com/openai/v1")


def test_a_file_of_credentials_lies_beside_the_spec(tmp_path: Path) -> None:
    found = endpoint(tmp_path, "{base_url: 'https://x/v1', auth: google, credentials: keys/robot.json}")
    assert found.credentials == str(tmp_path / "keys/robot.json")


@pytest.mark.parametrize(
    ("provider", "path", "reason"),
    [
        ("{base_url: 'https://x/v1', auth: 'no header'}", "auth", "neither a way to sign in nor a header's name"),
        ("{base_url: 'https://x/v1', auth: google, api_key: k}", "api_key", "signs in with the credentials of google-auth"),
        ("{base_url: 'https://x/v1', auth: none, api_key: k}", "api_key", "sends no key"),
        ("{base_url: 'https://x/v1', credentials: robot.json}", "credentials", "only auth: google reads a file"),
        ("{preset: vertex, base_url: 'https://elsewhere/v1'}", "", "not sent to another address unasked"),
        ("{base_url: 'https://x/v1', auth: aws, region: eu}", "", "made for one region of Amazon's"),
        ("{kind: scripted, auth: bearer}", "auth", "a provider of kind scripted has no auth"),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(provider: str, path: str, reason: str, tmp_path: Path) -> None:
    found = [problem for problem in problems(tmp_path, spec(provider)) if problem.severity == "error"]
    assert [(p.path, p.line) for p in found] == [(f"providers.p.{path}".rstrip("."), 3)]
    assert reason in found[0].reason


def test_a_header_that_looks_like_a_misspelt_word_is_warned_of(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, spec("{base_url: 'https://x/v1', auth: gogle, api_key: '${K}'}"))
    assert (found.severity, found.path, found.suggestion) == ("warning", "providers.p.auth", "did you mean 'google'?")


@pytest.mark.parametrize("given", ["{preset: bedrock, auth: aws}", "{base_url: '${WHERE}', auth: aws}", "{preset: vertex}"])
def test_a_region_or_project_that_stands_in_the_environment_is_not_judged_without_it(given: str, tmp_path: Path) -> None:
    assert list(problems(tmp_path, spec(given))) == []


@pytest.mark.parametrize(
    ("address", "region", "scope"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "", ("bedrock", "us-east-1")),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/openai/v1", "", ("bedrock", "us-gov-west-1")),
        ("https://bedrock-mantle.eu-central-1.api.aws/openai/v1", "", ("bedrock-mantle", "eu-central-1")),
        ("https://vpce-0a-b.bedrock-runtime.eu-west-1.vpce.amazonaws.com/openai/v1", "us-east-1", ("bedrock", "eu-west-1")),
        ("https://gateway.example/openai/v1", "ap-southeast-2", ("bedrock", "ap-southeast-2")),
        ("https://gateway.example/openai/v1", "eu", None),
    ],
)
def test_a_signature_is_for_the_region_that_the_address_names_else_for_the_providers(
    address: str, region: str, scope: tuple[str, str] | None
) -> None:
    assert aws_scope(address, region) == scope
