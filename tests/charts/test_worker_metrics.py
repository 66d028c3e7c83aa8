"""How Prometheus finds a worker's pods, where no Service stands before them, and who else may."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.charts.golden import WORKER, objects
from tests.charts.test_service_alerts import PROMTOOL, needs_promtool
from tests.charts.test_service_dashboard import unmeasured
from tests.charts.test_service_network import passes, policy

PROXY: dict[str, Any] = {
    "name": "proxy",
    "image": f"registry.acme.example/proxy:1@sha256:{'3d' * 32}",
    "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "32Mi"}},
    "ports": [{"name": "metrics", "containerPort": 9102}],
}
MEASURED: dict[str, set[str]] = {
    "messages_total": {"result"},
    "message_duration_seconds_bucket": {"le"},
    "messages_in_progress": set(),
    "dependency_requests_total": {"dependency", "result"},
    "dependency_request_duration_seconds_bucket": {"dependency", "le"},
}
"""What a worker measures in every language, with its labels."""


def test_prometheus_finds_its_pods_by_our_own_label(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path, chart=WORKER)
    spec, template = rendered["PodMonitor"]["spec"], rendered["Deployment"]["spec"]["template"]
    assert spec["selector"] == {"matchLabels": {"shiplane.dev/service": "wallet"}}
    assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert spec["namespaceSelector"] == {"matchNames": ["wallets"]}
    assert template["metadata"]["labels"][spec["jobLabel"]] == "wallet"
    (endpoint,) = spec["podMetricsEndpoints"]
    assert endpoint["port"] in [each["name"] for each in template["spec"]["containers"][0]["ports"]]
    assert (endpoint["path"], endpoint["interval"], endpoint["scrapeTimeout"]) == ("/metrics", "30s", "10s")
    assert endpoint["honorLabels"] is False


@needs_promtool
def test_prometheus_gives_its_series_their_service_and_version(helm4: Path, tmp_path: Path) -> None:
    """Each port of the pod is a target to Prometheus, with the pod's labels beside it."""
    rendered = objects(helm4, tmp_path, {"sidecars": [PROXY]}, chart=WORKER)
    (endpoint,) = rendered["PodMonitor"]["spec"]["podMetricsEndpoints"]
    template = rendered["Deployment"]["spec"]["template"]
    pod = {
        f"__meta_kubernetes_pod_label_{re.sub(r'[^a-zA-Z0-9]', '_', key)}": value
        for key, value in template["metadata"]["labels"].items()
    }
    targets = [
        {
            "targets": [f"10.0.0.1:{port['containerPort']}"],
            "labels": {**pod, "__meta_kubernetes_pod_container_name": each["name"]},
        }
        for each in template["spec"]["containers"]
        for port in each["ports"]
        if port["name"] == endpoint["port"]
    ]
    names = {"sourceLabels": "source_labels", "targetLabel": "target_label"}  # all that differs in its own words
    relabel = [{names.get(key, key): value for key, value in each.items()} for each in endpoint["relabelings"]]
    job = {"job_name": "wallet", "static_configs": targets, "relabel_configs": relabel}
    config = tmp_path / "prometheus.yaml"
    config.write_text(yaml.safe_dump({"scrape_configs": [job]}))
    command = [str(PROMTOOL), "check", "service-discovery", "--timeout=1s", str(config), "wallet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {each["discoveredLabels"]["__address__"]: each["labels"] for each in json.loads(done.stdout)}
    assert found.keys() == {"10.0.0.1:8080", "10.0.0.1:9102"}
    assert found["10.0.0.1:8080"].items() >= {"service": "wallet", "version": "1f" * 20}.items()
    assert not found["10.0.0.1:9102"]  # dropped: what a sidecar says is not the service's


def test_nobody_but_prometheus_reaches_it(helm: Path, tmp_path: Path) -> None:
    ingress = policy(objects(helm, tmp_path, {"calls": ["orders"]}, chart=WORKER))["ingress"]
    metrics = ("metrics", "TCP")
    assert passes(ingress, "from", metrics, namespace="monitoring", labels={"app": "prometheus"})
    assert not passes(ingress, "from", ("http", "TCP"), namespace="monitoring", labels={"app": "prometheus"})
    for service, namespace in ("orders", "orders"), ("wallet", "wallets"), ("gateway", "wallets"):
        assert not passes(ingress, "from", metrics, namespace=namespace, labels={"shiplane.dev/service": service})


def test_nobody_at_all_reaches_it_without_metrics(helm: Path, tmp_path: Path) -> None:
    values = {"metrics": {"enabled": False}, "alerts": {"enabled": False}, "calls": ["orders"]}
    rendered = objects(helm, tmp_path, values, chart=WORKER)
    assert "ingress" not in policy(rendered)
    assert [each["ports"][0]["port"] for each in policy(rendered)["egress"]] == [53, "http"]
    assert not {"PodMonitor", "PrometheusRule"} & rendered.keys()


def test_what_rules_and_dashboard_ask_for_is_measured(helm4: Path, tmp_path: Path) -> None:
    assert unmeasured(objects(helm4, tmp_path, {"calls": ["orders"]}, chart=WORKER), MEASURED) == []
