"""What ships for deployment says what it means: the specs pass the check, the chart renders, the unit is understood.

Helm, the container linter and the schemas of Kubernetes come by `make deploy-check`; without them those tests are skipped and say so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tierline.config.load import load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "tierline"
TOOLS = ROOT / ".deploy" / "bin"
OTHERWISE = ["autoscaling.enabled=true", "ingress.enabled=true", "ingress.host=llm.example.org", "spool.kind=emptyDir", "workers=4"]


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed here: `make deploy-check` brings it")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def rendered(*settings: str) -> list[dict[str, Any]]:
    sets = [part for setting in settings for part in ("--set", setting)]
    return [part for part in yaml.safe_load_all(run(tool("helm"), "template", "gate", str(CHART), *sets)) if part]


def of_kind(parts: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [part for part in parts if part["kind"] == kind]
    return found


def test_the_spec_of_compose_passes_the_check() -> None:
    loaded = load(DEPLOY / "tierline.yaml", need_secrets=False)
    assert loaded.warnings == ()


def test_the_spec_of_the_chart_passes_the_check(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(yaml.safe_load((CHART / "values.yaml").read_text())["spec"])
    assert load(spec, need_secrets=False).warnings == ()


def test_every_secret_of_a_spec_is_named_where_it_is_to_be_given() -> None:
    names = set(re.findall(r"\$\{(\w+)\}", (DEPLOY / "tierline.yaml").read_text()))
    compose = (DEPLOY / "compose.yaml").read_text()
    assert all(f"{name}:" in compose for name in names)
    asked = set(re.findall(r"\$\{(\w+):\?", compose))
    assert asked == set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    chart = (CHART / "values.yaml").read_text()
    said = chart.partition("# A Secret with ")[2].partition(";")[0]
    assert set(re.findall(r"\$\{(\w+)\}", yaml.safe_load(chart)["spec"])) <= set(re.findall(r"[A-Z_]{4,}", said))


def test_a_service_of_compose_is_confined_and_gets_the_time_that_the_drain_needs() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    server = load(DEPLOY / "tierline.yaml", need_secrets=False).spec.server
    for name in ("gateway-1", "gateway-2"):
        service = compose["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert int(service["stop_grace_period"].removesuffix("s")) > server.notice + server.drain
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_image_runs_as_nobody_in_particular_and_installs_extras_that_exist() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    extras = re.search(r'"\.\[([\w,]+)\]"', text)
    assert extras is not None
    project = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras[1].split(","))


def test_the_container_file_has_no_finding() -> None:
    run(tool("hadolint"), str(DEPLOY / "Containerfile"))


@pytest.mark.parametrize("settings", [[], OTHERWISE], ids=["as it comes", "otherwise"])
def test_the_chart_is_clean_and_every_part_of_it_is_valid(settings: list[str], tmp_path: Path) -> None:
    run(tool("helm"), "lint", "--strict", str(CHART))
    validate = tool("kubernetes-validate")
    parts = rendered(*settings)
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(parts))
    for version in ("1.28", "1.34"):
        run(validate, "--strict", "--quiet", "-k", version, str(file))


def test_a_pod_of_the_chart_may_do_nothing_but_serve() -> None:
    pod = of_kind(rendered(), "StatefulSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/readiness"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/liveness"


def test_a_pod_of_the_chart_gets_the_time_that_the_drain_needs(tmp_path: Path) -> None:
    parts = rendered()
    spec = tmp_path / "tierline.yaml"
    spec.write_text(of_kind(parts, "ConfigMap")["data"]["tierline.yaml"])
    server = load(spec, need_secrets=False).spec.server
    pod = of_kind(parts, "StatefulSet")["spec"]["template"]["spec"]
    wait = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > server.notice + server.drain + wait


def test_the_way_in_from_outside_leads_to_the_models_alone() -> None:
    rules = of_kind(rendered(*OTHERWISE), "Ingress")["spec"]["rules"]
    assert sorted(path["path"] for path in rules[0]["http"]["paths"]) == ["/v1", "/v1beta"]


def test_the_operator_scrapes_every_pod_by_itself_with_a_key() -> None:
    parts = rendered("serviceMonitor.enabled=true")
    monitor = of_kind(parts, "ServiceMonitor")["spec"]
    (scraped,) = [
        part
        for part in parts
        if part["kind"] == "Service" and monitor["selector"]["matchLabels"].items() <= part["metadata"]["labels"].items()
    ]
    assert scraped["metadata"]["name"].endswith("-pods") and scraped["spec"]["clusterIP"] == "None"
    (endpoint,) = monitor["endpoints"]
    assert endpoint["path"] == "/metrics" and endpoint["port"] in {port["name"] for port in scraped["spec"]["ports"]}
    assert endpoint["authorization"]["credentials"]["key"] == "TIERLINE_ADMIN_KEY"


def test_the_unit_is_understood_and_confined(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    (tmp_path / "tierline").write_text("#!/bin/sh\n")
    (tmp_path / "tierline").chmod(0o755)
    unit = tmp_path / "tierline.service"
    unit.write_text((DEPLOY / "systemd" / "tierline.service").read_text().replace("/opt/tierline/bin/tierline", str(tmp_path / "tierline")))
    run(analyze, "verify", str(unit))
    exposure = re.search(r"exposure level.*?: ([\d.]+)", run(analyze, "security", "--offline=yes", str(unit)))
    assert exposure is not None and float(exposure[1]) < 2.5
