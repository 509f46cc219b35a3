"""Dashboard and alert rules name only what the gateway exposes, and are written in sound PromQL.

The parser is promql-parser (the grammar of Prometheus in Rust); where Prometheus's own promtool is installed, it has the last word."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from tierline.server.metrics import metrics_table

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/tierline.json").read_text())
RULES = [rule for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

OF_SCRAPES = {"instance", "job"}
"""Labels that Prometheus itself gives to what it scrapes."""
SERIES = {series: metric for metric in metrics_table() for series in metric.series}
UNITS = {"short", "s", "reqps", "percentunit", "currencyUSD"}


def expressions() -> list[tuple[str, str]]:
    """Every PromQL expression, with where it stands; Grafana's variables have a value."""
    found = [(rule["alert"], rule["expr"]) for rule in RULES]
    for panel in PANELS:
        found += [(f"{panel['title']} {target['refId']}", target["expr"]) for target in panel["targets"]]
    return [(name, text.replace("$__rate_interval", "5m").replace("$job", ".*")) for name, text in found]


def parts(node: Any) -> Iterator[Any]:
    """An expression and all within it."""
    yield node
    for field in ("expr", "lhs", "rhs", "param", "vs", "vector_selector"):
        inner = getattr(node, field, None)
        if inner is not None:
            yield from parts(inner)
    for argument in getattr(node, "args", None) or ():
        yield from parts(argument)


def selectors(node: Any) -> list[Any]:
    return [part for part in parts(node) if isinstance(part, promql_parser.VectorSelector)]


def grouped(node: Any) -> set[str]:
    """Labels that an aggregation within it keeps."""
    return {
        label
        for part in parts(node)
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier is not None
        for label in part.modifier.labels
    }


def labels_of(name: str) -> set[str]:
    metric = SERIES[name]
    return {*metric.labels, *OF_SCRAPES, *({"le"} if name.endswith("_bucket") else set())}


@pytest.mark.parametrize(("name", "text"), expressions(), ids=[name for name, _ in expressions()])
def test_an_expression_names_metrics_and_labels_that_there_are(name: str, text: str) -> None:
    node = promql_parser.parse(text)
    found = selectors(node)
    assert {selector.name for selector in found} == set(re.findall(r"\b(?:tierline_\w+|up)\b", text)), "the walk misses a part"
    known: set[str] = set()
    for selector in found:
        assert selector.name == "up" or selector.name in SERIES, selector.name
        has = OF_SCRAPES if selector.name == "up" else labels_of(selector.name)
        assert {matcher.name for matcher in selector.matchers.matchers} <= has, selector.name
        known |= has
    assert grouped(node) <= known


def test_the_test_sees_a_label_that_there_is_not() -> None:
    node = promql_parser.parse("sum by (prompt) (rate(tierline_requests_total{user='x'}[5m]))")
    (selector,) = selectors(node)
    assert grouped(node) == {"prompt"} and "prompt" not in labels_of(selector.name)
    assert {matcher.name for matcher in selector.matchers.matchers} - labels_of(selector.name) == {"user"}


def test_every_counter_is_read_as_a_rate() -> None:
    for name, text in expressions():
        for metric in re.findall(r"(?:rate|increase)\((\w+)|(\btierline_\w+_total\b)", text):
            used = metric[0] or metric[1]
            if used in SERIES and SERIES[used].kind == "counter":
                assert metric[0], f"{name} reads {used} without a rate"


def test_every_rule_says_how_grave_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"} and rule["annotations"]["summary"] and rule["annotations"]["do"]
        shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        node = promql_parser.parse(rule["expr"])
        left = grouped(node) or {label for each in selectors(node) for label in (OF_SCRAPES if each.name == "up" else labels_of(each.name))}
        assert shown <= left, f"{rule['alert']}: its summary shows labels that its expression does not keep"


def test_the_dashboard_has_what_grafana_needs() -> None:
    assert DASHBOARD["uid"] == "tierline" and DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["title"]
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "job"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in PANELS:
        assert panel["title"] and panel["datasource"]["uid"] == "${datasource}" and panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert all(target["refId"] and '{job=~"$job"' in target["expr"] for target in panel["targets"]), panel["title"]


def test_no_panel_lies_over_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] >= 0 and at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies over {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_every_label_that_a_legend_shows_is_kept_by_its_expression() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            text = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")
            assert shown <= grouped(promql_parser.parse(text)), panel["title"]


def test_prometheus_scrapes_the_gateways_of_compose_with_the_key_that_is_given_to_it() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    (job,) = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]
    assert (
        {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
        == {"gateway-1", "gateway-2"}
        <= set(compose["services"])
    )
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{compose['services']['prometheus']['secrets'][0]}"
    spec = yaml.safe_load((DEPLOY / "tierline.yaml").read_text())
    assert spec["keys"]["prometheus"] == {"secret": f"${{{compose['secrets']['tierline_read_key']['environment']}}}", "scopes": ["read"]}
    for volume in compose["services"]["grafana"]["volumes"] + compose["services"]["prometheus"]["volumes"]:
        source = volume.partition(":")[0]
        assert not source.startswith(".") or (DEPLOY / source).exists(), volume


def test_promtool_finds_the_rules_sound_and_they_speak_when_they_should() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here: it comes with Prometheus")
    for words in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run([promtool, *words], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_shown_to_speak() -> None:
    shown = (DEPLOY / "prometheus/alerts_test.yaml").read_text()
    assert [rule["alert"] for rule in RULES if rule["alert"] not in shown] == []
