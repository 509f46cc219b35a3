"""Whatever is done to the trail behind its back is found, with the place."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import Clock
from tierline.ledger.audit import Entry, Head, Link, verify
from tierline.ledger.ledger import Ledger

ENTRIES = 6


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> list[Link]:
    clock = Clock()
    with closing(Ledger(tmp_path_factory.mktemp("chain") / "tierline.db", clock=clock)) as ledger:
        for number in range(ENTRIES):
            clock.now += 1.5
            ledger.audit.add(f"key-{number}", "pin", "auto", {"model": "mini", "for": number, "why": "é"})
        return list(ledger.audit.links())


def changed(entry: Entry, field: str) -> Entry:
    other = {"at": entry.at + 1e-3, "detail": {**entry.detail, "for": 99}}.get(field, f"{getattr(entry, field)}'")
    return msgspec.structs.replace(entry, **{field: other})


def test_an_untouched_chain_is_whole_and_so_is_each_later_part_of_it(chain: list[Link]) -> None:
    assert verify(chain) is None
    assert verify(chain, chain[3].head) is None
    for begin in range(ENTRIES):
        assert verify(chain[begin:], part=True) is None


@given(st.integers(0, ENTRIES - 1), st.sampled_from(["at", "who", "action", "subject", "detail"]))
def test_a_changed_field_is_found_where_it_is(chain: list[Link], at: int, field: str) -> None:
    meddled = [*chain]
    meddled[at] = msgspec.structs.replace(chain[at], entry=changed(chain[at].entry, field))
    broken = verify(meddled)
    assert broken is not None and (broken.seq, broken.reason) == (at + 1, "its content was changed")


@given(st.integers(0, ENTRIES - 2), st.integers(1, ENTRIES - 1))
def test_entries_taken_out_are_found_where_they_were(chain: list[Link], at: int, count: int) -> None:
    meddled = chain[:at] + chain[at + count :]
    if at + count < ENTRIES:
        broken = verify(meddled)
        assert broken is not None and (broken.seq, broken.reason) == (at + 1, "the entry is missing")
    else:
        assert verify(meddled) is None
        broken = verify(meddled, chain[-1].head)
        assert broken is not None and (broken.seq, broken.reason) == (at + 1, "the trail was cut off here")


@given(st.permutations(range(ENTRIES)))
def test_another_order_is_found(chain: list[Link], order: list[int]) -> None:
    assert (verify([chain[at] for at in order]) is None) == (order == sorted(order))


@given(st.integers(0, ENTRIES - 1))
def test_a_chain_written_anew_from_somewhere_on_does_not_fit_a_head_that_was_kept(chain: list[Link], at: int) -> None:
    forged = [*chain[:at], *_anew(chain[at:], chain[at - 1].hash if at else "0" * 64)]
    assert verify(forged) is None
    broken = verify(forged, chain[-1].head)
    assert broken is not None and (broken.seq, broken.reason) == (ENTRIES, "the trail was written anew up to here")
    assert verify(forged, chain[at - 1].head if at else Head(0, "0" * 64)) is None


def _anew(links: list[Link], previous: str) -> list[Link]:
    """The same entries by somebody else, chained as they should be."""
    made = []
    for link in links:
        entry = msgspec.structs.replace(link.entry, who="mallory")
        words = msgspec.json.encode(entry.detail, order="sorted").decode()
        row = (entry.seq, entry.at, entry.who, entry.action, entry.subject, words)
        own = hashlib.sha256(bytes.fromhex(previous) + msgspec.json.encode(row)).hexdigest()
        made.append(Link(entry, previous, own))
        previous = own
    return made


def test_an_export_is_verified_like_the_file_it_came_from(chain: list[Link]) -> None:
    exported = [msgspec.json.decode(msgspec.json.encode(link), type=Link) for link in chain]
    assert exported == chain and verify(exported, chain[-1].head) is None


@pytest.mark.parametrize(
    "meddle",
    [
        "UPDATE audit SET detail = 'not JSON' WHERE seq = 2",
        "UPDATE audit SET hash = 'text' WHERE seq = 2",
        "UPDATE audit SET at = 'now' WHERE seq = 2",
    ],
)
def test_nonsense_in_the_file_is_found_and_not_stumbled_over(meddle: str, ledger: Ledger, path: Path) -> None:
    for number in range(3):
        ledger.audit.add("ann", "pin", f"route-{number}")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TRIGGER audit_is_never_changed")
        file.execute(meddle)
    broken = ledger.audit.verify()
    assert broken is not None and broken.seq == 2


def test_one_change_that_several_processes_see_is_written_once(ledger: Ledger) -> None:
    for subject in ("a", "a", "b", "b", "a"):
        ledger.audit.add_change("(file)", "spec", subject)
        ledger.audit.add("ann", "pin", "auto")
    assert [entry.subject for entry in ledger.audit.list()[::-1] if entry.action == "spec"] == ["a", "b", "a"]
