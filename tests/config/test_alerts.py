"""The section `alerts`: what each watch comes to, whom to tell, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline.config.alerts import watches
from tierline.config.load import check, load
from tierline.config.spec import Spec
from tierline.types.access import Webhook

FLEET = """
version: 1
providers: {fleet: {kind: scripted, script: {models: {mini: {ability: 0.5}}}}}
models: {mini: {provider: fleet, tier: fast, price: {input: 1, output: 1}}}
tasks: {greeting: {why: Chatter., models: [mini]}}
"""


def written(folder: Path, alerts: str) -> Path:
    path = folder / "tierline.yaml"
    path.write_text(f"{FLEET}alerts: {alerts}\n")
    return path


def spec(folder: Path, alerts: str, **environ: str) -> Spec:
    return load(written(folder, alerts), environ).spec


def test_a_name_alone_takes_the_defaults_and_a_mapping_sets_its_own(tmp_path: Path) -> None:
    plain, own = watches(spec(tmp_path, "{watch: [latency_slo, {quality_drop: {threshold: 0.05, window: 2d, tasks: [greeting]}}]}").alerts)
    assert (plain.name, plain.target, plain.window, plain.tasks) == ("latency_slo", 0.95, 3 * 86400, frozenset())
    assert (own.name, own.threshold, own.window, own.tasks) == ("quality_drop", 0.05, 2 * 86400, frozenset({"greeting"}))
    assert own.alpha == 0.5


def test_webhooks_have_their_secrets_read_and_the_kept_spec_has_none(tmp_path: Path) -> None:
    alerts = '{webhook: "${A}", webhooks: [{url: "https://x.example/y", shape: slack, secret: "${B}"}], watch: [price_change]}'
    loaded = load(written(tmp_path, alerts), {"A": "https://hooks.example/t0ken", "B": "s3cret"})
    assert loaded.webhooks == (
        Webhook("alerts.webhook", "https://hooks.example/t0ken"),
        Webhook("alerts.webhooks[0]", "https://x.example/y", "slack", "s3cret"),
    )
    assert all(secret not in repr(loaded) + loaded.canonical.decode() for secret in ("t0ken", "s3cret"))


def test_what_is_watched_decides_nothing(tmp_path: Path) -> None:
    without, with_it = load(written(tmp_path, "{}")), load(written(tmp_path, "{watch: [price_change]}"))
    assert without.fingerprint == with_it.fingerprint


@pytest.mark.parametrize(
    ("alerts", "path", "reason"),
    [
        ("{watch: [qualty_drop]}", "alerts.watch[0]", "qualty_drop"),
        ("{watch: [{qualty_drop: {}}]}", "alerts.watch[0]", "there is no watch 'qualty_drop'"),
        ("{watch: [price_change, price_change]}", "alerts.watch[1]", "price_change stands twice"),
        ("{watch: [{price_change: {}, quality_drop: {}}]}", "alerts.watch[0]", "2 watches stand in one entry"),
        ("{watch: [{price_change: {target: 1}}]}", "alerts.watch[0].price_change.target", "price_change has no target"),
        ("{watch: [{input_mix: {tasks: [greeting]}}]}", "alerts.watch[0].input_mix.tasks", "input_mix is not by tasks"),
        ("{watch: [{quality_drop: {tasks: [nobody]}}]}", "alerts.watch[0].quality_drop.tasks[0]", "there is no task 'nobody'"),
        ("{watch: [{quality_drop: {target: 1.5}}]}", "alerts.watch[0].quality_drop.target", "this target is a rate"),
        ("{watch: [{quality_drop: {window: 30d}}]}", "alerts.watch[0].quality_drop.window", "a window lasts from an hour to 14 days"),
        ("{watch: [{quality_drop: {budget: 2s}}]}", "alerts.watch[0].quality_drop.budget", "quality_drop has no budget"),
        ("{watch: [price_change], every: 0s}", "alerts.every", "every second at most"),
        ("{watch: [price_change], webhook: hooks.example}", "alerts.webhook", "this is no http address"),
        ("{watch: [price_change], webhook: 'ftp://hooks.example'}", "alerts.webhook", "this is no http address"),
        ("{watch: [price_change], webhook: {url: 'http://169.254.169.254/latest'}}", "alerts.webhook.url", "a link-local address"),
    ],
)
def test_what_cannot_be_watched_or_told_is_refused(alerts: str, path: str, reason: str, tmp_path: Path) -> None:
    found = [problem for problem in check(written(tmp_path, alerts)) if problem.severity == "error"]
    assert [problem.path for problem in found] == [path]
    assert reason in found[0].reason


@pytest.mark.parametrize(
    ("alerts", "path"),
    [
        ("{watch: [price_change], webhook: 'http://hooks.example'}", "alerts.webhook"),
        ("{webhook: 'https://hooks.example'}", "alerts"),
        ("{watch: [budget_pace]}", "alerts.watch"),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(alerts: str, path: str, tmp_path: Path) -> None:
    assert [(problem.severity, problem.path) for problem in check(written(tmp_path, alerts))] == [("warning", path)]
