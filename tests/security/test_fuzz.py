"""Requests that a machine makes up from the OpenAPI document, good and bad, against a gateway that runs: no answer is a crash, every
answer is one that the document tells of, and no secret is in any of them.

`make fuzz` makes up many more than the default, of other seeds each time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import checks

from security.guarded import SECRETS, Guarded

MANY = int(os.environ.get("TIERLINE_FUZZ", "0"))
EACH = MANY or 3
"""Examples for each operation and kind."""
KNOWN = ("auto", "mini", "big", "vectors", "tier/best", "auto/auto", "fleet/mini")
HOLDS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
"""Not `not_a_server_error` (a latency budget of a millisecond is a 504), `positive_data_acceptance` (a name that fits the schema may be
nobody's) nor `ignored_auth` (tests/server/test_access.py knows more about keys than a document does)."""


class Fuzzed(NamedTuple):
    guarded: Guarded
    operations: dict[str, Any]
    session: requests.Session
    statuses: Counter[tuple[str, int]]


@pytest.fixture(scope="module")
def fuzzed(guarded: Guarded) -> Iterator[Fuzzed]:
    document = guarded.ask("GET", "/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{guarded.running.port}")
    found = [result.ok() for result in schema.get_all_operations()]
    with requests.Session() as session:
        yield Fuzzed(guarded, {operation.label: operation for operation in found}, session, Counter())


def made_up(operation: Any, kind: schemathesis.GenerationMode) -> st.SearchStrategy[Any]:
    """Cases of an operation, of which most name a model that there is."""
    good = kind is schemathesis.GenerationMode.POSITIVE
    return st.tuples(operation.as_strategy(generation_mode=kind), st.sampled_from((*KNOWN, None)) if good else st.none())


def asked(fuzzed: Fuzzed, case: Any, model: str | None) -> bytes:
    """Send a case and hold its answer against the document."""
    if model is not None and isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
        case.body["model"] = model
    if model is not None and "model" in (case.path_parameters or {}):
        case.path_parameters["model"] = model
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {SECRETS['BOSS']}"}
    answer = case.call(session=fuzzed.session)
    fuzzed.statuses[case.operation.label, answer.status_code] += 1
    assert answer.status_code < 500 or (answer.status_code in (503, 504) and "x-tierline-latency-budget" in case.headers), answer.text
    case.validate_response(answer, checks=HOLDS)
    return bytes(answer.content) + repr(answer.headers).encode()


def fuzz(fuzzed: Fuzzed, label: str, kind: schemathesis.GenerationMode) -> None:
    operation = fuzzed.operations[label]

    @settings(max_examples=EACH, deadline=None, database=None, derandomize=not MANY, suppress_health_check=list(HealthCheck))
    @given(made_up(operation, kind))
    def holds(made: tuple[Any, str | None]) -> None:
        said = asked(fuzzed, *made)
        assert not [name for name, secret in SECRETS.items() if secret.encode() in said]

    try:
        holds()
    except Unsatisfiable:
        assert kind is schemathesis.GenerationMode.NEGATIVE  # what takes nothing cannot be given anything wrong


@pytest.mark.parametrize("kind", list(schemathesis.GenerationMode), ids=lambda kind: kind.value)
def test_made_up_requests_find_nothing(fuzzed: Fuzzed, kind: schemathesis.GenerationMode) -> None:
    found = []
    for label in fuzzed.operations:
        try:
            fuzz(fuzzed, label, kind)
        except Exception as error:
            found.append(error)
    if found:
        raise ExceptionGroup(f"{len(found)} operations", found)
    assert fuzzed.guarded.lives()


def test_the_run_was_one(fuzzed: Fuzzed) -> None:
    """Every operation was called; the important ones answered, and refused."""
    assert set(fuzzed.operations) - {label for label, _ in fuzzed.statuses} == set()
    answered = {label for (label, status), _ in fuzzed.statuses.items() if status == 200}
    refused = {label for (label, status), _ in fuzzed.statuses.items() if 400 <= status < 500}
    asking = {
        f"POST {path}" for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/{model}:generateContent")
    }
    assert asking <= refused
    assert asking & answered and (not MANY or asking <= answered), fuzzed.statuses


def test_no_secret_is_written_and_nothing_went_wrong_inside(fuzzed: Fuzzed) -> None:
    assert "incident" not in fuzzed.guarded.running.output and "Traceback" not in fuzzed.guarded.running.output
    everything = fuzzed.guarded.everything()
    assert not [name for name, secret in SECRETS.items() if secret.encode() in everything]
