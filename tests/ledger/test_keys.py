"""Keys of the ledger: made, found by their secret, replaced, ended; and what the audit trail says of it."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import Clock
from tierline.ledger import key_secrets
from tierline.ledger.keys import CannotKeep, Given
from tierline.ledger.ledger import Ledger
from tierline.types.access import Rate

DAY = 86400.0


def opens(ledger: Ledger, secret: str, now: float) -> str:
    """The key that a secret opens with now; empty where it opens none."""
    key = ledger.keys.ring().opens.get(key_secrets.digest(secret))
    return key.name if key is not None and (key.expires is None or now < key.expires) else ""


def test_a_secret_is_random_long_and_known_by_its_prefix_and_checksum() -> None:
    minted = {key_secrets.mint() for _ in range(200)}
    assert len(minted) == 200
    assert all(secret.startswith("tl_") and len(secret) == 52 and secret[3:].isalnum() for secret in minted)
    assert not any(key_secrets.is_garbled(secret) for secret in minted)


@given(st.integers(3, 51), st.sampled_from("0Az"))
def test_a_secret_with_one_character_wrong_or_missing_is_known_as_garbled(at: int, other: str) -> None:
    secret = key_secrets.mint()
    assert key_secrets.is_garbled(secret[:at])
    assert key_secrets.is_garbled(secret[:at] + other + secret[at + 1 :]) or secret[at] == other


@given(st.text())
def test_secrets_of_others_are_not_garbled(text: str) -> None:
    assert not key_secrets.is_garbled("sk-" + text)
    key_secrets.is_garbled("tl_" + text)
    key_secrets.digest(text)


def test_a_key_is_found_by_its_secret_with_all_that_it_was_given(ledger: Ledger, clock: Clock) -> None:
    given = Given(("call", "read"), "ada", "web", ("auto",), ("mini",), "orders", Rate(10, 1000, 60.0), 3)
    kept, secret = ledger.keys.create("ci", given, "ann", clock.now + DAY)
    key = ledger.keys.ring().opens[key_secrets.digest(secret)]
    assert (key.name, key.scopes, key.models, key.routes) == ("ci", {"call", "read"}, {"mini"}, {"auto"})
    assert (key.team, key.task, key.owner, key.rate, key.max_concurrency) == ("web", "orders", "ada", Rate(10, 1000, 60.0), 3)
    assert (key.expires, key.minted, kept.secrets[0].prefix) == (clock.now + DAY, True, secret[:8])
    assert ledger.keys.get("ci") == kept


def test_the_file_never_holds_a_secret(ledger: Ledger, path: Path) -> None:
    secrets = [ledger.keys.create("ci", Given(), "ann")[1], ledger.keys.rotate("ci", 60.0, "ann")[1]]
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert not any(secret.encode() in kept for secret in secrets)


def test_after_a_rotation_both_secrets_open_for_the_grace_time(ledger: Ledger, clock: Clock) -> None:
    _, first = ledger.keys.create("ci", Given(), "ann")
    _, second = ledger.keys.rotate("ci", 3600.0, "ann")
    assert (opens(ledger, first, clock.now + 3599), opens(ledger, second, clock.now + 3599)) == ("ci", "ci")
    assert (opens(ledger, first, clock.now + 3600), opens(ledger, second, clock.now + DAY)) == ("", "ci")
    _, third = ledger.keys.rotate("ci", 0.0, "ann")
    assert (opens(ledger, first, clock.now), opens(ledger, second, clock.now), opens(ledger, third, clock.now)) == ("", "", "ci")


def test_secrets_that_were_replaced_long_ago_are_forgotten(ledger: Ledger, clock: Clock) -> None:
    _, secret = ledger.keys.create("ci", Given(), "ann")
    for _ in range(5):
        ledger.keys.rotate("ci", 0.0, "ann")
        clock.now += 40 * DAY
    assert len(ledger.keys.ring().opens) <= 2
    assert opens(ledger, secret, clock.now) == ""


def test_a_revoked_key_opens_nothing_and_its_name_stays_taken(ledger: Ledger, clock: Clock) -> None:
    _, first = ledger.keys.create("ci", Given(), "ann")
    _, second = ledger.keys.rotate("ci", DAY, "ann")
    ledger.keys.revoke("ci", "bob")
    ring = ledger.keys.ring()
    assert (opens(ledger, first, clock.now), opens(ledger, second, clock.now)) == ("", "")
    assert {key_secrets.digest(first), key_secrets.digest(second)} == set(ring.ended) and ring.names == {"ci"}
    for act in (
        lambda: ledger.keys.create("ci", Given(), "x"),
        lambda: ledger.keys.rotate("ci", 0, "x"),
        lambda: ledger.keys.revoke("ci", "x"),
    ):
        with pytest.raises(CannotKeep):
            act()
    assert (ledger.keys.list(), [kept.state(clock.now) for kept in ledger.keys.list(ended=True)]) == ([], ["revoked"])


def test_a_key_ends_by_itself_and_is_not_rotated_after(ledger: Ledger, clock: Clock) -> None:
    _, secret = ledger.keys.create("ci", Given(), "ann", clock.now + DAY)
    _, second = ledger.keys.rotate("ci", 2 * DAY, "ann")
    clock.now += DAY
    assert (opens(ledger, secret, clock.now), opens(ledger, second, clock.now)) == ("", "")
    assert (ledger.keys.list(), len(ledger.keys.list(ended=True))) == ([], 1)
    with pytest.raises(CannotKeep, match="has expired"):
        ledger.keys.rotate("ci", DAY, "ann")


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("two words", Given(), "cannot be a name"),
        ("", Given(), "cannot be a name"),
        ("a/b", Given(), "cannot be a name"),
        ("x" * 101, Given(), "cannot be a name"),
        ("ci", Given(scopes=()), "may do nothing"),
        ("ci", Given(rate=Rate(None, None)), "limits nothing"),
        ("ci", Given(rate=Rate(0, None)), "at least 1"),
        ("ci", Given(max_concurrency=0), "at least 1"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_and_leaves_no_trace(name: str, given: Given, says: str, ledger: Ledger) -> None:
    with pytest.raises(CannotKeep, match=says):
        ledger.keys.create(name, given, "ann")
    assert not ledger.keys.any() and ledger.audit.list() == []


def test_every_change_is_in_the_trail_with_who_made_it_and_without_the_secret(ledger: Ledger, clock: Clock) -> None:
    secrets = [ledger.keys.create("ci", Given(owner="ada", models=("mini",)), "ann", clock.now + DAY)[1]]
    secrets.append(ledger.keys.rotate("ci", 60.0, "bob")[1])
    ledger.keys.revoke("ci", "cat")
    trail = ledger.audit.list()[::-1]
    assert [(entry.who, entry.action, entry.subject) for entry in trail] == [
        ("ann", "key.create", "ci"),
        ("bob", "key.rotate", "ci"),
        ("cat", "key.revoke", "ci"),
    ]
    detail = {"owner": "ada", "models": ["mini"], "expires": clock.now + DAY, "prefix": secrets[0][:8]}
    assert {**trail[0].detail, "scopes": None} == {**detail, "scopes": None}
    assert not any(secret in str(trail) for secret in secrets)
    assert ledger.audit.verify() is None


def test_many_hands_at_once_make_each_key_once_and_keep_the_chain(where: Path | str) -> None:
    refused: list[str] = []

    def make(who: int) -> None:
        with closing(Ledger(where)) as ledger:
            for number in range(10):
                try:
                    ledger.keys.create(f"key-{number}", Given(), f"hand-{who}")
                except CannotKeep:
                    refused.append(f"key-{number}")

    Ledger(where).close()
    hands = [threading.Thread(target=make, args=(who,)) for who in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    with closing(Ledger(where)) as ledger:
        assert len(ledger.keys.list()) == 10 and len(refused) == 30
        assert ledger.audit.head().seq == 10 and ledger.audit.verify() is None
