"""Answers that say the same have one form; those that do not, have not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.validators.final_answer import final_answer
from tierline.validators.normalise import normalised, normalised_all

WAYS = ("number", "choice", "label", "json", "text", "auto")


@pytest.mark.parametrize(
    "text",
    [
        "1200",
        "1,200",
        "1200.0",
        "1200.00",
        "$1,200",
        "1.2k",
        "1,200 litres",
        "The answer is 1200.",
        "So 3 * 400 = 1200",
        "1 200",
        "**Answer:** 1,200",
        r"Thus we get $\boxed{1200}$.",
        "#### 1200",
        '{"reasoning": "3 of 400", "answer": "1200"}',
        "1.2e3",
        "First 7, then 9.\nFinal answer: 1200 units",
        "€1200",
        "1.2 × 10^3",
        "Antwort: 1200",
        "１２００",
        "1'200",
    ],
)
def test_a_number_has_one_form_however_it_is_written(text: str) -> None:
    assert normalised(text, "number") == "1200"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("3.50", "3.5"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("1/2", "0.5"),
        (r"\frac{1}{2}", "0.5"),
        ("½", "0.5"),
        ("2 1/2", "2.5"),
        ("2½", "2.5"),
        ("1/3", "1/3"),
        (r"\boxed{\dfrac{2}{6}}", "1/3"),
        ("25%", "25"),
        ("-5", "-5"),
        ("−5", "-5"),
        ("x = -0.25", "-0.25"),
        ("1,5", "1.5"),
        ("1.234.567", "1234567"),
        ("2.5 million", "2500000"),
        ("0", "0"),
        ("-0.0", "0"),
        ("007", "7"),
        ("10 - 3 = 7", "7"),
        ("5 m²", "5"),
    ],
)
def test_signs_fractions_percent_and_units_are_understood(text: str, form: str) -> None:
    assert normalised(text, "number") == form


@pytest.mark.parametrize("text", ["no digits at all", "", "1/0", "9" * 60, "1e9999"])
def test_what_holds_no_number_that_can_be_compared_has_no_form(text: str) -> None:
    assert normalised(text, "number") is None


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "b",
        "(B)",
        "B.",
        "B)",
        "**B**",
        "B) Paris",
        "(b) Paris",
        "Answer: B",
        "The correct answer is B.",
        "The answer is (B) Paris.",
        "Option B",
        r"\boxed{B}",
        "It cannot be (A). So the answer is (B).",
        "I would go with option B here",
        "B - Paris",
        "Antwort: B",
        "答案：B",
    ],
)
def test_a_choice_is_its_letter(text: str) -> None:
    assert normalised(text, "choice") == "B"


def test_words_that_begin_with_an_article_are_no_choice() -> None:
    assert normalised("A dog barks at night.", "choice") is None


@pytest.mark.parametrize(
    "text", ["not spam", "Not spam.", "Label: not_spam", "**NOT-SPAM**", '{"label": "not spam"}', "It is mail.\nAnswer: Not Spam"]
)
def test_a_label_is_its_words(text: str) -> None:
    assert normalised(text, "label") == "not spam"


def test_a_paragraph_is_no_label() -> None:
    assert normalised("This message looks like an honest question about an order.", "label") is None


def test_json_is_the_same_whatever_the_order_of_its_keys_and_the_fence_around_it() -> None:
    first = '{"a": 1.0, "b": [true, null, "x"]}'
    second = 'Here it is:\n```json\n{"b": [true, null, "x"],\n "a": 1}\n```'
    assert normalised(first, "json") == normalised(second, "json") == '{"a":1,"b":[true,null,"x"]}'
    assert normalised("no braces", "json") is None


def test_text_ignores_case_punctuation_articles_and_white_space() -> None:
    assert normalised("The  Eiffel Tower!", "text") == normalised("eiffel tower", "text") == "eiffel tower"


def test_a_minus_is_no_punctuation() -> None:
    assert normalised("[-1, 2]", "text") != normalised("[1, 2]", "text")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Answer: 18 dollars", '{"answer": "$18.00"}'),
        ("(C)", "The answer is C."),
        ('{"answer": "[1, 2]"}', '{"answer": "[1,2]"}'),
        ('{"answer": "(1, 2)"}', '{"answer": "(1,  2)"}'),
        ("The answer is Paris.", "paris"),
        ("True", "Answer: true"),
        ('{"answer": "\'\'"}', '{"answer": ""}'),
        (r"\boxed{\frac{1}{2}}", "The answer is 0.5"),
    ],
)
def test_answers_that_say_the_same_agree_by_themselves(one: str, other: str) -> None:
    first, second = normalised_all([one, other], "auto")
    assert first is not None
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"answer": "3"}', r'{"answer": "$\\sqrt{3}$"}'),
        ('{"answer": "18"}', '{"answer": "81"}'),
        ('{"answer": "(1, 2)"}', '{"answer": "[1, 2]"}'),
        ("Answer: B", "Answer: 2"),
        ("Answer: 'ab c'", "Answer: 'abc'"),
        ("Answer: 3x + 1", "Answer: 3"),
        ("yes", "no"),
    ],
)
def test_answers_that_say_something_else_do_not(one: str, other: str) -> None:
    first, second = normalised_all([one, other], "auto")
    assert first != second


def test_one_way_is_taken_for_all_answers_of_a_comparison() -> None:
    assert normalised_all(["A", "A", "a good question"], "auto") == ("a", "a", "good question")
    assert normalised_all(["A", "a", "(A)"], "auto") == ("A", "A", "A")


def test_an_answer_that_says_nothing_agrees_with_none() -> None:
    assert normalised_all(["", "   "], "auto") == (None, None)


def test_an_unknown_way_is_refused_with_the_ways_there_are() -> None:
    with pytest.raises(ValueError, match="number, choice, label, json, text, auto"):
        normalised("x", "nearly")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("So the answer is 42.", "42"),
        ("Answer: 3.5 km. That is far.", "3.5 km"),
        (r"\boxed{\frac{1}{2}} so", r"\frac{1}{2}"),
        ("#### 7", "7"),
        ('{"answer": "x\\ny"}', "x\ny"),
        ('ing": "cut off in front", "answer": 5}', "5"),
        ("The answer to your question depends.", None),
        ("nothing marked", None),
        (r"\boxed{never closed", None),
    ],
)
def test_the_result_is_what_the_answer_marks_as_such(text: str, marked: str | None) -> None:
    assert final_answer(text) == marked


@given(st.text(max_size=400), st.sampled_from(WAYS))
def test_any_text_is_taken_and_gives_the_same_again(text: str, how: str) -> None:
    assert normalised(text, how) == normalised(text, how)


@given(
    st.lists(
        st.from_regex(r"(answer|Answer: |\\boxed\{|####|[0-9.,/%$e()\[\]{}'\"ABCx \n-]){1,12}", fullmatch=True), min_size=2, max_size=3
    )
)
def test_what_looks_like_an_answer_is_taken_too(texts: list[str]) -> None:
    assert len(normalised_all(texts, "auto")) == len(texts)


@given(st.integers(-(10**12), 10**12))
def test_every_whole_number_is_its_own_form_with_and_without_separators(value: int) -> None:
    assert normalised(f"The answer is {value:,}.", "number") == normalised(str(value), "number") == str(value)
