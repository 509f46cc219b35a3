"""Traces, as a collector gets them: one span for each request, attempt and call beside it, in its caller's trace; and harmless when nobody
takes them. The collector reads with the protocol's own classes."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.semconv._incubating.attributes import error_attributes, gen_ai_attributes, http_attributes, server_attributes
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from server.collector import Collector, attributes
from server.harness import Running, Said, serving, until
from server.upstream import Upstream
from tierline.config.spec import TracingSpec
from tierline.gateway.trace import Finished
from tierline.server.tracing import words
from tierline.server.tracing.spans import Span as Made
from tierline.server.tracing.tracer import Tracer, parent_of

SECRET = "xyzzy-the-words-of-a-prompt"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

SPEC = """
version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{upstream}/v1"}}
tiers: [fast, best]
tasks:
  checked: {{why: Its answers are looked at., models: [steady, spare], validate: [{{min_chars: 1000}}]}}
  judged: {{why: Another model looks at them., models: [steady], validate: [{{judge: it is right, model: spare}}]}}
routes:
  auto: {{deadline: 5s}}
  beside: {{shadow: {{share: 1, models: [spare]}}}}
models:
  steady: {{provider: up, tier: fast, price: {{input: 1, output: 1}}, capabilities: [tools]}}
  broken: {{provider: up, model: status-500, tier: fast, price: {{input: 0.1, output: 0.1}}, capabilities: []}}
  slow: {{provider: up, model: slow-stream, tier: best, price: {{input: 99, output: 99}}, capabilities: []}}
  spare: {{provider: up, tier: best, price: {{input: 9, output: 9}}, capabilities: [tools]}}
load: {{breaker: {{min_requests: 1000}}}}
server: {{access_log: true, log_format: json}}
tracing: {{endpoint: "http://127.0.0.1:{collector}", headers: {{x-team: "${{TEAM}}"}}, sample: 1, service: the-gateway}}
"""


class Stage(NamedTuple):
    running: Running
    upstream: Upstream
    collector: Collector

    def ask(self, model: str = "auto", headers: dict[str, str] | None = None, parent: str = "", **more: Any) -> Said:
        given = {**(headers or {}), **({"traceparent": parent} if parent else {})}
        body = {"model": model, "messages": [{"role": "user", "content": SECRET}], **more}
        return self.running.ask("POST", "/v1/chat/completions", body, given)

    def trace_of(self, said: Said, spans: int) -> list[Span]:
        """The trace of a decision, as soon as it has so many spans; its root first."""
        decision = said.headers["x-tierline-decision"]

        def found() -> list[Span]:
            roots = [span for span in tuple(self.collector.spans) if span.kind == Span.SPAN_KIND_SERVER]
            trace = next((root.trace_id.hex() for root in roots if attributes(root).get("tierline.decision.id") == decision), "")
            spans_found = self.collector.of(trace)
            return sorted(spans_found, key=lambda span: span.kind != Span.SPAN_KIND_SERVER) if len(spans_found) >= spans else []

        got: list[Span] = until(found)
        assert len(got) == spans, [span.name for span in got]
        return got


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Stage]:
    with Collector().running() as collector:
        path = tmp_path_factory.mktemp("tracing") / "tierline.yaml"
        path.write_text(SPEC.format(upstream=upstream.port, collector=collector.port))
        with serving(path, TEAM="routers") as running:
            yield Stage(running, upstream, collector)
        assert SECRET not in str(collector.spans) + running.output


def test_a_request_is_a_span_in_its_callers_trace_and_its_attempt_one_below_that_the_upstream_is_told_of(stage: Stage) -> None:
    said = stage.ask("steady", parent=f"00-{TRACE}-{CALLER}-01", headers={"tracestate": "vendor=1"})
    told = stage.upstream.headers
    root, attempt = stage.trace_of(said, 2)
    assert root.trace_id.hex() == attempt.trace_id.hex() == TRACE and root.parent_span_id.hex() == CALLER
    assert attempt.parent_span_id == root.span_id and attempt.kind == Span.SPAN_KIND_CLIENT
    assert told["traceparent"] == f"00-{TRACE}-{attempt.span_id.hex()}-01" and told["tracestate"] == "vendor=1"
    assert root.start_time_unix_nano <= attempt.start_time_unix_nano <= attempt.end_time_unix_nano <= root.end_time_unix_nano
    assert root.trace_state == "vendor=1" and root.name == "POST /v1/chat/completions"


def test_spans_say_what_the_conventions_and_the_decision_say(stage: Stage) -> None:
    said = stage.ask("steady")
    root, attempt = stage.trace_of(said, 2)
    whole, one = attributes(root), attributes(attempt)
    assert whole["tierline.model"] == "steady" and whole["tierline.why"] == said.headers["x-tierline-why"]
    assert whole["tierline.policy"] == said.headers["x-tierline-policy"] and whole[words.STATUS] == 200
    assert whole[words.FINISH_REASONS] == ["stop"] and whole[words.OPERATION] == "chat"
    assert attempt.name == "chat steady" and one[words.REQUEST_MODEL] == "steady" and one[words.RESPONSE_MODEL] == "steady"
    assert (one[words.INPUT_TOKENS], one[words.OUTPUT_TOKENS]) == (11, 7) and one[words.PROVIDER] == "up"
    assert (one[words.SERVER_ADDRESS], one[words.SERVER_PORT]) == ("127.0.0.1", stage.upstream.port)
    assert one["tierline.cost_usd"] == pytest.approx(float(said.headers["x-tierline-cost"]), abs=1e-9)
    assert stage.collector.resources[-1]["service.name"] == "the-gateway" and stage.collector.requests[-1]["x-team"] == "routers"


def test_a_fallback_is_an_event_and_the_attempt_that_failed_has_its_error(stage: Stage) -> None:
    root, first, second = stage.trace_of(stage.ask("tier/fast"), 3)
    assert (first.name, second.name) == ("chat status-500", "chat steady")
    assert first.status.code == Status.STATUS_CODE_ERROR and attributes(first)[words.ERROR_TYPE] == "server"
    assert root.status.code == Status.STATUS_CODE_UNSET
    (event,) = [event for event in root.events if event.name == "tierline.fallback"]
    assert attributes(event) == {"tierline.from": "broken", "tierline.to": "steady"}


def test_an_escalation_is_an_event_and_every_verdict_is_told_as_the_conventions_tell_evaluations(stage: Stage) -> None:
    root, first, second = stage.trace_of(stage.ask("auto", {"x-tierline-task": "checked"}), 3)
    assert [event.name for event in root.events if event.name.startswith("tierline.esc")] == ["tierline.escalation"]
    for attempt in (first, second):
        (event,) = [event for event in attempt.events if event.name == words.EVALUATED]
        assert attributes(event) == {words.EVALUATION: "checked/min_chars", words.SCORE_LABEL: "fail"}


def test_what_a_validator_asks_of_a_model_is_a_span_below_its_attempt(stage: Stage) -> None:
    said = stage.ask("auto", {"x-tierline-task": "judged"})
    _, attempt, judge = stage.trace_of(said, 3)
    assert judge.parent_span_id == attempt.span_id and attributes(judge)["tierline.purpose"].startswith("judged/")
    assert attributes(judge)["tierline.model"] == "spare"


def test_the_first_content_of_a_stream_is_an_event(stage: Stage) -> None:
    root, attempt = stage.trace_of(stage.ask("steady", stream=True), 2)
    assert attributes(attempt)[words.FIRST_CHUNK] > 0 and attributes(root)[words.STREAM] is True
    (event,) = [event for event in root.events if event.name == words.FIRST_CONTENT]
    assert attempt.start_time_unix_nano < event.time_unix_nano <= attempt.end_time_unix_nano


def test_an_answer_beside_has_a_trace_of_its_own_that_is_linked_to_the_requests(stage: Stage) -> None:
    said = stage.ask("auto/beside")
    root, *_ = stage.trace_of(said, 3)

    def linked() -> list[Span]:
        return [span for span in tuple(stage.collector.spans) if any(link.span_id == root.span_id for link in span.links)]

    (shadow,) = until(linked)
    assert shadow.trace_id != root.trace_id and shadow.name == "shadow spare"
    assert attributes(shadow)["tierline.decision.id"] == said.headers["x-tierline-decision"]


def test_a_refused_request_has_a_span_with_its_error(stage: Stage) -> None:
    trace = TRACE[::-1]
    assert stage.ask("sesame", parent=f"00-{trace}-{CALLER}-01").status == 404
    (root,) = until(lambda: stage.collector.of(trace))
    assert attributes(root)[words.STATUS] == 404 and attributes(root)[words.ERROR_TYPE] == "model_not_found"


def test_a_caller_that_is_not_sampled_is_followed_and_its_upstream_is_told_so(stage: Stage) -> None:
    trace = "a" * 32
    assert stage.ask("steady", parent=f"00-{trace}-{CALLER}-00").status == 200
    assert stage.upstream.headers["traceparent"].startswith(f"00-{trace}-") and stage.upstream.headers["traceparent"].endswith("-00")
    stage.trace_of(stage.ask("steady"), 2)
    assert stage.collector.of(trace) == []


def test_a_bucket_shows_the_trace_of_an_example(stage: Stage) -> None:
    (root, *_) = stage.trace_of(stage.ask("steady"), 2)
    text = stage.running.ask("GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"}).body.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    shown = {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar is not None}
    assert root.trace_id.hex() in shown


def test_each_request_is_one_line_of_json_with_its_trace_and_none_of_its_words(stage: Stage) -> None:
    said = stage.ask("tier/fast")
    (root, *_) = stage.trace_of(said, 3)
    decision = said.headers["x-tierline-decision"]
    until(lambda: decision in stage.running.output)
    (line,) = [json.loads(line) for line in stage.running.output.splitlines() if decision in line]
    assert line["trace"] == root.trace_id.hex() and line["model"] == "steady" and line["causes"] == ["first", "fallback"]
    assert line["cost"] == pytest.approx(float(said.headers["x-tierline-cost"]), abs=1e-8) and line["latency"] > 0
    refused = stage.ask("no-such-model").json["error"]["code"]
    until(lambda: [line for line in stage.running.output.splitlines() if f'"error":"{refused}"' in line and '"path"' in line])


def test_whatever_becomes_of_a_request_it_is_told_in_one_line(stage: Stage) -> None:
    def lines() -> list[dict[str, Any]]:
        return [line for text in stage.running.output.splitlines() if text.startswith('{"at"') and "status" in (line := json.loads(text))]

    stage.trace_of(stage.ask("steady"), 2)
    until(lambda: lines() and lines()[-1]["status"] == 200)
    before = len(lines())
    answered = [stage.ask("steady"), stage.ask("broken"), stage.ask("sesame"), stage.ask("steady", messages="none")]
    answered.append(stage.running.ask("GET", "/no/such/path/of/ours"))
    connection = http.client.HTTPConnection("127.0.0.1", stage.running.port)
    body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": SECRET}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    connection.getresponse().read(1)
    connection.close()
    until(lambda: lines()[-1]["status"] == 499 and len(lines()) >= before + 6)
    stage.trace_of(stage.ask("steady"), 2)
    until(lambda: lines()[-1]["status"] == 200)
    statuses = [line["status"] for line in lines()[before:]]
    assert sorted(statuses) == sorted([*(said.status for said in answered), 499, 200])
    assert all(line.get("path", "") in {"", "/v1/chat/completions"} for line in lines())


def test_the_servers_own_messages_are_lines_of_json_too(stage: Stage) -> None:
    lines = [json.loads(line) for line in stage.running.output.splitlines()]
    assert [line for line in lines if line.get("logger") == "tierline.server" and "audit trail" in line["message"]]


def test_a_collector_that_is_away_harms_no_request_and_what_it_missed_is_counted(stage: Stage) -> None:
    stage.collector.status = 400
    try:
        assert stage.ask("steady").status == 200

        def missed() -> float:
            text = stage.running.ask("GET", "/metrics").body.decode()
            samples = [sample for family in parse_plain(text) for sample in family.samples]
            return sum(each.value for each in samples if each.name == "tierline_spans_total" and each.labels["outcome"] == "failed")

        until(lambda: missed() >= 2)
    finally:
        stage.collector.status = 200
    stage.trace_of(stage.ask("steady"), 2)


# the parts


def test_every_attribute_of_the_conventions_is_spelt_as_they_spell_it() -> None:
    known = {
        value
        for module in (gen_ai_attributes, http_attributes, server_attributes, error_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    ours = {value for name, value in vars(words).items() if name.isupper() and isinstance(value, str) and not value.startswith("tierline.")}
    assert ours - {words.EVALUATED} <= known
    providers = {each.value for each in gen_ai_attributes.GenAiProviderNameValues}
    hosts = ["api.openai.com", "eu-west1-aiplatform.googleapis.com", "me.openai.azure.com", "bedrock-runtime.eu-west-1.amazonaws.com"]
    assert {words.provider_of(host, "?") for host in hosts} <= providers
    assert words.provider_of("vllm.internal", "inhouse") == "inhouse"


@pytest.mark.parametrize(
    "bad",
    ["", "00", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-01-x"],
)
def test_a_parent_that_is_not_written_as_the_standard_says_is_none(bad: str) -> None:
    assert parent_of(bad) is None


def test_a_state_that_could_not_be_passed_on_is_left_out() -> None:
    for state in ("vendor=\u00e9", "x" * 513, "a=1\r\nx-evil: 1"):
        found = parent_of(f"00-{TRACE}-{CALLER}-01", state)
        assert found is not None and found.state == ""


def test_a_gateway_that_traces_nothing_loads_nothing_of_opentelemetry() -> None:
    said = "import sys, tierline.server.serve; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_parent_of_a_later_version_is_understood() -> None:
    found = parent_of(f"cc-{TRACE}-{CALLER}-03-what-will-be")
    assert found is not None and (found.trace_id, found.span_id, found.sampled) == (int(TRACE, 16), int(CALLER, 16), True)


class Nowhere:
    """A collector's place in a test; it takes what it is given."""

    def __init__(self, _: TracingSpec) -> None:
        self.got: list[Made] = []

    def __call__(self, spans: Any) -> bool:
        self.got += spans
        return True

    def close(self) -> None:
        """Nothing is held."""


def test_the_share_that_is_sampled_is_the_specs() -> None:
    tracer = Tracer(TracingSpec(endpoint="http://collector", sample=0.25), lambda *_: None, lambda *_: None, Nowhere)
    sampled = sum(tracer.begin("POST /", None, None, 0.0).sampled for _ in range(4000))
    tracer.close()
    assert 850 < sampled < 1150


def test_a_queue_that_is_full_drops_and_says_how_many() -> None:
    counted: dict[str, int] = {}

    def count(outcome: str, spans: int) -> None:
        counted[outcome] = counted.get(outcome, 0) + spans

    tracer = Tracer(TracingSpec(endpoint="http://collector", sample=1, max_queue=3), count, lambda *_: None, Nowhere)
    for _ in range(5):
        tracer.take(Finished(tracer.begin("POST /", None, None, 0.0), 0.0))
    tracer.close()
    assert counted["dropped"] + counted["exported"] == 5 and counted["dropped"] >= 1
