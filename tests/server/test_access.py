"""Every endpoint at every kind of key, and a forbidden model asked for by every name it has."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from server.conftest import FLEET
from server.harness import Running, Said, serving
from server.test_incident import Log
from tierline.config.load import load
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.ledger.keys import Given
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router
from tierline.server.admin import Admin, Reviewing
from tierline.server.app import App
from tierline.server.auth import LONGEST
from tierline.server.endpoints import endpoints
from tierline.server.key_admin import Keeping
from tierline.server.keyring import Keyring
from tierline.server.metrics import Meters
from tierline.server.panels.ground import Ground
from tierline.server.panels.panels import routes_of
from tierline.server.public import Public
from tierline.server.release_admin import Releasing

KEYS = """
keys:
  spec-reader: {secret: "${READER}", scopes: [read]}
"""
READER = "s-reader-of-twenty-characters"
GARBLED, UNKNOWN = "tl_0000", "nobody-knows-this-one"
OPEN = {
    *(("GET", path) for path in ("/", "/openapi.json", "/health", "/health/liveness", "/health/readiness", "/dashboard", "/dashboard/x")),
    ("HEAD", "/"),
}
"""All that needs no key."""


class Place(NamedTuple):
    running: Running
    secrets: dict[str, str]

    def ask(self, method: str, path: str, key: str, body: Any = None, **headers: str) -> Said:
        return self.running.ask(method, path, body, {"authorization": f"Bearer {self.secrets[key]}", **headers})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    spec = tmp_path_factory.mktemp("access") / "tierline.yaml"
    spec.write_text(FLEET + KEYS)
    secrets = {"reader": READER, "garbled": GARBLED, "unknown": UNKNOWN, "long": "x" * (LONGEST + 1)}
    past = time.time() - 1000.0
    with closing(Ledger(spec.parent / "tierline.db", clock=lambda: past)) as before:
        secrets["expired"] = before.keys.create("expired", Given(("call", "read", "admin")), "test", past + 10)[1]
        secrets["replaced"] = before.keys.create("replaced", Given(("call", "read", "admin")), "test")[1]
        before.keys.rotate("replaced", 10.0, "test")
        secrets["revoked"] = before.keys.create("revoked", Given(("call", "read", "admin")), "test")[1]
        before.keys.revoke("revoked", "test")
        secrets["caller"] = before.keys.create("caller", Given(("call",)), "test")[1]
        secrets["narrow"] = before.keys.create("narrow", Given(("call",), models=("mini",)), "test")[1]
        secrets["boss"] = before.keys.create("boss", Given(("call", "admin")), "test")[1]
    with serving(spec, READER=READER) as running:
        yield Place(running, secrets)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """Every method and path that is answered, and the scope that it asks for; one below a path that goes on."""
    folder = tmp_path_factory.mktemp("routes")
    (folder / "tierline.yaml").write_text(FLEET)
    books, meters = Books(folder / "ledger.db"), Meters()

    async def made() -> App:
        live = Live(load(folder / "tierline.yaml", {}), {}, Log(), meters.observe, books.keep_spec, meters.reloaded)
        panels = routes_of(Ground(live, books, (folder / "ledger.db",)))
        handlers = (endpoints(live.gateway.dialects), Public(live, books, meters), Admin(live, books), Reviewing(books))
        app = App(live, meters, *handlers, Keeping(live, books, Keyring()), Releasing(live, books, {}), panels)
        await live.close()
        return app

    found = [(method, path + "x" * path.endswith("/") * (path != "/"), scope) for method, path, scope in asyncio.run(made()).routes]
    books.close()
    return found


def test_the_test_knows_endpoints_of_every_scope(routes: list[tuple[str, str, str]]) -> None:
    assert {scope for _, _, scope in routes} == {"", "call", "read", "admin"}
    assert len(routes) > 30
    assert {(method, path) for method, path, scope in routes if not scope} == OPEN


@pytest.mark.parametrize("key", ["unknown", "garbled", "long", "expired", "replaced", "revoked"])
def test_no_endpoint_opens_to_a_key_that_does_not_open(key: str, place: Place, routes: list[tuple[str, str, str]]) -> None:
    for method, path, scope in routes:
        said = place.ask(method, path, key)
        assert (said.status == 401) == bool(scope), (method, path)
        assert place.secrets[key].encode() not in said.body


def test_no_endpoint_opens_without_a_key(place: Place, routes: list[tuple[str, str, str]]) -> None:
    strange = ({}, {"authorization": "Bearer"}, {"authorization": "Bearer  "}, {"x-api-key": ""}, {"authorization": f"Basic {READER}"})
    for method, path, scope in routes:
        for headers in strange:
            assert (place.running.ask(method, path, None, headers).status == 401) == bool(scope), (method, path, headers)


def test_a_key_in_the_query_opens_geminis_endpoints_alone(place: Place) -> None:
    secret = place.secrets["caller"]
    assert place.running.ask("GET", f"/v1beta/models?key={secret}").status == 200
    for path in ("/v1/models", "/metrics", "/admin/world", "/admin/keys"):
        assert place.running.ask("GET", f"{path}?key={secret}").status == 401


@pytest.mark.parametrize(
    ("key", "allowed"),
    [("reader", {"", "read"}), ("caller", {"", "call"}), ("narrow", {"", "call"}), ("boss", {"", "call", "read", "admin"})],
)
def test_a_key_opens_what_its_scopes_say_and_nothing_else(
    key: str, allowed: set[str], place: Place, routes: list[tuple[str, str, str]]
) -> None:
    for method, path, scope in routes:
        said = place.ask(method, path, key, body=b"" if method == "POST" else None)
        assert (said.status == 403) == (scope not in allowed), (method, path, said.status)
        assert said.status not in (401, 500), (method, path)


def test_only_the_holder_of_a_true_secret_is_told_what_became_of_it(place: Place) -> None:
    def told(key: str) -> str:
        return str(place.ask("GET", "/v1/models", key).error["message"])

    assert "has expired" in told("expired") and "took its place" in told("replaced") and "was revoked" in told("revoked")
    assert "mistyped" in told("garbled")
    for secret in ("caller", "revoked", "spec-reader", "admin", "x", "sk-" + "0" * 40):
        said = place.running.ask("GET", "/v1/models", None, {"x-api-key": secret})
        assert (said.status, said.error["message"]) == (401, told("unknown"))
    assert place.running.ask("GET", "/v1/models", None, {"x-api-key": "\u00e9" * 20}).status == 401


def test_failures_are_counted_by_cause_and_no_secret_is_written_anywhere(place: Place) -> None:
    for key in ("unknown", "garbled", "expired", "revoked"):
        place.ask("GET", "/v1/models", key)
    shown = place.ask("GET", "/metrics", "boss").body.decode()
    causes = {line.split('cause="')[1].split('"')[0] for line in shown.splitlines() if line.startswith("tierline_not_let_in_total{")}
    assert causes <= {"missing", "malformed", "unknown", "expired", "revoked"} and len(causes) >= 4
    seen = shown + place.running.output + json.dumps(place.ask("GET", "/admin/audit?limit=1000", "boss").json)
    seen += place.ask("GET", "/admin/keys?all=1", "boss").body.decode()
    kept = (place.running.spec.parent / "tierline.db").read_bytes() + (place.running.spec.parent / "tierline.db-wal").read_bytes()
    for secret in place.secrets.values():
        assert secret not in seen
        assert secret.encode() not in kept


# A forbidden model by every name it has. `narrow` may use mini alone.

NAMES = (
    "big", "fleet/big", "tier/best", "BIG", "Big", " big", "big ", "\tbig", "big\u200b", "b\u0131g", "\uff42\uff49\uff47", "b%69g",
    "big\x00", "auto/big", "auto/../big", "../big", "tierline/big", "models/big", "auto", "auto/auto", "auto/audited",
    "tier/balanced", "tier/BEST", "mini,big",
)  # fmt: skip
HINTS = (
    {"x-tierline-tier": "best"},
    {"x-tierline-model": "big"},
    {"X-Tierline-Model": "fleet/big"},
    {"x-tierline-task": "greeting", "x-tierline-tier": "best"},
    {"x-tierline-risk": "high"},
    {"x-tierline-key": "boss"},
    {"x-tierline-team": "boss"},
    {"x-tierline-session": "boss"},
)


def stays(place: Place, said: Said) -> None:
    """Whoever answered, and whoever was tried, is mini."""
    assert said.status in (200, 400, 403, 404, 422), said.body
    if said.status == 200:
        assert said.headers["x-tierline-model"] == "mini"
    if "x-tierline-decision" in said.headers:
        row = place.running.record(said.headers["x-tierline-decision"])
        assert {tried.target for tried in row.tried} <= {"mini"}
        assert {target for step in row.decision.steps for target in step.targets} <= {"mini"}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_in_any_format_leads_to_a_forbidden_model(name: str, place: Place) -> None:
    words = [{"role": "user", "content": "hi"}]
    for path, body in (
        ("/v1/chat/completions", {"model": name, "messages": words}),
        ("/v1/chat/completions", {"model": name, "messages": words, "stream": True}),
        ("/v1/responses", {"model": name, "input": "hi"}),
        ("/v1/messages", {"model": name, "messages": words, "max_tokens": 5}),
    ):
        stays(place, place.ask("POST", path, "narrow", body))


@pytest.mark.parametrize("name", ["big", "fleet/big", "b%69g", "%62%69%67", "BIG", "models/big", "big%2F..", "mini%2F..%2Fbig"])
def test_no_path_of_gemini_leads_to_a_forbidden_model(name: str, place: Place) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    for prefix in ("/v1beta/models/", "/v1/models/"):
        stays(place, place.ask("POST", f"{prefix}{name}:generateContent", "narrow", body))


@pytest.mark.parametrize("hints", HINTS, ids=str)
def test_no_hint_leads_to_a_forbidden_model(hints: dict[str, str], place: Place) -> None:
    words = [{"role": "user", "content": "hi"}]
    stays(place, place.ask("POST", "/v1/chat/completions", "narrow", {"model": "auto", "messages": words}, **hints))
    for metadata in (hints, {name.lower().replace("x-tierline-", "tierline_"): value for name, value in hints.items()}):
        body = {"model": "auto", "messages": words, "metadata": metadata}
        stays(place, place.ask("POST", "/v1/chat/completions", "narrow", body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "mini", "model": "big", "messages": [{"role": "user", "content": "hi"}]}',
        b'{"model": "big", "messages": [{"role": "user", "content": "hi"}], "model": "mini"}',
        b'{"\\u006dodel": "big", "messages": [{"role": "user", "content": "hi"}]}',
        b'{"model": "b\\u0069g", "messages": [{"role": "user", "content": "hi"}]}',
        b'{"model": ["mini", "big"], "messages": [{"role": "user", "content": "hi"}]}',
        b'{"model": "auto", "models": ["big"], "route": "fallback", "messages": [{"role": "user", "content": "hi"}]}',
        b'{"model": "auto", "key": "boss", "user": "boss", "messages": [{"role": "user", "content": "hi"}]}',
    ],
)
def test_no_body_smuggles_a_forbidden_model_in(body: bytes, place: Place) -> None:
    stays(place, place.ask("POST", "/v1/chat/completions", "narrow", body))


def test_embeddings_and_dry_runs_keep_to_the_key_too(place: Place) -> None:
    said = place.ask("POST", "/v1/embeddings", "narrow", {"model": "vectors", "input": "hi"})
    assert said.status in (400, 403)
    dry = place.ask("POST", "/v1/route", "narrow", {"model": "tier/best", "messages": [{"role": "user", "content": "hi"}]})
    assert dry.json["model"] == "" and not dry.json["decision"]["steps"]
    names = {entry["id"] for entry in place.ask("GET", "/v1/models", "narrow").json["data"]}
    assert "mini" in names and not {"big", "mid", "vectors"} & names


@pytest.mark.parametrize("header", ["session_id", "session-id", "x-claude-code-session-id", "x-tierline-session", "x-tierline-tags"])
def test_a_header_that_is_no_ascii_is_refused_or_passed_over(header: str, place: Place) -> None:
    said = place.ask("POST", "/v1/chat/completions", "narrow", {"model": "auto", "messages": []}, **{header: "\u00e9"})
    assert said.status in (200, 400)


def test_two_keys_at_once_never_add_up(place: Place) -> None:
    """The bearer counts, whatever else is sent."""
    both = {"authorization": f"Bearer {place.secrets['caller']}", "x-api-key": place.secrets["boss"]}
    assert place.running.ask("GET", "/admin/keys", None, both).status == 403
    wrong_first = {"authorization": "Bearer wrong-and-long-enough", "x-api-key": place.secrets["boss"]}
    assert place.running.ask("GET", "/admin/keys", None, wrong_first).status == 401


def test_a_request_of_a_key_that_is_gone_is_decided_again_as_it_was(place: Place) -> None:
    secret = place.ask("POST", "/admin/keys", "boss", {"name": "brief", "models": ["mini"]}).json["secret"]
    said = place.running.chat("auto", headers={"x-api-key": secret})
    row = place.running.record(said.headers["x-tierline-decision"])
    place.ask("DELETE", "/admin/keys/brief", "boss")
    assert place.running.chat("auto", headers={"x-api-key": secret}).status == 401
    assert (row.features.key, row.features.key_models, row.decision.target) == ("brief", ("mini",), "mini")
    assert Router(load(place.running.spec, {"READER": READER})).decide(row.features, row.scores, row.view) == row.decision
