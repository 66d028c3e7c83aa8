"""How Prometheus finds the service and what it calls its series."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import SERVICE, WORKER, Render, objects


def test_prometheus_finds_it_by_the_clusters_label_and_selects_by_ours(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path, {"discovery": {"prometheus": "main"}})
    monitor = rendered["ServiceMonitor"]
    assert {"prometheus": "main", "release": "kube-prometheus-stack"}.items() <= monitor["metadata"]["labels"].items()
    spec = monitor["spec"]
    assert spec["selector"] == {"matchLabels": {"shiplane.dev/service": "wallet"}}
    assert spec["selector"]["matchLabels"].items() <= rendered["Service"]["metadata"]["labels"].items()
    assert spec["namespaceSelector"] == {"matchNames": ["wallets"]}
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] in [each["name"] for each in rendered["Service"]["spec"]["ports"]]
    assert (endpoint["path"], endpoint["interval"], endpoint["scrapeTimeout"]) == ("/metrics", "30s", "10s")
    assert endpoint["honorLabels"] is False


@pytest.mark.parametrize(("chart", "monitor"), [(SERVICE, "ServiceMonitor"), (WORKER, "PodMonitor")])
def test_a_label_of_discovery_can_be_taken_away(render: Render, monitor: str) -> None:
    rendered = render({"discovery": {"release": None, "prometheus": "main"}})
    for each in monitor, "PrometheusRule":
        labels = rendered[each]["metadata"]["labels"]
        assert labels["prometheus"] == "main"
        assert "release" not in labels


def test_series_tell_the_version_and_the_service(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path)
    spec = rendered["ServiceMonitor"]["spec"]
    (relabeling,) = spec["endpoints"][0]["relabelings"]
    pod_labels = rendered["Deployment"]["spec"]["template"]["metadata"]["labels"]
    known = {"__meta_kubernetes_pod_label_" + key.translate(str.maketrans("./-", "___")) for key in pod_labels}
    assert set(relabeling["sourceLabels"]) <= known
    assert relabeling["targetLabel"] == "version"
    assert rendered["Service"]["metadata"]["labels"][spec["jobLabel"]] == "wallet"


def test_where_no_operator_is_nothing_asks_for_one(render: Render) -> None:
    rendered = render({"metrics": {"enabled": False}, "alerts": {"enabled": False}})
    assert not [name for name, each in rendered.items() if each["apiVersion"].startswith("monitoring.coreos.com/")]


def test_a_patience_that_prometheus_refuses_is_refused_here(render: Render) -> None:
    with pytest.raises(ShiplaneError, match=r"metrics\.timeoutSeconds: longer than"):
        render({"metrics": {"intervalSeconds": 5}})
