"""The document of every endpoint: it is a schema, it is complete, and it tells nothing of the spec."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from server.harness import Running
from server.test_access import routes
from tierline.server.openapi import TOLD

__all__ = ["routes"]  # the fixture that lists every route of the app


@pytest.fixture(scope="module")
def told(fleet: Running) -> Any:
    said = fleet.ask("GET", "/openapi.json")
    assert (said.status, said.headers["content-type"]) == (200, "application/json")
    return said.json


def begins(documented: str, path: str) -> bool:
    """Whether an operation's path is that of a route, or goes on where the route's does."""
    return documented == path or (path.endswith("/x") and documented.startswith(path[:-1] + "{"))


def test_every_route_is_in_the_document_and_nothing_else_is(told: Any, routes: list[tuple[str, str, str]]) -> None:
    documented = {(method.upper(), path) for path, operations in told["paths"].items() for method in operations}
    for method, path, _ in routes:
        assert [at for known, at in documented if known == method and begins(at, path)], (method, path)
    for method, path in documented:
        assert [at for known, at, _ in routes if known == method and begins(path, at)], (method, path)


def test_what_is_told_of_a_route_is_told_of_one_that_exists(routes: list[tuple[str, str, str]]) -> None:
    known = {(method, path[:-1] if path.endswith("/x") else path) for method, path, _ in routes}
    assert set(TOLD) <= known


def test_the_document_says_which_scope_a_key_needs(told: Any, routes: list[tuple[str, str, str]]) -> None:
    for method, path, scope in routes:
        for at, operations in told["paths"].items():
            if begins(at, path) and method.lower() in operations:
                asked = operations[method.lower()]["security"]
                assert {tuple(named) for way in asked for named in way.values()} == ({(scope,)} if scope else set()), (method, at)


def test_every_shape_is_a_schema_and_every_reference_leads_somewhere(told: Any) -> None:
    shapes = told["components"]["schemas"]
    for shape in shapes.values():
        jsonschema.Draft202012Validator.check_schema(shape)
    text = json.dumps(told)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named and named <= set(shapes)
    assert len({operation["operationId"] for path in told["paths"].values() for operation in path.values()}) == text.count('"operationId"')


def test_errors_have_the_shape_that_the_document_says(fleet: Running, told: Any) -> None:
    for path, name in (
        ("/v1/chat/completions", "OpenAIError"),
        ("/v1/responses", "OpenAIError"),
        ("/v1/messages", "AnthropicError"),
        ("/v1beta/models/auto:generateContent", "GeminiError"),
    ):
        said = fleet.ask("POST", path, b"{")
        assert said.status == 400
        jsonschema.validate(said.json, told["components"]["schemas"][name])


def test_nothing_of_the_spec_is_told(told: Any) -> None:
    text = json.dumps(told)
    assert not [name for name in ("mini", "audited", "greeting", "scripted") if f'"{name}"' in text]
