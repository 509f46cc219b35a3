"""`tools`, `tool_success`, `citations` and `code`: the answer against what the request gave and against its own form."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.testing.checks import check_validator
from tierline.testing.exchanges import exchange
from tierline.types.conversation import Citation, ToolCall
from tierline.types.conversation import Text as AnswerText
from tierline.types.features import Features
from tierline.types.request import Media, Message, Params, Text, Tool, ToolResult
from validators.making import found, made

CITY = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}, "required": ["city"]}
WEATHER = Tool("weather", parameters=json.dumps(CITY).encode())
CLOCK = Tool("clock")


def called(*calls: tuple[str, str], choice: str = "auto") -> Any:
    """An answer that calls these tools, name and arguments each."""
    parts = tuple(ToolCall(str(number), name, arguments) for number, (name, arguments) in enumerate(calls))
    return exchange(parts=parts, tools=(WEATHER, CLOCK), finish="tool_calls", params=Params(tool_choice=choice))


@pytest.mark.parametrize(
    ("name", "arguments", "detail"),
    [
        ("weather", '{"city": "Oslo", "days": 3}', ""),
        ("clock", "", ""),
        ("clock", "{}", ""),
        ("weather", '{"days": 3}', "schema (Required)"),
        ("weather", '{"city": "Oslo", "days": 30}', "schema (Maximum)"),
        ("weather", '{"city": ', "not JSON"),
        ("weather", '"Oslo"', "schema (Type)"),
        ("wether", '{"city": "Oslo"}', "no such tool"),
        ("", "{}", "no such tool"),
    ],
)
def test_a_call_names_a_declared_tool_and_its_arguments_meet_the_schema(name: str, arguments: str, detail: str) -> None:
    finding = found({"tools": "valid"}, called((name, arguments)))
    assert finding.passed is (detail == "")
    assert detail in finding.detail


def test_every_call_is_looked_at() -> None:
    finding = found({"tools": "valid"}, called(("clock", ""), ("weather", "{}")))
    assert finding.detail.startswith("call 2 of 2")
    assert "city" in finding.feedback


def test_the_model_is_told_which_tools_there_are_and_the_log_is_not_told_what_it_called() -> None:
    finding = found({"tools": "valid"}, called(("delete_everything", "{}")))
    assert "clock, weather" in finding.feedback
    assert "delete" not in finding.detail


@pytest.mark.parametrize(
    ("kind", "choice", "passed"),
    [
        ("valid", "auto", True),
        ("valid", "required", False),
        ("valid", "weather", False),
        ("valid", "none", True),
        ("required", "auto", False),
    ],
)
def test_where_a_call_is_required_one_must_come(kind: str, choice: str, passed: bool) -> None:
    words = exchange("It is sunny.", tools=(WEATHER,), params=Params(tool_choice=choice))
    assert found({"tools": kind}, words).passed is passed


def test_a_request_without_tools_needs_no_call() -> None:
    assert found({"tools": "required"}, exchange("It is sunny.")).passed


def test_a_tool_whose_schema_is_none_takes_any_arguments() -> None:
    odd = Tool("odd", parameters=b'{"type": 7}')
    assert found({"tools": "valid"}, exchange(parts=(ToolCall("1", "odd", "{}"),), tools=(odd,))).passed


@pytest.mark.parametrize(
    ("failures", "model", "passed"), [(0, "mini", True), (1, "mini", True), (2, "mini", False), (5, "mini", False), (5, "full", True)]
)
def test_failed_tools_refuse_the_answer_of_all_but_the_last_model(failures: int, model: str, passed: bool) -> None:
    asked = exchange("Trying again.", features=Features("r", tool_failures=failures), model=model)
    assert found({"tool_success": 2}, asked).passed is passed


CONTEXT = [
    Message(
        "system",
        (
            Text(
                "Answer from the sources.\n[1] The warranty lasts two years and covers the battery.\n[2] Returns: https://shop.example/returns"
            ),
        ),
    ),
    Message("user", (Text("How long is the warranty? Our manual says: “Keep the receipt in a dry place, please”."),)),
    Message("assistant", (Text("[9] I said something here."),)),
    Message("tool", (ToolResult("1", '<document index="4">Repairs take ten working days.</document>'),)),
]


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("The warranty lasts two years [1].", True),
        ("It lasts two years.[1][2]", True),
        ("It lasts two years [1, 2].", True),
        ("Repairs take ten days [4].", True),
        ("It lasts two years [3].", False),
        ("It lasts two years [1-4].", False),
        ("As I said [9].", False),
        ("See https://shop.example/returns.", True),
        ("See https://shop.example/return", False),
        ("See https://evil.example/", False),
        ('The manual says "keep the receipt in a dry place".', True),
        ('The manual says "throw the receipt away at once".', False),
        ("Read [the page](https://shop.example/returns).", True),
        ("It lasts two years 【1】.", True),
        ('The word "warranty" means a promise.', True),
        ("In code: ```a[7]``` and `a[7]` too.", True),
        ("No citation at all.", True),
        ('"keep the receipt … in a dry place, please"', True),
    ],
)
def test_what_is_cited_stands_in_the_context(answer: str, passed: bool) -> None:
    assert found({"citations": 0}, exchange(answer, CONTEXT)).passed is passed


def test_an_answer_must_cite_where_the_spec_says_so() -> None:
    assert not found({"citations": 1}, exchange("It lasts two years.", CONTEXT)).passed
    assert not found({"citations": 2}, exchange("It lasts two years [1].", CONTEXT)).passed
    assert found({"citations": 2}, exchange("It lasts two years [1], see [2].", CONTEXT)).passed


def test_support_is_the_share_of_the_words_that_stand_in_the_source() -> None:
    good = found({"citations": 1, "support": 0.6}, exchange("The warranty lasts two years and covers the battery [1].", CONTEXT))
    bad = found({"citations": 1, "support": 0.6}, exchange("Accidental damage is always repaired for free [1].", CONTEXT))
    assert good.passed
    assert good.score == 1.0
    assert not bad.passed
    assert bad.score == 0.0


@pytest.mark.parametrize(
    ("citation", "passed"),
    [
        (Citation(document=0, quoted="The warranty lasts two years"), True),
        (Citation(document=0, quoted="The warranty lasts ten years"), False),
        (Citation(url="https://found.by/the-provider"), True),
        (Citation(document=2), True),
    ],
)
def test_a_providers_own_citations_count(citation: Citation, passed: bool) -> None:
    answer = exchange(ask=CONTEXT, parts=(AnswerText("Two years.", citations=(citation,)),))
    assert found({"citations": 1}, answer).passed is passed


def test_words_quoted_from_a_document_that_travels_as_a_file_are_believed() -> None:
    pdf = [Message("user", (Media("document", data="JVBERi0="), Text("How long?")))]
    answer = exchange(ask=pdf, parts=(AnswerText("Two years.", citations=(Citation(document=0, quoted="two years"),)),))
    assert found({"citations": 1}, answer).passed


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("python", "def f(x: int) -> int:\n    return x", "def f(x:\n    return x"),
        ("python", "    x = 1\n    y = '\\d'", "x = = 1"),
        ("py", "await f()", "print 'hello'"),
        ("json", '{"a": [1, 2]}', "{'a': 1}"),
        ("yaml", "a: [1, 2]\nb: {c: d}", "a: [1, 2\nb: {"),
        ("javascript", "const f = (x) => x ?? 1;", "const f = (x => {"),
        ("jsx", "const a = <b c={1}/>;", "const a = <b c={1}"),
        ("typescript", "const f = (x: number): string => `${x}`;", "const f = (x: number: string"),
        ("tsx", "const a = <B c={1 as number}/>;", "const a = <B"),
        ("sql", "select a, count(*) from t where b = 'x' group by a", "select a from where group ("),
    ],
)
def test_code_that_can_be_parsed_passes_and_other_code_does_not(language: str, good: str, bad: str) -> None:
    assert found({"code": "any"}, exchange(f"Here:\n```{language}\n{good}\n```\nDone.")).passed
    finding = found({"code": "any"}, exchange(f"Here:\n```{language}\n{good}\n```\nand\n```{language}\n{bad}\n```"))
    assert finding.detail.startswith("block 2 of 2 is no ")


def test_only_the_named_languages_are_looked_at() -> None:
    assert found({"code": ["python"]}, exchange("```json\n{broken\n```")).passed


def test_blocks_without_a_language_and_shell_sessions_are_not_looked_at() -> None:
    assert found({"code": "any"}, exchange("```\nnot ( code\n```\n```python\n>>> 1 +\n1\n```")).passed


def test_a_block_can_be_required() -> None:
    assert not found({"code": ["python"], "required": True}, exchange("Just do it.")).passed
    assert found({"code": ["python"], "required": True}, exchange("~~~python\nx = 1\n~~~")).passed


def test_code_that_would_do_harm_is_read_and_not_run(tmp_path: Any) -> None:
    target = tmp_path / "written"
    assert found({"code": ["python"]}, exchange(f"```python\nopen({str(target)!r}, 'w').write('x')\n```")).passed
    assert not target.exists()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "-" * 30_000 + "1",
        "1+" * 15_000 + "1",
        "[" * 40_000,
        "a: " * 3000,
        "x" * 60_000,
        "&a [*a, *a]",
        "!!python/object:os.system x",
    ],
)
@pytest.mark.parametrize("language", ["python", "json", "yaml", "javascript", "sql"])
def test_code_that_nests_without_end_is_survived(language: str, text: str) -> None:
    finding = found({"code": "any"}, exchange(f"```{language}\n{text}\n```"))
    assert finding.passed or finding.detail


@pytest.mark.parametrize(
    "entry",
    [
        {"schema": {"type": "object"}},
        {"json": "any"},
        {"fields": ["id"]},
        {"pattern": "x"},
        {"min_chars": 5},
        {"min_words": 2},
        {"phrases": {"required": ["thanks"]}},
        {"citations": 1},
        {"code": ["python"], "required": True},
        {"language": "de", "unsure": "fail"},
        {"complete": "all"},
        {"refusal": "any"},
        {"judge": "It is polite."},
        {"agreement": "own"},
        {"confidence": 0.9},
    ],
    ids=lambda entry: next(iter(entry)),
)
def test_an_answer_that_only_calls_tools_has_no_words_to_check(entry: dict[str, Any]) -> None:
    assert found(entry, called(("clock", ""))).passed


def test_they_keep_the_laws_of_validators() -> None:
    check_validator(made({"tools": "valid"}), [called(("clock", ""))], [called(("none", ""))])
    check_validator(made({"tool_success": 1}), [exchange("x")], [exchange("x", features=Features("r", tool_failures=1))])
    check_validator(made({"citations": 1, "support": 0.1}), [exchange("Two years warranty [1].", CONTEXT)], [exchange("Two [3].", CONTEXT)])
    check_validator(made({"code": "any"}), [exchange("x")], [exchange("```python\n(\n```")])


@given(
    st.text(max_size=200)
    | st.from_regex(r"(\[\d\]|\[1-9|\"|“|https?://|<document index=|```|python|sql|\n|word |【2】|\.){1,30}", fullmatch=True)
)
def test_whatever_stands_in_the_answer_and_the_context_it_is_judged(words: str) -> None:
    for entry in ({"citations": 1, "support": 0.5}, {"code": "any", "required": True}):
        finding = found(entry, exchange(words, words))
        assert finding.passed or finding.detail


@given(st.text(max_size=20), st.text(max_size=60))
def test_whatever_is_called_it_is_judged(name: str, arguments: str) -> None:
    parameters = msgspec.json.encode(CITY)
    call = exchange(
        parts=(ToolCall("1", name, arguments),),
        tools=(Tool(name, parameters=parameters), Tool("x", parameters=arguments.encode("utf-8", "replace"))),
    )
    finding = found({"tools": "valid"}, call)
    assert finding.passed or finding.detail
