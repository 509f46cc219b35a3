"""The library client: the gateway without HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.conftest import FAULTS, FLEET, SCENARIOS
from server.upstream import Upstream
from tierline.client import Client
from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.ledger import Ledger
from tierline.types.errors import NoEligibleModel, UnknownModel, UpstreamFailed
from tierline.types.hints import Hints


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(FLEET)
    return path


def test_it_routes_calls_and_logs_in_process(spec: Path) -> None:
    async def story() -> None:
        async with Client.from_file(spec) as client:
            answer = await client.chat("What is the capital of France?", task="greeting")
            assert (answer.model, answer.tier, answer.task, answer.attempts) == ("mini", "fast", "greeting", 1)
            assert answer.text and answer.json["choices"] and answer.cost > 0
            assert (await client.chat("Hello", hints=Hints(tier="best"))).model == "big"
            assert len(await client.embed(["one", "two"])) == 2
            with pytest.raises(UnknownModel):
                await client.chat("Hello", model="none")
            with pytest.raises(NoEligibleModel):
                await client.chat("Hello", hints=Hints(max_cost=0.0))

    asyncio.run(story())
    log = SqliteLog(spec.parent / "tierline.db")
    assert [row.status for row in log.rows()] == [200, 200, 200, 402]
    log.close()


def test_a_stream_joined_is_the_whole_answer(spec: Path) -> None:
    async def story() -> None:
        async with Client.from_file(spec) as client:
            whole = await client.chat("Say what two and two make.", model="big")
            async with client.stream("Say what two and two make.", model="big") as stream:
                pieces = [piece async for piece in stream]
            assert len(pieces) > 1
            assert "".join(pieces) == whole.text
            assert stream.answer is not None and stream.answer.text == whole.text and stream.answer.usage.output > 0

    asyncio.run(story())


def test_a_reader_that_leaves_while_many_pieces_wait_is_let_go(spec: Path) -> None:
    async def story() -> None:
        async with Client.from_file(spec) as client:
            async with client.stream("Tell me all about it.", model="big") as stream:
                await asyncio.sleep(0.05)
            assert stream.answer is None

    asyncio.run(asyncio.wait_for(story(), 5))
    log = SqliteLog(spec.parent / "tierline.db")
    assert [row.stopped for row in log.rows()] == ["cancelled"]
    log.close()


def test_leaving_a_stream_early_cancels_it_and_logs_so(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"

    async def story(upstream: Upstream) -> None:
        async with Client.from_file(spec, environ={"UPSTREAM_KEY": "x"}) as client:
            async with client.stream("Hello", model="slow-stream") as stream:
                async for _ in stream:
                    break
            assert await asyncio.to_thread(upstream.gone.wait, 5)
            with pytest.raises(UpstreamFailed):
                async with client.stream("Hello", model="cut-late") as stream:
                    async for _ in stream:
                        pass

    with Upstream().running() as upstream:
        spec.write_text(FAULTS.format(port=upstream.port) + SCENARIOS)
        asyncio.run(story(upstream))
    log = SqliteLog(tmp_path / "tierline.db")
    assert [(row.stopped, row.truncated) for row in log.rows()] == [("cancelled", False), ("", True)]
    log.close()


def test_a_tools_answer_names_the_tool_and_costs_nothing(spec: Path) -> None:
    (spec.parent / "faq.csv").write_text("question,answer\nWhere are you?,In Vienna.\n")
    spec.write_text(FLEET.replace("  auto: {}", "  auto: {tools_first: [{lookup: faq.csv}]}"))

    async def story() -> None:
        async with Client.from_file(spec) as client:
            answer = await client.chat("Where are you?")
            assert (answer.text, answer.answered, answer.model, answer.cost) == ("In Vienna.", "lookup:faq.csv", "", 0.0)
            async with client.stream("Where are you?") as stream:
                assert "".join([piece async for piece in stream]) == "In Vienna."
            assert stream.answer is not None and stream.answer.answered == "lookup:faq.csv"

    asyncio.run(story())


def test_what_answers_beside_can_be_waited_for_and_is_ended_otherwise(spec: Path) -> None:
    spec.write_text(FLEET.replace("auto: {}", "auto: {shadow: {models: [big], share: 1, max_cost_per_day: 10}}"))

    async def story() -> None:
        async with Client.from_file(spec) as client:
            await client.chat("What is the capital of France?", task="greeting")
            await client.settled()
            await client.chat("What is the capital of France?", task="greeting")

    asyncio.run(story())
    ledger = Ledger(spec.parent / "tierline.db")
    (row,) = ledger.shadows.standings()
    ledger.close()
    assert (row.task, row.model, row.against, row.ok) == ("greeting", "big", "mini", 1)
