from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tierline.sensitivity.detect import Patterns
from tierline.sensitivity.scan import Detectors, OwnPatterns, Scan
from tierline.sensitivity.vault import Vault
from tierline.types.sensitivity import BUILT_IN, Spotted

VALUES = ["zoe@example.org", "bob@example.org", "+49 30 901820", "4111 1111 1111 1111", "ghp_CANARYcanary0123456789CANARYcanary0123"]
PEM = '-----BEGIN PRIVATE KEY-----\nMII"x"\\n\n-----END PRIVATE KEY-----'
pieces = st.lists(
    st.one_of(st.sampled_from([*VALUES, PEM, "[EMAIL_1]", "[EMAIL_", "[EMAIL\\_2]", "]", "_1]", "["]), st.text(max_size=8)), max_size=12
)
detect = Detectors([Patterns(BUILT_IN)], BUILT_IN, lambda *_: None)


def vault_of(*texts: str) -> Vault:
    return Vault(detect(texts).values, texts)


@given(pieces)
def test_what_was_hidden_comes_back_as_it_was(parts: list[str]) -> None:
    text = " ".join(parts)
    vault = vault_of(text)
    assert vault.reveal(vault.hide(text)) == text


@given(pieces)
def test_nothing_that_was_found_is_left_in_a_hidden_text(parts: list[str]) -> None:
    text = " ".join(parts)
    vault = vault_of(text)
    hidden = vault.hide(text)
    assert all(value not in hidden for value in detect([text]).values)
    assert not detect([hidden]).values


@given(pieces, st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_a_text_in_pieces_is_revealed_as_the_whole_of_it(parts: list[str], sizes: list[int]) -> None:
    text = " ".join(parts)
    vault = vault_of(text)
    hidden, at, told = vault.hide(text), 0, []
    reading = vault.revealing()
    for size in sizes * (len(hidden) // sum(sizes) + 1):
        told.append(reading.feed(hidden[at : at + size]))
        at += size
    assert "".join([*told, reading.feed(hidden[at:]), reading.finished()]) == text


@given(pieces)
def test_in_json_a_value_is_written_as_json_writes_it(parts: list[str]) -> None:
    text = " ".join(parts)
    vault = vault_of(text)
    assert json.loads(vault.reveal(json.dumps({"it": vault.hide(text)}, ensure_ascii=False), in_json=True)) == {"it": text}


def test_a_placeholder_that_the_request_spells_itself_is_passed_over() -> None:
    text = "Is [EMAIL_1] or [EMAIL\\_2] the address zoe@example.org?"
    assert vault_of(text).hide(text) == "Is [EMAIL_1] or [EMAIL\\_2] the address [EMAIL_3]?"


def test_the_same_value_has_the_same_placeholder_and_others_have_others() -> None:
    text = "zoe@example.org, bob@example.org, zoe@example.org"
    assert vault_of(text).hide(text) == "[EMAIL_1], [EMAIL_2], [EMAIL_1]"


def test_a_conversation_that_grows_keeps_its_placeholders() -> None:
    first = ["I am zoe@example.org", "Hello."]
    more = [*first, "and bob@example.org"]
    assert [vault_of(*more).hide(text) for text in more][:2] == [vault_of(*first).hide(text) for text in first]


def test_a_writer_of_markdown_may_put_a_backslash_into_a_placeholder() -> None:
    vault = vault_of("zoe@example.org")
    assert vault.reveal("Write to [EMAIL\\_1].") == "Write to zoe@example.org."
    reading = vault.revealing()
    assert (
        "".join([reading.feed("Write to [EMAIL\\"), reading.feed("_1]"), reading.feed("."), reading.finished()])
        == "Write to zoe@example.org."
    )


def test_a_placeholder_that_nobody_gave_out_stays() -> None:
    assert vault_of("zoe@example.org").reveal("[EMAIL_7] [NAME_1]") == "[EMAIL_7] [NAME_1]"


def test_a_key_found_inside_a_json_text_is_the_same_as_the_key_itself() -> None:
    plain = "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"
    arguments = json.dumps({"key": plain})
    vault = vault_of(plain, arguments)
    assert json.loads(vault.hide(arguments)) == {"key": vault.hide(plain)} == {"key": "[SECRET_1]"}
    assert json.loads(vault.reveal(vault.hide(arguments), in_json=True)) == {"key": plain}


def test_what_two_finds_cover_together_leaves_no_part_over() -> None:
    class Two:
        name, kinds = "two", ("a", "b")

        def find(self, text: str) -> list[Spotted]:
            return [Spotted("a", 0, 6), Spotted("b", 4, 10)]

    text = "0123456789"
    vault = Vault(Detectors([Two()], ["a", "b"], lambda *_: None)([text]).values, [text])
    assert not any(char.isdigit() and char != "1" for char in vault.hide(text).replace("_1]", "").replace("_2]", "").replace("_3]", ""))


def test_a_detector_that_fails_or_points_nowhere_has_found_all_its_kinds() -> None:
    class Broken:
        name, kinds = "broken", ("person", "email", "place")

        def __init__(self, found: list[Spotted] | None) -> None:
            self.found = found

        def find(self, text: str) -> list[Spotted]:
            if self.found is None:
                raise RuntimeError(text)
            return self.found

    told: list[tuple[str, str]] = []
    for broken in (Broken(None), Broken([Spotted("person", 3, 99)])):
        scan = Detectors([Patterns(["iban"]), broken], ["person", "email", "iban"], lambda *said: told.append(said))(["some words"])
        assert scan == Scan({}, frozenset({"person", "email"})) and scan.kinds == {"person", "email"}
    assert told == [("broken", "RuntimeError"), ("broken", "ValueError")]


def test_a_kind_of_ones_own_is_found_by_its_pattern_and_hidden_by_its_name() -> None:
    own = Detectors([OwnPatterns({"employee": ["EMP-\\d{6}"]})], ["employee"], lambda *_: None)
    text = "Ask EMP-004711."
    assert Vault(own([text]).values, [text]).hide(text) == "Ask [EMPLOYEE_1]."


def test_nothing_is_found_across_two_texts() -> None:
    assert detect(["4111 1111", "1111 1111"]).values == {} and detect(["password =", "hunter2!x"]).values == {}


def test_half_a_character_blinds_nobody() -> None:
    assert detect(["\ud83d zoe@example.org"]).values == {"zoe@example.org": "email"}


def test_wide_and_other_digits_are_digits() -> None:
    for text in ("卡号４１１１１１１１１１１１１１１１", "البطاقة ٤١١١١١١١١١١١١١١١", "ｚｏｅ＠example.org"):  # meant
        vault = vault_of(text)
        assert len(vault.placeholders) == 1 and vault.reveal(vault.hide(text)) == text
