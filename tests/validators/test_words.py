"""`pattern`, `not_pattern`, the lengths, `phrases`, `refusal`, `complete`, `language`, `toxicity`: the words of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.testing.checks import check_validator
from tierline.testing.exchanges import exchange
from tierline.types.conversation import Refusal, ToolCall
from tierline.types.request import Message, Text, ToolResult
from tierline.validators.length import words_in
from tierline.validators.refusal import reads_as_refusal
from validators.making import found, made


def test_a_pattern_must_match_and_the_other_must_not() -> None:
    assert found({"pattern": r"^ORD-\d+$"}, exchange("ORD-12")).passed
    assert not found({"pattern": r"^ORD-\d+$"}, exchange("order 12")).passed
    assert found({"not_pattern": r"(?i)internal use"}, exchange("public")).passed
    assert not found({"not_pattern": r"(?i)internal use"}, exchange("For Internal Use only")).passed


def test_the_model_is_told_what_it_must_not_say_and_the_log_is_not() -> None:
    finding = found({"not_pattern": "sec.et"}, exchange("a secret"))
    assert "secret" in finding.feedback
    assert "secret" not in finding.detail


@pytest.mark.parametrize(
    ("entry", "answer", "passed"),
    [
        ({"max_chars": 5}, " 12345 ", True),
        ({"max_chars": 5}, "123456", False),
        ({"min_chars": 5}, "12345", True),
        ({"min_chars": 5}, "1234  ", False),
        ({"max_words": 3}, "one two three", True),
        ({"max_words": 3}, "one two three four", False),
        ({"min_words": 2}, "one", False),
        ({"min_words": 2}, "one, two", True),
        ({"max_words": 4}, "订单已发货", False),
        ({"min_words": 5}, "订单已发货", True),
    ],
)
def test_answers_are_measured_in_characters_and_words(entry: dict[str, int], answer: str, passed: bool) -> None:
    assert found(entry, exchange(answer)).passed is passed


def test_a_word_may_hold_an_apostrophe_or_a_point() -> None:
    assert words_in("It's 3.5 per-cent, isn’t it?") == 5


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("All good.", True),
        ("We Guarantee  it", False),
        ("guaranteed delivery", True),
        ("we cannot\nguarantee it", False),
        ("GUARANTEE", False),
        ("无法保证退款", False),
        ("a money-back promise", True),
        ("The “money back” offer", False),
    ],
)
def test_restricted_phrases_are_whole_words_whatever_their_case(answer: str, passed: bool) -> None:
    assert found({"phrases": {"restricted": ["guarantee", "money back", "保证"]}}, exchange(answer)).passed is passed


def test_required_phrases_must_all_be_there() -> None:
    entry = {"phrases": {"required": ["terms apply", "support team"], "restricted": ["refund"]}}
    assert found(entry, exchange("Terms  apply. Ask our Support Team.")).passed
    finding = found(entry, exchange("Terms apply to every refund."))
    assert finding.detail == "phrases: 1 restricted, 1 required missing"
    assert "support team" in finding.feedback


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with this request.",
        "Sorry, I can't provide that information.",
        "I cannot fulfill this request.",
        "I'm unable to assist with that.",
        "As an AI language model, I cannot give medical advice.",
        "I must respectfully decline.",
        "Hello! I can't help with hacking.",
        "Unfortunately, I can't share that.",
        "**I won't provide instructions.**",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Leider kann ich Ihnen dabei nicht helfen.",
        "Je suis désolé, mais je ne peux pas répondre.",
        "Lo siento, pero no puedo ayudar con eso.",
        "Mi dispiace, ma non posso aiutarti.",
        "Desculpe, mas não posso ajudar com isso.",
        "Het spijt me, maar ik kan daar niet mee helpen.",
        "Przykro mi, ale nie mogę w tym pomóc.",
        "Извините, но я не могу помочь с этим.",
        "很抱歉，我无法提供帮助。",
        "申し訳ございませんが、お手伝いできません。",
        "죄송합니다. 그 요청은 도와드릴 수 없습니다.",
    ],
)
def test_an_answer_that_begins_as_refusals_do_is_one(answer: str) -> None:
    assert reads_as_refusal(answer)
    assert not found({"refusal": "any"}, exchange(answer)).passed
    assert found({"refusal": "typed"}, exchange(answer)).passed


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear that your parcel is late. It will arrive tomorrow.",
        "You can't return worn shoes.",
        "Sure, I can help with that!",
        "The app says \"I'm sorry, but I can't help with that\" when it fails.",
        "I can't wait to see it!",
        "As an AI researcher, you could start with…",
        "Sorry for the delay: your order has shipped.",
        "Ich kann das gern für Sie prüfen.",
        "",
        "I cannot recommend this book enough.",
    ],
)
def test_an_answer_that_helps_is_no_refusal(answer: str) -> None:
    assert found({"refusal": "any"}, exchange(answer)).passed


def test_what_the_provider_marks_is_a_refusal_whatever_the_words() -> None:
    assert not found({"refusal": "typed"}, exchange("Fine.", finish="content_filter")).passed
    assert not found({"refusal": "typed"}, exchange(parts=(Refusal("no"),))).passed


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.",
        "42",
        "Paris",
        "A short list:\n- one thing\n- another thing that is longer than the first\n- a third",
        "```python\nx = 1\n```",
        "Dear customer,\n\nyour order has shipped today.\n\nBest regards,\nThe team",
        '{"a": 1}',
        "[1] says that it is so.",
        "[Note] Not JSON at all.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Wow!!!",
        "---------------------------------------------",
        "The total is $18",
        "订单已发货。",
        "Roses are red\nviolets are blue\nsugar is sweet\nand so are you",
    ],
)
def test_a_whole_answer_passes(answer: str) -> None:
    assert found({"complete": "all"}, exchange(answer)).passed


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        ("", "empty"),
        ("Some code:\n```python\nx = 1", "fence"),
        ('{"a": [1, 2', "JSON is left open"),
        ("The order has shipped. It will arrive on Friday because the carrier and", "sentence"),
        ("The order has shipped. It will arrive on Friday because the carrier was late with", "sentence"),
        ("The first reason is the weather. The second reason is that nobody had thought", "sentence"),
    ],
)
def test_an_answer_that_stops_before_its_end_is_refused(answer: str, sign: str) -> None:
    assert sign in found({"complete": "truncation"}, exchange(answer)).detail


def test_an_answer_that_ran_out_of_tokens_is_refused_even_if_it_reads_well() -> None:
    assert found({"complete": "truncation"}, exchange("All is well.", finish="length")).detail == "it ran out of tokens"


def test_a_tool_call_without_words_is_whole() -> None:
    assert found({"complete": "all"}, exchange(parts=(ToolCall("1", "f"),), finish="tool_calls")).passed


@pytest.mark.parametrize(
    "answer",
    [
        "The answer is as follows. " + "and then it goes on and on " * 12,
        "ha" * 100,
        "很好" * 60,
        "\n".join(["This very line stands here again."] * 9),
        "\n".join(f"{n}. Check the settings of the router again" for n in range(12)),
    ],
)
def test_an_answer_that_goes_round_in_circles_is_refused(answer: str) -> None:
    assert not found({"complete": "loops"}, exchange(answer)).passed


def test_looking_for_loops_alone_passes_what_is_cut_and_the_other_way_round() -> None:
    assert found({"complete": "loops"}, exchange("```\nx", finish="length")).passed
    assert found({"complete": "truncation"}, exchange("ha " * 60 + "ha.")).passed


@pytest.mark.parametrize(
    ("wanted", "ask", "answer", "passed"),
    [
        ("de", "x", "Die Bestellung wurde versandt und kommt am Freitag an.", True),
        ("de", "x", "The order has shipped and will arrive on Friday.", False),
        ("same", "Wann kommt meine Bestellung endlich an?", "Your order has shipped and will arrive on Friday.", False),
        ("same", "Wann kommt meine Bestellung endlich an?", "Ihre Bestellung kommt am Freitag bei Ihnen an.", True),
        ("same", "你好，我的订单什么时候到？", "您的订单将于星期五到达。", True),
        ("same", "你好，我的订单什么时候到？", "It arrives on Friday, thank you.", False),
        ("de", "x", "42", True),
        ("de", "x", "```python\nprint('hello world and good morning')\n```", True),
        ("no", "x", "Bestillingen er sendt og kommer på fredag. Takk for tålmodigheten.", True),
        ("same", "ok", "The order has shipped today.", True),
    ],
)
def test_the_answer_is_in_the_wanted_language(wanted: str, ask: str, answer: str, passed: bool) -> None:
    assert found({"language": wanted}, exchange(answer, ask)).passed is passed


def test_of_json_the_texts_are_looked_at_and_not_the_keys() -> None:
    german = '```json\n{"reasoning": "Die Bestellung wurde am Montag versandt.", "answer": ["Sie kommt am Freitag an."]}\n```'
    assert found({"language": "de"}, exchange(german)).passed
    assert not found({"language": "en"}, exchange(german)).passed


def test_the_last_words_of_the_user_say_which_language_is_theirs() -> None:
    turns = [
        Message("system", (Text("You are a helpful assistant of a shop."),)),
        Message("user", (Text("Bonjour, où est ma commande s'il vous plaît ?"),)),
        Message("tool", (ToolResult("1", "shipped on friday by the carrier"),)),
    ]
    assert found({"language": "same"}, exchange("Votre commande arrivera vendredi, merci de votre patience.", turns)).passed
    assert not found({"language": "same"}, exchange("Your order will arrive on Friday, thank you for waiting.", turns)).passed


def test_what_cannot_be_told_can_be_refused() -> None:
    assert not found({"language": "de", "unsure": "fail"}, exchange("42")).passed


@pytest.mark.parametrize(
    ("answer", "passed"), [("Thank you, have a lovely day. The order has shipped.", True), ("Fine. You stupid idiot, go to hell!", False)]
)
def test_one_offensive_sentence_is_enough(answer: str, passed: bool) -> None:
    finding = found({"toxicity": 0.8}, exchange(answer))
    assert finding.passed is passed
    assert finding.score is not None


def test_they_keep_the_laws_of_validators() -> None:
    long = "This is a sentence of the answer. " * 3
    check_validator(made({"pattern": "sentence"}), [exchange(long)], [exchange("no")])
    check_validator(made({"not_pattern": "sentence"}), [exchange("no")], [exchange(long)])
    check_validator(made({"min_chars": 50}), [exchange(long)], [exchange("no")])
    check_validator(made({"max_chars": 50}), [exchange("no")], [exchange(long)])
    check_validator(made({"min_words": 5}), [exchange(long)], [exchange("no")])
    check_validator(made({"max_words": 5}), [exchange("no")], [exchange(long)])
    check_validator(made({"phrases": {"restricted": ["answer"]}}), [exchange("no")], [exchange(long)])
    check_validator(made({"refusal": "any"}), [exchange("yes")], [exchange("I cannot help with that.")])
    check_validator(made({"complete": "all"}), [exchange("yes")], [exchange("")])
    check_validator(made({"language": "en"}), [exchange(long)], [exchange("Die Bestellung wurde versandt und kommt an.")])
    check_validator(made({"toxicity": 0.8}), [exchange(long)], [exchange("You stupid idiot, go to hell!")])


@given(st.text(max_size=200) | st.from_regex(r"(I'm sorry|can't help|```|\{|\[1\]|the |，|\.|\n|\ud800|\x00){1,30}", fullmatch=True))
def test_whatever_stands_in_the_answer_it_is_judged(answer: str) -> None:
    for entry in (
        {"pattern": "a+$"},
        {"not_pattern": "a"},
        {"min_chars": 1},
        {"max_words": 3},
        {"phrases": {"restricted": ["a b"], "required": ["."]}},
        {"refusal": "any"},
        {"complete": "all"},
        {"language": "same"},
    ):
        finding = found(entry, exchange(answer, answer))
        assert finding.passed or finding.detail
