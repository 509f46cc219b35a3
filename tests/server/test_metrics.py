"""What a scrape gets: the reference parsers read it, it holds what the table says and nothing else, and workers' values become one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from server.harness import Running
from tierline.server.alert_meters import AlertMeters
from tierline.server.examples import Examples
from tierline.server.metric_kit import LABELS, MetricKit, observe_all, page
from tierline.server.metrics import metrics_table
from tierline.server.request_meters import SECONDS
from tierline.types.alert import Alert
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, ErrorClass
from tierline.types.record import Record, Tried

ROOT = Path(__file__).parents[2]
OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


def value(families: Iterable[Family], name: str, **labels: str) -> float:
    """The sum over every sample of that name with these labels."""
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def scraped(running: Running) -> list[Family]:
    said = running.ask("GET", "/metrics")
    assert said.status == 200 and said.headers["content-type"].startswith("text/plain; version=0.0.4")
    return list(parse_plain(said.body.decode()))


def test_the_committed_table_is_up_to_date() -> None:
    assert (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8") == page(metrics_table()), "run: make docs"


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in metrics_table():
        assert metric.name.startswith("tierline_") and metric.name == metric.name.lower()
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.kind != "histogram" or metric.name.endswith("_seconds"), metric.name
        assert "seconds" not in metric.name or metric.name.removesuffix("_total").endswith("_seconds"), metric.name
        assert set(metric.labels) <= LABELS.keys()
        assert not set(metric.labels) & {"id", "key", "user", "request", "session", "prompt"}, f"{metric.name} has a label without a bound"
        assert metric.says[0].isupper() or metric.says[0].isdigit()


def test_what_is_scraped_is_what_the_table_says(fleet: Running) -> None:
    assert fleet.chat().status == 200 and fleet.chat("nothing-like-that").status == 404
    known = {series: metric for metric in metrics_table() for series in metric.series}
    for family in scraped(fleet):
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            assert set(sample.labels) - {"le"} == set(known[sample.name].labels), sample.name
            assert family.type == known[sample.name].kind


def test_the_reference_parser_of_openmetrics_reads_what_a_modern_scraper_gets(fleet: Running) -> None:
    assert fleet.chat().status == 200
    said = fleet.ask("GET", "/metrics", headers=OPENMETRICS)
    assert said.headers["content-type"].startswith("application/openmetrics-text") and said.body.endswith(b"# EOF\n")
    families = list(parse_openmetrics(said.body.decode()))
    assert value(families, "tierline_requests_total", route="auto", status="200") >= 1
    assert value(families, "tierline_build_info") == 1
    assert value(families, "tierline_spec_taken_timestamp_seconds") > 1e9


def test_a_request_is_told_by_its_route_task_and_tier_with_its_cost_and_time(fleet: Running) -> None:
    before = scraped(fleet)
    said = fleet.chat("auto", {"x-tierline-task": "greeting"})
    after = scraped(fleet)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("tierline_decisions_total", route="auto", task="greeting", tier="fast") == 1
    assert grown("tierline_request_cost_usd_total", task="greeting") == pytest.approx(float(said.headers["x-tierline-cost"]), abs=1e-8)
    assert grown("tierline_request_seconds_count", route="auto") == 1
    assert grown("tierline_cost_usd_total", model="mini") == pytest.approx(float(said.headers["x-tierline-cost"]), abs=1e-8)


def test_a_counter_that_an_alert_waits_for_is_there_before_it_grows(fleet: Running) -> None:
    samples = [sample for family in scraped(fleet) for sample in family.samples]
    assert [each for each in samples if each.name == "tierline_reloads_total" and each.labels == {"outcome": "refused"}]


def test_no_word_of_a_client_becomes_a_label(fleet: Running) -> None:
    headers = {
        "x-tierline-tags": "sesame,open",
        "x-tierline-session": "sesame",
        "x-tierline-user-tier": "sesame",
        "x-tierline-risk": "high",
    }
    fleet.chat("sesame")
    fleet.chat("auto", {"x-tierline-task": "sesame"})
    fleet.chat("auto", headers, user="sesame")
    assert b"sesame" not in fleet.ask("GET", "/metrics").body


@given(st.lists(st.floats(0, 200) | st.sampled_from(SECONDS), max_size=30))
def test_many_values_at_once_are_what_they_are_one_by_one(values: list[float]) -> None:
    """A value on a bound is in its bucket, and one above all bounds in the last."""
    shown = []
    for together in (True, False):
        kit = MetricKit()
        child = kit.histogram("tierline_call_seconds", "Time", SECONDS, ["model"]).labels("mini")
        if together:
            observe_all(child, values)
        else:
            for value in values:
                child.observe(value)
        shown.append({(each.name, each.labels.get("le")): each.value for family in kit.registry.collect() for each in family.samples})
    created = ("tierline_call_seconds_created", None)
    assert {key: value for key, value in shown[0].items() if key != created} == pytest.approx(
        {key: value for key, value in shown[1].items() if key != created}
    )


def test_examples_stand_at_their_buckets_and_the_newest_stays() -> None:
    kit = MetricKit()
    histogram = kit.histogram("tierline_request_seconds", "Time", (0.1, 1.0), ["route"])
    examples = Examples("tierline_request_seconds", "route", (0.1, 1.0))
    for value, trace in ((0.05, "a"), (0.1, "b"), (0.5, "c"), (7.0, "d")):
        histogram.labels("auto").observe(value)
        examples.note("auto", value, trace)
    histogram.labels("other").observe(0.5)
    (family,) = examples.shown(kit.registry.collect())
    shown = {(each.labels["route"], each.labels["le"]): each.exemplar.labels["trace_id"] for each in family.samples if each.exemplar}
    assert shown == {("auto", "0.1"): "b", ("auto", "1.0"): "c", ("auto", "+Inf"): "d"}


def row(*tried: Tried, hedge: float | None = None, overhead: float = 0.0) -> Record:
    return Record(0.0, Features("1"), Decision("1", "auto", "p", (), hedge=hedge), tried, overhead=overhead)


def tried(cause: str, elapsed: float, error: ErrorClass = "", wait: float = 0.0) -> Tried:
    return Tried("m", cause, not error, 0.0, elapsed, None, NO_USAGE, error, wait=wait)


def test_calls_one_after_the_other_take_the_sum_of_their_times() -> None:
    found = row(tried("first", 1.0, "server"), tried("retry", 2.0, wait=0.5), tried("escalation", 4.0), overhead=0.25)
    assert found.latency == pytest.approx(7.75)


def test_calls_that_run_together_take_as_long_as_the_one_that_ended_last() -> None:
    branches = row(tried("branch", 1.0), tried("branch", 3.0), tried("judge", 0.5))
    assert branches.latency == pytest.approx(3.5)
    lost = row(tried("first", 3.0, "outraced"), tried("hedge", 1.0), hedge=2.0)
    assert lost.latency == pytest.approx(3.0)
    failed = row(tried("first", 0.5, "server"), tried("hedge", 1.0), hedge=2.0)
    assert failed.latency == pytest.approx(1.5)


def test_a_watch_shows_its_open_alerts_and_goes_to_zero_when_it_is_gone() -> None:
    kit = MetricKit()
    meters = AlertMeters(kit)
    alert = Alert("quality_drop", "task/orders", 1.0, 0.0, 0.97, 0.9, 0.99, "It fell.", "Look.")
    meters.show(["quality_drop", "price_change"], [alert, alert])
    meters.raised("quality_drop")

    def firing(watch: str) -> float:
        return value(kit.registry.collect(), "tierline_alerts_firing", watch=watch)

    assert (firing("quality_drop"), firing("price_change")) == (2, 0)
    assert value(kit.registry.collect(), "tierline_alerts_total", watch="quality_drop") == 1
    meters.show([], [])
    assert firing("quality_drop") == 0
