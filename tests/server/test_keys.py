"""Who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.conftest import FLEET
from server.harness import Running, launch, serving

KEYS = """
keys:
  team: {secret: "${TEAM}", scopes: [call], routes: [auto]}
  narrow: {secret: "${NARROW}", scopes: [call], models: [mini]}
  viewer: {secret: "${VIEWER}", scopes: [read]}
  boss: {secret: "${BOSS}", scopes: [admin, call]}
"""
SECRETS = {"TEAM": "s-team-1", "NARROW": "s-narrow-1", "VIEWER": "s-viewer-1", "BOSS": "s-boss-1"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("keyed") / "tierline.yaml"
    spec.write_text(FLEET + KEYS)
    with serving(spec, **SECRETS) as running:
        yield running


def bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {SECRETS[name]}"}


def test_a_key_opens_and_no_key_or_a_wrong_one_does_not(keyed: Running) -> None:
    assert keyed.chat(headers=bearer("TEAM")).status == 200
    assert keyed.chat(headers={"x-api-key": SECRETS["TEAM"]}).status == 200
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {SECRETS['TEAM']}"}, {"x-api-key": ""}):
        said = keyed.chat(headers=headers)
        assert (said.status, said.error["code"], said.headers["www-authenticate"]) == (401, "invalid_api_key", "Bearer")
        assert "wrong" not in said.error["message"]


def test_the_row_names_the_key_and_nothing_shows_its_secret(keyed: Running) -> None:
    row = keyed.record(keyed.chat(headers=bearer("TEAM")).headers["x-tierline-decision"])
    assert row.features.key == "team"
    everything = keyed.ask("GET", "/admin/spec", headers=bearer("BOSS")).body + keyed.output.encode()
    assert not any(secret.encode() in everything for secret in SECRETS.values())


def test_scopes_are_kept(keyed: Running) -> None:
    def status(method: str, path: str, name: str) -> int:
        return keyed.ask(method, path, headers=bearer(name)).status

    assert keyed.chat(headers=bearer("VIEWER")).status == 403
    assert [status("GET", "/metrics", name) for name in SECRETS] == [403, 403, 200, 200]
    assert [status("GET", "/admin/spec", name) for name in SECRETS] == [403, 403, 403, 200]
    assert [status("GET", "/admin/decisions/none", name) for name in SECRETS] == [403, 403, 404, 404]
    assert keyed.ask("GET", "/metrics").status == 401
    assert keyed.ask("GET", "/health/readiness").status == 200


def test_a_key_stays_on_its_routes_and_models(keyed: Running) -> None:
    said = keyed.chat("auto/audited", headers=bearer("TEAM"))
    assert said.status == 403 and "may not use the route" in said.error["message"]
    assert keyed.chat("auto", headers=bearer("NARROW")).headers["x-tierline-model"] == "mini"
    named = keyed.chat("big", headers=bearer("NARROW"))
    assert (named.status, named.error["code"]) == (403, "no_eligible_model")
    names = {entry["id"] for entry in keyed.ask("GET", "/v1/models", headers=bearer("NARROW")).json["data"]}
    assert "mini" in names and "big" not in names


def test_feedback_is_for_ones_own_requests(keyed: Running) -> None:
    decision = keyed.chat(headers=bearer("TEAM")).headers["x-tierline-decision"]

    def give(name: str) -> int:
        return keyed.ask("POST", "/v1/feedback", {"decision": decision, "accept": True}, bearer(name)).status

    assert (give("NARROW"), give("TEAM"), give("BOSS")) == (404, 200, 200)


def test_a_public_address_without_keys_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET)
    running = launch(spec, "--host", "0.0.0.0")
    assert running.process.wait(60) == 2
    assert "without keys" in running.output and "--host 127.0.0.1" in running.output
