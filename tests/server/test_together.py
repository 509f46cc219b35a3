"""Several models for one request, over sockets: branches that are compared or judged, and a hedge against a slow first."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from server.harness import Running, Said, serving

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script:
      latency: none
      difficulty: {capital: 0.5}
      answers: {capital: Paris}
      models:
        poor: {ability: 0, noise: 0}
        fair: {ability: 0.7, noise: 0}
        good: {ability: 0.6, noise: 0}
        top: {ability: 1, noise: 0}
  slow:
    kind: scripted
    script: {latency: real, models: {snail: {ttft: 5s, tokens_per_second: 100000}, hare: {ttft: 1ms, tokens_per_second: 100000}}}
models:
  poor: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
  fair: {provider: fleet, tier: fast, price: {input: 0.2, output: 0.8}, context: 100000}
  good: {provider: fleet, tier: balanced, price: {input: 1, output: 4}, context: 100000}
  top: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000}
  snail: {provider: slow, tier: fast, price: {input: 1, output: 1}, context: 100000}
  hare: {provider: slow, tier: fast, price: {input: 2, output: 2}, context: 100000}
tasks:
  races: {why: Somebody waits., models: [snail], fallback: [hare]}
routes:
  auto: {select: static}
  agree: {combine: {models: [fair, good], by: agreement, normalise: text, else: top}}
  argue: {combine: {models: [poor, good], by: agreement, normalise: text, else: top}}
  most: {combine: {models: [poor, fair, good], by: majority, normalise: text, else: top}}
  judged: {combine: {models: [poor, good], by: judge, judge: top}}
  first: {combine: {models: [poor, good], by: first_valid}, validate: [{pattern: "Answer: Paris"}]}
  hedged: {task: races, select: static, hedge: {after: 30ms}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("together") / "tierline.yaml"
    path.write_text(SPEC)
    with serving(path) as served:
        yield served


def ask(running: Running, route: str, question: str, *, stream: bool = False) -> Said:
    body = {"model": f"auto/{route}", "stream": stream, "messages": [{"role": "user", "content": question}]}
    return running.ask("POST", "/v1/chat/completions", body)


def words(said: Said, *, stream: bool) -> str:
    if not stream:
        return str(said.json["choices"][0]["message"]["content"])
    events = [json.loads(line[6:]) for line in said.body.decode().split("\n\n") if line.startswith("data: {")]
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])


@pytest.mark.parametrize("stream", [False, True])
def test_where_the_branches_agree_the_first_of_them_is_the_answer(running: Running, stream: bool) -> None:
    said = ask(running, "agree", "Name the capital of France.", stream=stream)
    assert words(said, stream=stream).endswith("Answer: Paris") and said.headers["x-tierline-model"] == "fair"
    row = running.record(said.headers["x-tierline-decision"])
    assert [(tried.target, tried.cause, tried.ok) for tried in row.tried[:2]] == [("fair", "branch", True), ("good", "branch", True)]
    assert (row.tried[2].cause, row.tried[2].cost) == ("judge", 0.0), "comparing words costs nothing"
    assert row.cost == pytest.approx(sum(tried.cost for tried in row.tried)) and said.headers["x-tierline-cost"] == f"{row.cost:.8f}"


@pytest.mark.parametrize("stream", [False, True])
def test_where_they_do_not_the_model_behind_them_answers(running: Running, stream: bool) -> None:
    said = ask(running, "argue", "Name the capital of France.", stream=stream)
    assert words(said, stream=stream).endswith("Answer: Paris") and said.headers["x-tierline-model"] == "top"
    row = running.record(said.headers["x-tierline-decision"])
    assert [tried.cause for tried in row.tried] == ["branch", "branch", "judge", "escalation"] and not row.flagged


def test_a_majority_outvotes_the_one_that_is_wrong(running: Running) -> None:
    said = ask(running, "most", "Name the capital of France.")
    assert words(said, stream=False).endswith("Answer: Paris") and said.headers["x-tierline-model"] == "fair"


@pytest.mark.parametrize("stream", [False, True])
def test_a_judge_picks_blind_and_its_calls_stand_beside_its_attempt(running: Running, stream: bool) -> None:
    said = ask(running, "judged", "Name the capital of France.", stream=stream)
    row = running.record(said.headers["x-tierline-decision"])
    judge = row.tried[2]
    assert (judge.target, judge.cause, [aside.target for aside in judge.asides]) == ("top", "judge", ["top", "top"])
    assert judge.cost == pytest.approx(sum(aside.cost for aside in judge.asides)) and judge.cost > 0
    assert said.headers["x-tierline-model"] in {"poor", "good"} and words(said, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_valid_answer_is_given(running: Running, stream: bool) -> None:
    said = ask(running, "first", "Name the capital of France.", stream=stream)
    assert words(said, stream=stream).endswith("Answer: Paris") and said.headers["x-tierline-model"] == "good"


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_first_is_raced_cancelled_and_paid_for(running: Running, stream: bool) -> None:
    said = ask(running, "hedged", "Hello?", stream=stream)
    assert said.headers["x-tierline-model"] == "hare" and words(said, stream=stream)
    row = running.record(said.headers["x-tierline-decision"])
    assert [(tried.target, tried.cause, tried.error) for tried in row.tried] == [("snail", "first", "outraced"), ("hare", "hedge", "")]
    assert row.tried[0].usage.estimated and row.tried[0].cost > 0 and row.tried[0].elapsed < 5
    told = running.ask("GET", "/metrics").body.decode()
    assert 'tierline_attempts_total{cause="hedge",error="",model="hare"}' in told
