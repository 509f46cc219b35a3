"""`schema`, `json` and `fields`: JSON in an answer, wherever it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.testing.checks import check_validator
from tierline.testing.exchanges import exchange
from tierline.types.request import Params
from validators.making import ORDER, found, made

GOOD = '{"id": 7, "items": ["a"]}'
ASKED_FOR_JSON = Params(response_format="json_object")


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Here it is:\n```\n{GOOD}\n```\nAnything else?",
        f"Sure! {GOOD} as you wished.",
        f"```json\n{GOOD}",
        "First [1], then " + GOOD,
    ],
)
def test_json_that_the_schema_accepts_passes_wherever_it_stands(answer: str) -> None:
    assert found({"schema": ORDER}, exchange(answer)).passed


@pytest.mark.parametrize(
    "answer", ["", "no JSON here", '{"id": "7"}', '{"items": []}', '{"id": 7, "more": 1}', '```json\n{"id": null}\n```', "[7]", "7"]
)
def test_anything_else_is_refused(answer: str) -> None:
    finding = found({"schema": ORDER}, exchange(answer))
    assert not finding.passed
    assert finding.feedback


def test_a_refusal_names_the_schemas_rule_in_the_log_and_the_mistake_to_the_model() -> None:
    finding = found({"schema": ORDER}, exchange('{"id": "seventy"}'))
    assert finding.detail == "the schema refuses it: properties/id/Type"
    assert "seventy" in finding.feedback
    assert "integer" in finding.feedback


@pytest.mark.parametrize(
    "broken",
    ["{'id': 7, 'items': ['a'],}", '{id: 7, "items": ["a"]}', '{"id": 7, "items": ["a"]', '```json\n{"id": 7, "items": ["a",]}\n```'],
)
def test_json_that_cannot_be_read_is_mended_and_given_in_its_place(broken: str) -> None:
    finding = found({"schema": ORDER}, exchange(broken))
    assert finding.passed
    assert json.loads(finding.replacement or "") == {"id": 7, "items": ["a"]}


def test_mending_keeps_the_prose_around_it() -> None:
    finding = found({"schema": ORDER}, exchange("Your order: {'id': 7} Thanks!"))
    assert finding.replacement == 'Your order: {"id":7} Thanks!'


def test_an_answer_that_ran_out_of_tokens_is_not_closed_as_if_it_were_whole() -> None:
    assert not found({"schema": ORDER}, exchange('{"id": 7, "items": ["a"', finish="length")).passed


def test_mending_can_be_switched_off() -> None:
    assert not found({"schema": ORDER, "repair": False}, exchange("{'id': 7}")).passed


def test_what_is_mended_must_meet_the_schema_too() -> None:
    assert not found({"schema": ORDER}, exchange("{'id': 'seven',}")).passed


def test_a_client_that_asked_for_json_gets_it_bare() -> None:
    fenced = exchange(f"Here:\n```json\n{GOOD}\n```", params=ASKED_FOR_JSON)
    assert found({"schema": ORDER}, fenced).replacement == GOOD
    assert found({"schema": ORDER}, exchange(GOOD, params=ASKED_FOR_JSON)).replacement is None


@pytest.mark.parametrize(
    "raw",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": ORDER}}},
        {"text": {"format": {"type": "json_schema", "schema": ORDER}}},
        {"output_config": {"format": {"type": "json_schema", "schema": ORDER}}},
        {"generationConfig": {"responseJsonSchema": ORDER}},
        {"generationConfig": {"responseSchema": {"type": "OBJECT", "properties": {"id": {"type": "INTEGER"}}, "required": ["id"]}}},
    ],
)
def test_the_clients_own_schema_is_found_in_every_format(raw: dict[str, Any]) -> None:
    asked = Params(response_format="json_schema")
    assert found({"schema": "request"}, exchange('{"id": 7}', params=asked, raw=raw)).passed
    assert not found({"schema": "request"}, exchange('{"id": "7"}', params=asked, raw=raw)).passed


def test_an_answer_to_a_client_without_a_schema_passes() -> None:
    assert found({"schema": "request"}, exchange("anything")).passed


def test_a_clients_schema_is_not_quoted_in_the_log() -> None:
    schema = {"type": "object", "properties": {"salary_of_the_boss": {"type": "integer"}}, "required": ["salary_of_the_boss"]}
    raw = {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}
    finding = found({"schema": "request"}, exchange("{}", params=Params(response_format="json_schema"), raw=raw))
    assert not finding.passed
    assert "salary" not in finding.detail
    assert "salary" in finding.feedback


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/schema.json", "file:///etc/passwd", "other.json"])
def test_a_clients_schema_opens_no_address_and_no_file(address: str) -> None:
    raw = {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": address}}}}
    finding = found({"schema": "request"}, exchange("{}", params=Params(response_format="json_schema"), raw=raw))
    assert finding.passed
    assert finding.detail == "the client's schema cannot be read"


def test_a_pattern_in_a_schema_takes_linear_time() -> None:
    raw = {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "string", "pattern": "^(a+)+$"}}}}
    assert not found({"schema": "request"}, exchange(f'"{"a" * 50_000}b"', params=Params(response_format="json_schema"), raw=raw)).passed


@pytest.mark.parametrize(
    ("wanted", "answer", "passed"),
    [
        ("any", "[1, 2]", True),
        ("any", '"text"', True),
        ("object", "{}", True),
        ("object", "[1, 2]", False),
        ("array", "[1]", True),
        ("array", '{"a": 1}', False),
        ("object", "none at all", False),
        ("object", "{'a': 1}", True),
        ("any", '{"a": NaN}', True),
    ],
)
def test_json_is_of_the_wanted_sort(wanted: str, answer: str, passed: bool) -> None:
    assert found({"json": wanted}, exchange(answer)).passed is passed


def test_what_is_no_json_is_never_given_as_json() -> None:
    assert found({"json": "any"}, exchange('{"a": NaN}')).replacement != '{"a": NaN}'


@pytest.mark.parametrize(
    ("paths", "answer", "passed"),
    [
        (["id"], '{"id": 1}', True),
        (["id"], '{"id": null}', False),
        (["id"], '{"id": ""}', False),
        (["id"], '{"id": 0}', True),
        (["a.b.c"], '{"a": {"b": {"c": false}}}', True),
        (["a.b.c"], '{"a": {"b": 1}}', False),
        (["items.0.sku"], '{"items": [{"sku": "x"}]}', True),
        (["items.1.sku"], '{"items": [{"sku": "x"}]}', False),
        (["items.*.sku"], '{"items": [{"sku": "x"}, {"sku": "y"}]}', True),
        (["items.*.sku"], '{"items": [{"sku": "x"}, {}]}', False),
        (["items.*.sku"], '{"items": []}', False),
        (["id"], "no JSON", False),
        (["id"], 'Two: {"x": 1} and {"id": 2}', True),
        (["0.id"], '[{"id": 1}]', True),
        (["items.٣"], '{"items": [1]}', False),
    ],
)
def test_fields_are_looked_up_by_dotted_paths(paths: list[str], answer: str, passed: bool) -> None:
    assert found({"fields": paths}, exchange(answer)).passed is passed


def test_a_field_may_be_empty_where_the_spec_says_so() -> None:
    assert found({"fields": ["id"], "empty": True}, exchange('{"id": null}')).passed


def test_missing_fields_are_named() -> None:
    finding = found({"fields": ["id", "name"]}, exchange('{"id": 1}'))
    assert finding.detail == "missing: name"


def test_they_keep_the_laws_of_validators() -> None:
    check_validator(made({"schema": ORDER}), [exchange(GOOD)], [exchange("{}"), exchange("no")])
    check_validator(made({"schema": "request"}), [exchange("anything")], [])
    check_validator(made({"json": "object"}), [exchange("{}")], [exchange("[]")])
    check_validator(made({"fields": ["id"]}), [exchange(GOOD)], [exchange("{}")])


@given(st.text(max_size=300) | st.from_regex(r"([{}\[\]\",:'`\n a0-9.-]|json|```|null|true|\\u){1,60}", fullmatch=True))
def test_whatever_stands_in_the_answer_it_is_judged(answer: str) -> None:
    for entry in ({"schema": ORDER}, {"json": "any"}, {"fields": ["a.*.b", "0"]}):
        finding = found(entry, exchange(answer))
        assert finding.passed or finding.detail
