from __future__ import annotations

import json
from collections import defaultdict

import pytest
from bench.sensitive_set import cases
from hypothesis import given
from hypothesis import strategies as st

from tierline.sensitivity.detect import Patterns
from tierline.testing.checks import check_detector
from tierline.types.sensitivity import BUILT_IN

EVERY = Patterns(BUILT_IN, ("US", "DE", "GB", "FR"))
KNOWN = [
    ("email", "zoe@example.org"),
    ("phone", "+49 30 901820"),
    ("phone", "(212) 555-2368"),
    ("credit_card", "4111 1111 1111 1111"),
    ("credit_card", "378282246310005"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82WEST12345698765432"),
    ("national_id", "536-22-8726"),
    ("national_id", "12345678Z"),
    ("national_id", "RSSMRA85T10A562S"),
    ("national_id", "529.982.247-25"),
    ("national_id", "11010519491231002X"),
    ("national_id", "756.9217.0769.85"),
    ("national_id", "85.07.30-033.28"),
    ("national_id", "131052-308T"),
    ("national_id", "2 55 08 14 168 025 38"),
    ("secret", "AKIAIOSFODNN7EXAMPLE"),
    ("secret", "sk-proj-abcdefghij0123456789ABCDEFGHIJ"),
    ("secret", "ghp_CANARYcanary0123456789CANARYcanary0123"),
]


def found(text: str) -> set[tuple[str, str]]:
    return {(one.kind, text[one.start : one.end]) for one in EVERY.find(text)}


def test_on_the_labelled_set_hardly_a_value_is_missed_and_hardly_a_decoy_is_taken() -> None:
    right, missed, wrong = defaultdict[str, int](int), defaultdict[str, int](int), list[tuple[str, str]]()
    for case in cases(each=12, decoys=500, seed=11):
        spotted = found(case.text)
        if case.kind:
            hit = any(kind == case.kind and case.value in value for kind, value in spotted)
            (right if hit else missed)[case.kind] += 1
        wrong += [(case.about, value) for kind, value in spotted if kind != case.kind]
    assert len(right) == len(BUILT_IN)
    assert all(missed[kind] <= 0.02 * right[kind] for kind in BUILT_IN), dict(missed)
    assert len(wrong) <= 10, wrong


@pytest.mark.parametrize(("kind", "value"), KNOWN)
def test_a_known_value_is_found_whole(kind: str, value: str) -> None:
    for text in (value, f"It is {value}.", f"({value})", f'"{value}"', f"\n{value}\n", json.dumps({"it": value})):
        assert (kind, value) in found(text), text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Steuer-ID: 86095742719", "86095742719"),
        ("BSN 111222333", "111222333"),
        ("PESEL 44051401359", "44051401359"),
        ("passport no. C01X00T47, passport 123456789", "123456789"),
    ],
)
def test_bare_digits_count_where_a_word_says_what_they_are(text: str, value: str) -> None:
    assert ("national_id", value) in found(text)
    assert found(value) == set()


@pytest.mark.parametrize(
    "value", ["86095742718", "12345678A", "RSSMRA85T10A562T", "529.982.247-26", "110105194912310021", "756.9217.0769.86"]
)
def test_what_does_not_add_up_is_nobodys_number(value: str) -> None:
    assert found(f"Steuer-ID {value}") == set()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("我的卡号是4111111111111111,请退款。", "4111111111111111"),
        ("身份证号11010519491231002X有效吗", "11010519491231002X"),
        ("账户DE89370400440532013000付款", "DE89370400440532013000"),
        ("電話+4930901820です", "+4930901820"),
        ("密钥ghp_CANARYcanary0123456789CANARYcanary0123泄露了", "ghp_CANARYcanary0123456789CANARYcanary0123"),
    ],
)
def test_scripts_without_spaces_hide_nothing(text: str, value: str) -> None:
    assert value in {found for _, found in found(text)}


def test_a_private_key_is_found_with_its_lines_and_also_where_it_is_cut_short_or_escaped() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\ndef=\n-----END RSA PRIVATE KEY-----"
    assert ("secret", key) in found(f"here:\n{key}\nbye")
    assert ("secret", key[:50]) in found(key[:50])
    escaped = json.dumps(key)[1:-1]
    assert ("secret", escaped) in found(json.dumps({"key": key}))


def test_a_national_number_counts_in_its_own_country_alone() -> None:
    text = "Ruf an: 030 901820"
    assert [one.kind for one in Patterns(["phone"], ("DE",)).find(text)] == ["phone"]
    assert Patterns(["phone"], ()).find(text) == []


def test_only_what_is_wanted_is_looked_for() -> None:
    text = " ; ".join(value for _, value in KNOWN)
    assert {one.kind for one in Patterns(["iban", "email"]).find(text)} == {"iban", "email"}


@given(st.sampled_from(KNOWN), st.text(max_size=200), st.text(max_size=200))
def test_what_is_found_alone_is_found_on_a_line_of_a_longer_text(known: tuple[str, str], before: str, behind: str) -> None:
    assert known in found(f"{before}\n\n{known[1]}\n\n{behind}")


@given(st.text())
def test_every_place_is_in_the_text(text: str) -> None:
    assert all(0 <= one.start < one.end <= len(text) for one in EVERY.find(text))


def test_the_built_in_detector_conforms() -> None:
    check_detector(EVERY, [value for _, value in KNOWN], ["Nothing here at all.", "order 4711"])
