"""Secrets: in no answer, no log line, no metric, no repr, no file; and error bodies of upstreams tell nothing of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from security.guarded import SECRETS, SPEC, Guarded
from server.harness import launch
from tierline.config.load import load


def test_after_all_kinds_of_requests_no_secret_is_anywhere(guarded: Guarded) -> None:
    secret = SECRETS["CALLER"]
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/auto:generateContent", "/nowhere", "/admin/keys"):
        for body in (b"{", b'{"model": "auto"}', b'{"model": "no-such-model", "messages": [{"role": "user", "content": "x"}]}'):
            for key in ("CALLER", "READER", "BOSS"):
                assert secret.encode() not in guarded.ask("POST", path, body, key).body
    assert guarded.running.ask("GET", f"/v1beta/models?key={secret}").status == 200
    assert guarded.running.ask("GET", "/v1/models", None, {"authorization": f"Basic {secret}"}).status == 401
    made = guarded.ask("POST", "/admin/keys", {"name": "shown-once"}).json["secret"]
    guarded.chat("Hello")
    everything = guarded.everything() + guarded.ask("GET", "/openapi.json").body
    assert [name for name, value in {**SECRETS, "MADE": made}.items() if value.encode() in everything] == []


def test_no_secret_is_in_a_repr_or_in_what_is_kept_of_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC)
    loaded = load(path, SECRETS)
    shown = repr(loaded) + repr(loaded.providers) + repr(loaded.keys) + loaded.canonical.decode() + repr(loaded.spec)
    assert [name for name, secret in SECRETS.items() if secret in shown] == []


@pytest.mark.parametrize("broken", ['  caller: {secret: "${CALLER}", scopes: [none]}', '  other: {secret: "${CALLER}", scopes: [call]}'])
def test_no_secret_is_in_what_is_said_of_a_bad_spec(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC.replace("keys:\n", f"keys:\n{broken}\n"))
    running = launch(path, **SECRETS)
    assert running.process.wait(20) == 2
    assert running.output and not [name for name, secret in SECRETS.items() if secret in running.output]
