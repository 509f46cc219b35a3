"""What holds for every request, however odd: extraction is total, deterministic, bounded, and never sees what it must not."""

import time
from typing import Any

import msgspec
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.extract.asking import features, message, request
from tierline.routing.extract import Extractor
from tierline.routing.extract.keywords import spaced
from tierline.testing import builders
from tierline.types.access import Key
from tierline.types.features import CAPABILITIES
from tierline.types.request import Request

SPEC = {
    "signals": {"anger": {"keywords": ["refund", "退款", "c++"], "patterns": ["(?i)speak to (a|your) manager", r"\d{4,}"]}},
    "tasks": {
        "orders": {"why": "w", "match": {"keywords": ["order"], "patterns": ["a+b"], "system_prompt": "*order*", "operation": "extraction"}}
    },
}
EXTRACT = Extractor(builders.loaded(SPEC))

odd = st.text(alphabet=st.characters(codec=None), max_size=60)
TAGS = ["<system-reminder>", "</system-reminder>", "<document>", "</document>"]
spice = st.sampled_from([*TAGS, "refund", "\x00", "\ud800", "```", "1. ", "\n", "??", "yes", "prove", "$x$", "退款", "İ", "order"])
texts = st.lists(st.one_of(odd, spice), max_size=12).map(" ".join)
text_parts = st.builds(lambda kind, text: {kind: text}, st.sampled_from(["text", "tool_result", "tool_call"]), texts)
contents = st.one_of(texts, st.lists(st.one_of(text_parts, st.just({"image": "x"})), max_size=3))
conversations = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), contents), max_size=6)
params = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(-5, 10**9),
        "n": st.integers(-1, 5),
        "reasoning": st.booleans(),
        "response_format": st.sampled_from(["text", "json_object", "json_schema"]),
    },
)
requests = st.builds(lambda messages, params, name: request(messages=messages, params=params, id=name), conversations, params, odd)


@given(requests)
def test_every_request_has_features_within_their_ranges(asked: Request) -> None:
    seen = EXTRACT(asked)
    assert 0 <= seen.complexity.score <= 1
    assert all(part > 0 for part in seen.complexity.parts.values())
    assert seen.complexity.score == pytest.approx(min(sum(seen.complexity.parts.values()), 1.0), abs=1e-6)
    assert 0 <= seen.draw < 1
    assert seen.input_tokens >= 0 and seen.output_tokens >= 1 and seen.questions >= 0 and seen.turns >= 0
    assert set(seen.needs) <= set(CAPABILITIES)
    assert list(seen.needs) == sorted(seen.needs, key=CAPABILITIES.index)
    assert seen.operation in seen.operations
    assert set(seen.signals) == {"anger"} and set(seen.matches) <= {"orders"}


@given(requests)
def test_the_same_request_always_has_the_same_features(asked: Request) -> None:
    assert EXTRACT(asked) == EXTRACT(asked) == Extractor(builders.loaded(SPEC))(asked)


@given(conversations, st.sampled_from(["user", "assistant", "tool"]), contents)
def test_another_turn_never_lowers_the_tokens_in(messages: list[tuple[str, Any]], role: str, content: Any) -> None:
    before = EXTRACT(request(messages=messages))
    after = EXTRACT(request(messages=[*messages, (role, content)]))
    assert after.input_tokens >= before.input_tokens


@given(texts, texts)
def test_what_stands_in_a_reminder_changes_nothing_but_the_tokens(words: str, injected: str) -> None:
    clean = words.replace("<", "").strip()
    inside = injected.replace("<", "")
    plain = EXTRACT(request(messages=[("user", clean)]))
    wrapped = EXTRACT(request(messages=[("user", f"<system-reminder>{inside}</system-reminder>\n{clean}")]))
    for name in ("operation", "operations", "questions", "language", "signals", "matches", "turns", "code"):
        assert getattr(wrapped, name) == getattr(plain, name), name
    assert wrapped.input_tokens >= plain.input_tokens


@given(odd)
def test_a_draw_depends_on_the_id_alone(id: str) -> None:
    assert features("hello", id=id).draw == features("something else", "yes", id=id).draw


def test_draws_are_spread_evenly() -> None:
    draws = [features("x", id=f"req-{index}").draw for index in range(2_000)]
    assert all(abs(sum(low <= draw < low + 0.1 for draw in draws) - 200) < 60 for low in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))


@pytest.mark.parametrize(
    ("id", "draw"), [("", 0.8931675160897388), ("r-1", 0.49062586167450084), ("01ARZ3NDEKTSV4RRFFQ69G5FAV", 0.20423867437255305)]
)
def test_a_draw_is_the_same_for_ever(id: str, draw: float) -> None:
    assert features("hello", id=id).draw == draw


def test_a_key_a_route_and_hints_are_carried_over() -> None:
    asked = request("hello", route="support", stream=True, hints={"task": "orders", "sensitivity": "pii, Email,", "user_tier": "free"})
    seen = EXTRACT(asked, Key(name="team-a", team="red"))
    assert (seen.key, seen.team, seen.route, seen.stream, seen.dialect) == ("team-a", "red", "support", True, "openai_chat")
    assert seen.hints == asked.hints
    assert seen.sensitivity == ("pii", "email")


def test_no_word_of_the_prompt_stands_in_the_features() -> None:
    asked = request(messages=[("system", "Speak only of zanzibar."), ("user", "Where in zanzibar is the order?")])
    assert "zanzibar" not in repr(EXTRACT(asked)).lower()


def test_no_message_at_all_is_a_request_too() -> None:
    seen = features(messages=[])
    assert (seen.turns, seen.input_tokens, seen.language, seen.complexity.score) == (0, 0, "", 0.0)


HUGE = {
    "a": 10_000_000, "\n": 2_000_000, "?": 3_000_000, "```": 1_000_000, "1. ": 1_000_000, "\n1. ": 500_000, "$x": 1_000_000, "$": 2_000_000,
    "\\": 1_000_000, "<document>": 300_000, "</document>": 300_000, "<document></document>": 200_000, "</document><document>": 200_000,
    "<system-reminder": 200_000, "refund ": 1_000_000, "9999 ": 1_000_000, "中": 3_000_000, "\ud800": 1_000_000, "a" * 1_000 + "b ": 5_000,
}  # fmt: skip


@pytest.mark.parametrize("piece", HUGE, ids=lambda piece: repr(piece[:12]))
def test_a_huge_text_takes_bounded_time(piece: str) -> None:
    text = piece * HUGE[piece]
    start = time.process_time()
    seen = EXTRACT(request(text))
    assert time.process_time() - start < 3.0
    assert seen.input_tokens > 1_000


def test_a_huge_system_prompt_takes_bounded_time() -> None:
    start = time.process_time()
    seen = EXTRACT(request(messages=[("system", "order " * 1_500_000), ("user", "hello")]))
    assert time.process_time() - start < 3.0
    assert len(seen.prompt_fingerprint) == 12


def test_thousands_of_turns_take_bounded_time() -> None:
    start = time.process_time()
    seen = EXTRACT(request(messages=[("user" if index % 2 else "assistant", f"yes {index}") for index in range(20_000)]))
    assert time.process_time() - start < 3.0
    assert seen.turns == 10_000


def test_the_tail_of_a_very_long_text_is_still_read() -> None:
    padding = "The river runs slowly through the fields. " * 2_000
    assert EXTRACT(request(f"{padding} I want a refund.")).signals["anger"] == 1
    assert EXTRACT(request(f"I want a refund. {padding}")).signals["anger"] == 1


def test_parts_of_one_turn_are_read_together() -> None:
    split = Request(
        id="r", dialect="d", model="auto", messages=(message("user", [{"text": "I want a refund."}, {"text": "Where is my order?"}]),)
    )
    seen = EXTRACT(split)
    assert (seen.turns, seen.signals["anger"], seen.matches["orders"]) == (1, 1, 1)


def test_features_survive_the_log() -> None:
    seen = EXTRACT(request("Where is my order?"))
    assert msgspec.json.decode(msgspec.json.encode(seen), type=type(seen)) == seen


_PATTERN = r"(?i)speak to (a|your) (manager|human)"
_BY_PATTERN = Extractor(builders.loaded({"signals": {"anger": {"patterns": [_PATTERN]}}}))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Speak to", " your manager", "speak TO a human", "ſpeak to a human", ", ", "speak to him"]), max_size=6))
def test_a_pattern_counts_wherever_it_stands(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert _BY_PATTERN(request(text)).signals["anger"] == sum(1 for _ in re2.finditer(_PATTERN, text))


_BY_PHRASE = Extractor(
    builders.loaded({"signals": {"anger": {"keywords": ["speak to your manager"]}, "doubt": {"patterns": [" to your manager,  please"]}}})
)


@given(st.lists(st.text(" \t\n\r\u00a0", min_size=1, max_size=3), min_size=3, max_size=3))
def test_a_phrase_is_found_however_its_words_are_spaced(gaps: list[str]) -> None:
    text = "I will speak{}to{}your{}manager now.".format(*gaps)
    assert _BY_PHRASE(request(text)).signals["anger"] == 1


@given(st.one_of(st.text("ab \t\n\f\x1c\u00a0\u3000é"), st.text("ab ")))
def test_every_run_of_white_space_is_one_space(text: str) -> None:
    assert spaced(text) == " ".join(text.split())


def test_a_pattern_with_two_spaces_still_means_two_spaces() -> None:
    assert _BY_PHRASE(request("Speak\t to your manager,  please")).signals["doubt"] == 1
    assert _BY_PHRASE(request(" to your manager,  please")).signals["doubt"] == 1
    assert _BY_PHRASE(request("speak to your manager, please")).signals["doubt"] == 0


def test_a_phrase_does_not_reach_from_one_turn_into_the_next() -> None:
    long = "The parcel that I ordered on Monday has not come, so somebody has to"
    assert _BY_PHRASE(request(f"{long} speak to", f"your manager, {long} be told.")).signals["anger"] == 0
