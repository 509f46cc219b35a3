"""Words of a client, wherever people and programs read them: logs, terminals, metrics, headers. None of them may act."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from security.guarded import Guarded
from tierline.server.errors import incident

ESC = "\x1b]0;owned\x07\x1b[2J\x1b[31m"
LINE = "\r\n2026-01-01 00:00:00 ERROR tierline.server: forged"
LABEL = '"} 1\nforged_total{x="'
BIDI = "\u202egnp.exe\u2066"
EVIL = ESC + LINE + LABEL + BIDI
ACTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that move a cursor, colour a terminal, or turn the order of text."""


def command(guarded: Guarded, *words: str) -> str:
    """What `tierline WORDS` says to people."""
    done = subprocess.run([sys.executable, "-m", "tierline", *words], capture_output=True, cwd=guarded.running.spec.parent, check=False)
    return (done.stdout + done.stderr).decode()


def metadata(value: object) -> dict[str, object]:
    return {f"tierline_{name}": value for name in ("session", "risk", "sensitivity", "user_tier")} | {"tierline_tags": [value]}


@pytest.fixture(scope="module")
def spoken(guarded: Guarded) -> Sequence[str]:
    """The decisions of requests that carried evil words in every field that takes words."""
    said = [guarded.chat("Hello", metadata=metadata(EVIL[:150]), user=EVIL)]
    said += [guarded.chat("Hello", metadata=metadata(EVIL[n : n + 30])) for n in range(0, 90, 30)]
    assert {answer.status for answer in said} == {200}
    words = [{"role": "user", "content": "Hello"}]
    for model in (EVIL, f"auto/{EVIL}", f"tier/{EVIL}", f"fleet/{EVIL}"):
        answer = guarded.ask("POST", "/v1/chat/completions", {"model": model, "messages": words})
        assert answer.status in (400, 404)
    unknown = [guarded.chat("Hello", metadata={f"tierline_{name}": EVIL[:100]}) for name in ("task", "tier")]
    assert {answer.status for answer in unknown} == {400}
    named = [answer.headers["x-tierline-decision"] for answer in said]
    guarded.running.record(named[-1])
    return named


def test_no_word_of_a_client_acts_on_a_terminal_that_shows_the_log(guarded: Guarded, spoken: Sequence[str]) -> None:
    shown = command(guarded, "log", "tail", "-n", "50")
    assert spoken[0] in shown
    for decision in spoken:
        shown += command(guarded, "log", "show", decision) + command(guarded, "explain", "--logged", decision)
    for by in ("tier", "model", "route", "task", "key"):
        shown += command(guarded, "log", "stats", "--by", by)
    assert not ACTS.search(shown.replace("\r\n", "\n"))
    assert "\n2026-01-01 00:00:00 ERROR" not in shown


def test_no_name_that_an_operator_gives_acts_on_a_terminal(guarded: Guarded) -> None:
    guarded.ask("POST", "/admin/keys", {"name": "evil" + EVIL[:40], "owner": EVIL, "team": EVIL})
    made = guarded.ask("POST", "/admin/keys", {"name": "plain", "owner": EVIL, "team": EVIL[:60]})
    assert made.status in (201, 400)
    assert guarded.ask("POST", "/admin/pins", {"route": "auto", "model": "mini", "for": "1m", "why": EVIL}).status == 201
    assert guarded.ask("DELETE", "/admin/pins/auto").status == 200
    shown = command(guarded, "keys", "list") + command(guarded, "audit", "list") + command(guarded, "pin", "list")
    shown += command(guarded, "review", "list")
    assert "plain" in shown or made.status == 400
    assert not ACTS.search(shown)


def test_the_servers_own_output_holds_no_forged_line(guarded: Guarded, spoken: Sequence[str]) -> None:
    for path in ("/v1beta/models/%1b%5b31m%0d%0aforged:generateContent", "/%0d%0a2026-01-01%20forged", "/admin/decisions/%0aforged%1b"):
        assert guarded.ask("POST" if "generate" in path else "GET", path, {}).status in (400, 404)
    assert spoken and "forged" not in guarded.running.output
    assert not ACTS.search(guarded.running.output)


def test_metrics_are_the_servers_own_words(guarded: Guarded, spoken: Sequence[str]) -> None:
    shown = guarded.ask("GET", "/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(shown)}
    assert spoken and "tierline_requests" in families and not any("forged" in name for name in families)
    labels = {value for family in families.values() for sample in family.samples for value in sample.labels.values()}
    assert not [value for value in labels if ACTS.search(value) or "forged" in value or "owned" in value]
    assert len(labels) < 100


@pytest.mark.parametrize("stream", [False, True])
def test_no_word_comes_back_as_a_header(guarded: Guarded, stream: bool) -> None:
    said = guarded.chat("Hello", metadata=metadata(EVIL[:150]), stream=stream, **{"x-extra": EVIL})
    assert said.status == 200
    assert all(value.isascii() and value.isprintable() for value in said.headers.values())
    assert not [name for name in said.headers if "forged" in name or "set-cookie" in name]


def test_the_names_of_a_spec_come_back_as_plain_headers(guarded: Guarded) -> None:
    """A tool or model that a client names is told apart by its characters and never by a header of its own."""
    tools = [{"type": "function", "function": {"name": EVIL[:60], "parameters": {"type": "object"}}}]
    said = guarded.chat("Hello", tools=tools)
    assert all(value.isascii() and value.isprintable() for value in said.headers.values())


def test_an_incident_is_told_on_lines_of_our_own(caplog: pytest.LogCaptureFixture) -> None:
    told = incident(ValueError("secret words"), f"/v1beta/models/{EVIL}")
    assert not ACTS.search(caplog.text) and "\n2026-01-01" not in caplog.text
    assert "secret words" not in caplog.text + told.message
