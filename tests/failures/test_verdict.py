"""What the first mock provider itself says of us: it has seen every attempt and its timing."""

from __future__ import annotations

import json

import pytest
from clients.upstreams import Upstream

from failures.peers import Fresh, alone, scripted, send
from failures.test_matrix import LONG, ask
from server.harness import Running


def verdict(peer: Upstream) -> dict[str, object]:
    found: dict[str, object] = json.loads(send("GET", f"{peer.scripts}/verdict", None))
    return found


@pytest.mark.parametrize("form", ["same", "other"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_wish_to_wait_is_honoured_where_nobody_stands_in(
    gateway: Running, fresh: Fresh, first: Upstream, form: str, stream: bool
) -> None:
    with scripted(first, {"type": "fail", "status": 429, "retry_after": 1}):
        said, row = ask(gateway, alone(fresh.model("llmock", form)), stream=stream)
        found = verdict(first)
    assert said.status == 200
    assert [(tried.cause, tried.error) for tried in row.tried] == [("first", "rate_limited"), ("retry", "")]
    assert row.tried[1].wait >= 1
    assert found["findings"] == [], found


@pytest.mark.parametrize("status", [500, 503, 529])
def test_an_outage_is_met_with_few_tries_that_keep_their_distance(gateway: Running, fresh: Fresh, first: Upstream, status: int) -> None:
    with scripted(first, {"type": "fail", "status": status, "times": 50}):
        said, row = ask(gateway, alone(fresh.model("llmock", "same")), stream=False)
        found = verdict(first)
    assert said.status in {502, 503}
    assert 1 < len(row.tried) <= 4
    assert [one for one in found["findings"] if one["severity"] == "error"] == [], found  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["disconnect", "truncate", "malformed"])
def test_a_stream_that_broke_off_is_never_taken_for_whole(gateway: Running, fresh: Fresh, first: Upstream, kind: str) -> None:
    with scripted(first, LONG, {"type": "stream_fault", "kind": kind, "after_chunks": 6}):
        _, row = ask(gateway, alone(fresh.model("llmock", "same")), stream=True)
    assert row.truncated


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_no_retry_can_mend_is_not_tried_again(gateway: Running, fresh: Fresh, first: Upstream, status: int) -> None:
    with scripted(first, {"type": "fail", "status": status, "times": 5}):
        said, row = ask(gateway, alone(fresh.model("llmock", "same")), stream=False)
        found = verdict(first)
    assert said.status >= 400
    assert len(row.tried) == 1
    assert found["findings"] == [], found
