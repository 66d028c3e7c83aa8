"""What the golden chart's NetworkPolicy lets through, decided as Kubernetes decides it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.charts.golden import objects


def _selects(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    return selector is None or selector.get("matchLabels", {}).items() <= labels.items()


def _passes(rules: list[dict[str, Any]], side: str, port: tuple[int | str, str], **peer: Any) -> bool:
    """Whether one of `rules` lets traffic through: `peer` is a pod's namespace and labels, or an address block."""
    for rule in rules:
        ports = [(each["port"], each["protocol"]) for each in rule["ports"]]
        for each in rule[side]:
            if "ipBlock" in each:
                there = each["ipBlock"]["cidr"] == peer.get("cidr")
            else:
                namespace = {"kubernetes.io/metadata.name": peer.get("namespace", "")}
                there = _selects(each.get("namespaceSelector"), namespace)
                there = there and _selects(each.get("podSelector"), peer.get("labels", {}))
            if there and port in ports:
                return True
    return False


def _policy(helm: Path, folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = objects(helm, folder, values)["NetworkPolicy"]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    return spec


def _service(name: str, namespace: str = "") -> dict[str, Any]:
    return {"namespace": namespace or name, "labels": {"shiplane.dev/service": name}}


def test_nobody_comes_in_who_is_not_named(helm: Path, tmp_path: Path) -> None:
    ingress = _policy(helm, tmp_path, {"called_by": ["gateway"]})["ingress"]
    http = ("http", "TCP")
    assert _passes(ingress, "from", http, **_service("gateway"))
    assert _passes(ingress, "from", http, namespace="monitoring", labels={"app": "prometheus"})
    assert not _passes(ingress, "from", http, **_service("orders"))
    assert not _passes(ingress, "from", http, **_service("gateway", namespace="elsewhere"))
    assert not _passes(ingress, "from", http, namespace="gateway", labels={"app": "other"})
    assert not _passes(ingress, "from", http, namespace="default", labels={})
    assert not _passes(ingress, "from", (22, "TCP"), **_service("gateway"))


def test_it_calls_nobody_but_dns_and_those_named(helm: Path, tmp_path: Path) -> None:
    egress = _policy(helm, tmp_path, {"calls": ["orders"]})["egress"]
    dns = {"namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
    for protocol in "UDP", "TCP":
        assert _passes(egress, "to", (53, protocol), **dns)
        assert _passes(egress, "to", (53, protocol), cidr="169.254.20.10/32")
    assert not _passes(egress, "to", (443, "TCP"), **dns)
    assert not _passes(egress, "to", (53, "UDP"), namespace="kube-system", labels={"k8s-app": "other"})
    assert _passes(egress, "to", ("http", "TCP"), **_service("orders"))
    assert not _passes(egress, "to", ("http", "TCP"), **_service("ledger"))
    assert not _passes(egress, "to", ("http", "TCP"), **_service("orders", namespace="elsewhere"))


def test_without_names_only_dns_and_prometheus_are_left(helm: Path, tmp_path: Path) -> None:
    policy = _policy(helm, tmp_path, {})
    assert [each["ports"][0]["port"] for each in policy["egress"]] == [53]
    (rule,) = policy["ingress"]
    assert [each["namespaceSelector"]["matchLabels"] for each in rule["from"]] == [
        {"kubernetes.io/metadata.name": "monitoring"}
    ]


def test_addresses_and_namespaces_can_be_let_through(helm: Path, tmp_path: Path) -> None:
    network = {
        "peerNamespace": "{service}-eu",
        "ingressNamespaces": ["ingress-nginx"],
        "ingressCidrs": ["10.0.1.0/24"],
        "egress": [{"cidr": "10.0.8.0/24", "ports": [5432]}],
        "dns": {"nodeLocal": ""},
    }
    policy = _policy(helm, tmp_path, {"calls": ["orders"], "network": network})
    assert _passes(policy["ingress"], "from", ("http", "TCP"), namespace="ingress-nginx", labels={"a": "b"})
    assert _passes(policy["ingress"], "from", ("http", "TCP"), cidr="10.0.1.0/24")
    assert _passes(policy["egress"], "to", (5432, "TCP"), cidr="10.0.8.0/24")
    assert not _passes(policy["egress"], "to", (443, "TCP"), cidr="10.0.8.0/24")
    assert _passes(policy["egress"], "to", ("http", "TCP"), **_service("orders", namespace="orders-eu"))
    assert not _passes(policy["egress"], "to", (53, "UDP"), cidr="169.254.20.10/32")
