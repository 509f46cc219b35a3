"""`tierline keys` and `tierline audit`, on real files."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.conftest import FLEET
from tierline.cli.app import build
from tierline.ledger import key_secrets
from tierline.ledger.ledger import Ledger

APP = build(["keys", "audit"])
SPEC_KEYS = 'keys:\n  spec-key: {secret: "${SPEC_KEY}"}\n'


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(FLEET + SPEC_KEYS)
    return path


def run(spec: Path, *words: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(APP, [*words, "--config", str(spec)])
    assert done.exit_code == expect, done.output
    return done


def told(spec: Path, *words: str) -> Any:
    return json.loads(run(spec, *words, "--json").stdout)


def test_a_key_is_made_and_its_secret_is_all_that_a_pipe_gets(spec: Path) -> None:
    done = run(spec, "keys", "create", "ci", "--owner", "ada", "--model", "mini", "--requests", "60", "--expires", "90d", "--by", "ann")
    secret = done.stdout.strip()
    assert not key_secrets.is_garbled(secret) and secret.startswith("tl_")
    assert secret not in done.stderr and "shown this once" in done.stderr
    (kept,) = told(spec, "keys", "list")["keys"]
    assert (kept["name"], kept["by"], kept["state"], kept["secrets"][0]["prefix"]) == ("ci", "ann", "live", secret[:8])
    assert (kept["given"]["owner"], kept["given"]["models"], kept["given"]["rate"]["requests"]) == ("ada", ["mini"], 60)
    assert told(spec, "keys", "list")["spec"] == ["spec-key"]


def test_a_secret_may_go_into_a_file_that_its_owner_alone_reads(spec: Path, tmp_path: Path) -> None:
    to = tmp_path / "ops.key"
    done = run(spec, "keys", "create", "ops", "--admin", "--to", str(to))
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    secret = to.read_text().strip()
    assert secret not in done.output and not key_secrets.is_garbled(secret)
    assert "secret" not in told(spec, "keys", "rotate", "ops", "--to", str(tmp_path / "ops-2.key"))
    run(spec, "keys", "create", "other", "--to", str(to), expect=2)
    assert to.read_text().strip() == secret
    run(spec, "keys", "create", "ops", "--to", str(tmp_path / "ops-3.key"), expect=2)
    assert not (tmp_path / "ops-3.key").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("spec-key",), "the spec has a key 'spec-key'"),
        (("ci", "--model", "unheard-of"), "no model 'unheard-of' in the spec"),
        (("ci", "--route", "unheard-of"), "no route 'unheard-of'"),
        (("ci", "--task", "unheard-of"), "no task 'unheard-of'"),
        (("ci", "--scope", "root"), "--scope is one of call, read, admin"),
        (("ci", "--requests", "5", "--per", "week"), "--per is one of second"),
        (("ci", "--expires", "soon"), "is no duration"),
        (("a b",), "cannot be a name"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(words: tuple[str, ...], says: str, spec: Path) -> None:
    assert says in run(spec, "keys", "create", *words, expect=2).stderr
    assert told(spec, "keys", "list", "--all")["keys"] == []


def test_the_life_of_a_key_is_shown_and_stands_in_the_trail(spec: Path) -> None:
    run(spec, "keys", "create", "ci", "--requests", "5", "--tokens", "100", "--per", "hour", "--concurrency", "2", "--by", "ann")
    second = told(spec, "keys", "rotate", "ci", "--grace", "1h", "--by", "bob")["secret"]
    shown = run(spec, "keys", "show", "ci").stdout
    assert second[:8] in shown and "opens until" in shown and "2 at once, 5 requests/hour, 100 tokens/hour" in shown
    assert "live" in run(spec, "keys", "list").stdout
    run(spec, "keys", "revoke", "ci", "--by", "cat")
    run(spec, "keys", "revoke", "ci", expect=2)
    run(spec, "keys", "show", "nobody", expect=2)
    assert told(spec, "keys", "list")["keys"] == [] and told(spec, "keys", "list", "--all")["keys"][0]["state"] == "revoked"
    trail = told(spec, "audit")
    assert [(entry["who"], entry["action"]) for entry in trail["entries"]] == [
        ("cat", "key.revoke"),
        ("bob", "key.rotate"),
        ("ann", "key.create"),
    ]
    assert second not in json.dumps(trail) and trail["head"]["seq"] == 3


def test_who_works_at_the_terminal_is_named_as_no_key_can_be(spec: Path) -> None:
    run(spec, "keys", "create", "ci")
    assert told(spec, "audit")["entries"][0]["who"].endswith(" (cli)")


def test_the_trail_is_exported_and_verified_anywhere(spec: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        run(spec, "keys", "create", name)
    told_head = told(spec, "audit", "--verify")
    assert (told_head["ok"], told_head["entries"]) == (True, 3)
    exported = tmp_path / "trail.ndjson"
    exported.write_text(run(spec, "audit", "--ndjson").stdout)
    assert (
        "3 entries, each as it was written" in run(spec, "audit", "--verify", "--file", str(exported), "--head", told_head["head"]).stdout
    )
    exported.write_text(exported.read_text().replace('"subject":"b"', '"subject":"x"'))
    assert "tampered with at entry 2" in run(spec, "audit", "--verify", "--file", str(exported), expect=1).stdout
    exported.write_text("not JSON")
    run(spec, "audit", "--file", str(exported), expect=2)


def test_a_trail_that_was_cut_off_does_not_fit_the_head_that_was_noted(spec: Path) -> None:
    for name in ("a", "b", "c"):
        run(spec, "keys", "create", name)
    head = told(spec, "audit", "--verify")["head"]
    with closing(sqlite3.connect(spec.parent / "tierline.db")) as file, file:
        file.execute("DROP TRIGGER audit_is_never_shortened")
        file.execute("DELETE FROM audit WHERE seq = 3")
    assert "2 entries" in run(spec, "audit", "--verify").stdout
    assert "at entry 3: the trail was cut off here" in run(spec, "audit", "--verify", "--head", head, expect=1).stdout
    run(spec, "audit", "--verify", "--head", "nonsense", expect=2)


def test_the_trail_is_shown_from_a_time_on_and_so_many_at_most(spec: Path) -> None:
    with closing(Ledger(spec.parent / "tierline.db", clock=lambda: 1_000_000_000.0)) as long_ago:
        long_ago.audit.add("ann", "pin", "auto", {"model": "mini"})
    run(spec, "keys", "create", "a")
    run(spec, "keys", "create", "b")
    assert len(told(spec, "audit", "--since", "1h")["entries"]) == 2
    assert [entry["subject"] for entry in told(spec, "audit", "-n", "1")["entries"]] == ["b"]
    shown = run(spec, "audit").stdout
    assert "key.create" in shown and '{"model": "mini"}' in shown and "head 3:" in shown


def test_a_trail_is_read_and_never_made(spec: Path) -> None:
    assert "no decision log" in run(spec, "audit", expect=2).stderr
    assert not (spec.parent / "tierline.db").exists()
