"""Keys made while the gateway runs: by its admin API, by the command line, by its first start."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.conftest import FLEET
from server.harness import Running, launch, serving, until

KEYS = 'keys:\n  boss: {secret: "${BOSS}", scopes: [admin, call]}\n'
BOSS = "s-boss-of-twenty-characters"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("minted") / "tierline.yaml"
    spec.write_text(FLEET + KEYS)
    with serving(spec, BOSS=BOSS) as running:
        yield running


def admin(running: Running, method: str, path: str, body: Any = None, key: str = BOSS) -> Any:
    return running.ask(method, path, body, {"authorization": f"Bearer {key}"})


def status(running: Running, secret: str) -> int:
    return running.ask("GET", "/v1/models", None, {"authorization": f"Bearer {secret}"}).status


def tierline(running: Running, *words: str) -> Any:
    command = [sys.executable, "-m", "tierline", *words, "--config", str(running.spec), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_a_key_lives_and_dies_by_the_admin_api_at_once(keyed: Running) -> None:
    made = admin(keyed, "POST", "/admin/keys", {"name": "ci", "owner": "ada", "models": ["mini"], "requests": 50, "expires_in": "1h"})
    assert made.status == 201 and made.json["state"] == "live"
    first = made.json["secret"]
    assert status(keyed, first) == 200
    second = admin(keyed, "POST", "/admin/keys/ci/rotate", {"grace": "1h"}).json["secret"]
    assert (status(keyed, first), status(keyed, second)) == (200, 200)
    third = admin(keyed, "POST", "/admin/keys/ci/rotate", {"grace": 0}).json["secret"]
    assert (status(keyed, first), status(keyed, second), status(keyed, third)) == (401, 401, 200)
    listed = admin(keyed, "GET", "/admin/keys")
    assert [kept["name"] for kept in listed.json["keys"]] == ["ci"] and listed.json["spec"] == ["boss"]
    assert not any(secret.encode() in listed.body for secret in (first, second, third))
    assert admin(keyed, "GET", "/admin/keys/ci").json["given"]["owner"] == "ada"
    assert admin(keyed, "DELETE", "/admin/keys/ci").json["state"] == "revoked"
    assert status(keyed, third) == 401
    trail = admin(keyed, "GET", "/admin/audit").json["entries"]
    assert [(entry["who"], entry["action"]) for entry in trail if entry["subject"] == "ci"] == [
        ("boss", "key.revoke"),
        ("boss", "key.rotate"),
        ("boss", "key.rotate"),
        ("boss", "key.create"),
    ]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": "boss"}, "the spec has a key 'boss'"),
        ({"name": "x", "models": ["unheard-of"]}, "no model 'unheard-of'"),
        ({"name": "x", "routes": ["unheard-of"]}, "no route"),
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "requests": 0}, "at least 1"),
        ({"name": "x", "per": "soon"}, "per:"),
        ({"name": "x", "expires_in": 0}, "expires_in:"),
        ({"name": "x", "secret": "mine"}, "secret"),
        ({"name": "x/../y"}, "cannot be a name"),
        ({}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused(body: Any, says: str, keyed: Running) -> None:
    refused = admin(keyed, "POST", "/admin/keys", body)
    assert refused.status == 400 and says in refused.error["message"]


def test_what_is_not_there_is_said_so(keyed: Running) -> None:
    assert admin(keyed, "GET", "/admin/keys/nobody").status == 404
    assert admin(keyed, "DELETE", "/admin/keys/nobody").status == 400
    assert admin(keyed, "POST", "/admin/keys/nobody/rotate", {}).status == 400
    assert admin(keyed, "POST", "/admin/keys/nobody", {}).status == 404
    assert admin(keyed, "GET", "/admin/audit?limit=0").status == 400


def test_the_command_line_reaches_a_running_gateway(keyed: Running) -> None:
    secret = tierline(keyed, "keys", "create", "outside", "--model", "mini")["secret"]
    until(lambda: status(keyed, secret) == 200, within=10.0)
    said = keyed.chat(headers={"x-api-key": secret})
    assert said.headers["x-tierline-model"] == "mini"
    tierline(keyed, "keys", "revoke", "outside")
    until(lambda: status(keyed, secret) == 401, within=10.0)


def test_the_first_key_closes_an_open_gateway_and_ending_it_does_not_open_it_again(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET)
    with serving(spec) as running:
        assert running.chat().status == 200
        secret = running.ask("POST", "/admin/keys", {"name": "ops", "scopes": ["call", "read", "admin"]}).json["secret"]
        assert (running.chat().status, status(running, secret)) == (401, 200)
        assert admin(running, "DELETE", "/admin/keys/ops", key=secret).status == 200
        assert (running.chat().status, status(running, secret)) == (401, 401)


def test_a_spec_with_a_key_of_the_ledger_is_refused_and_the_old_one_stays(keyed: Running) -> None:
    secret = admin(keyed, "POST", "/admin/keys", {"name": "taken"}).json["secret"]
    keyed.spec.write_text(FLEET + KEYS + '  taken: {secret: "a-secret-of-the-spec-for-taken"}\n')
    refused = admin(keyed, "POST", "/admin/reload")
    assert refused.status == 422 and "keys named taken" in refused.json["problem"]
    assert (status(keyed, secret), status(keyed, "a-secret-of-the-spec-for-taken")) == (200, 401)
    again = launch(keyed.spec, BOSS=BOSS)
    assert again.process.wait(60) == 2 and "the ledger has keys named taken too" in again.output
    keyed.spec.write_text(FLEET + KEYS)
    assert admin(keyed, "POST", "/admin/reload").status == 200


def test_a_public_gateway_is_not_opened_by_taking_its_last_key_away(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + KEYS)
    running = launch(spec, "--host", "0.0.0.0", BOSS=BOSS)
    try:
        until(lambda: "answers at" in running.output)
        spec.write_text(FLEET)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: "took the place of" in running.output)
        assert (running.chat().status, status(running, BOSS)) == (401, 401)
    finally:
        running.stop()


def test_a_public_first_start_mints_an_admin_key_and_says_where_but_not_what(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET)
    refused = launch(spec, "--host", "0.0.0.0")
    assert refused.process.wait(60) == 2 and "--mint" in refused.output
    for first in (True, False):
        running = launch(spec, "--host", "0.0.0.0", "--mint")
        try:
            until(lambda running=running: "answers at" in running.output)
            file = tmp_path / "tierline-admin.key"
            secret = file.read_text().strip()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert (str(file) in running.output) == first and secret not in running.output
            assert (running.chat().status, admin(running, "GET", "/admin/keys", key=secret).status) == (401, 200)
        finally:
            running.stop()


def test_every_worker_follows_and_each_change_of_the_spec_stands_in_the_trail_once(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(FLEET + KEYS)
    with serving(spec, "--workers", "2", BOSS=BOSS) as running:
        secret = tierline(running, "keys", "create", "ci")["secret"]
        until(lambda: all(status(running, secret) == 200 for _ in range(12)), within=10.0)
        spec.write_text(FLEET.replace("ability: 0.5", "ability: 0.6") + KEYS)
        running.process.send_signal(signal.SIGHUP)

        def changes() -> list[str]:
            return [entry["who"] for entry in tierline(running, "audit")["entries"][::-1] if entry["action"] == "spec"]

        until(lambda: len(changes()) == 2)
        until(lambda: running.output.count("took the place of") == 2)
        found = changes()
    assert found[0] == "(start)" and len(found) == 2
