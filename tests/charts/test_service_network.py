"""What the golden chart's NetworkPolicy lets through, decided as Kubernetes decides it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.charts.golden import CHART, objects

OWN = {"matchLabels": {"kubernetes.io/metadata.name": "wallets"}}
"""Without a namespaceSelector a rule means the policy's own namespace."""


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def _passes(rules: list[dict[str, Any]], side: str, port: tuple[int | str, str], **peer: Any) -> bool:
    """Whether one of `rules` lets traffic through: `peer` is a pod's namespace and labels, or an address block."""
    for rule in rules:
        ports = [(each["port"], each["protocol"]) for each in rule["ports"]]
        for each in rule[side]:
            if "ipBlock" in each:
                there = each["ipBlock"]["cidr"] == peer.get("cidr")
            else:
                namespace = {"kubernetes.io/metadata.name": peer.get("namespace", "")}
                there = _selects(each.get("namespaceSelector", OWN), namespace)
                there = there and _selects(each.get("podSelector", {}), peer.get("labels", {}))
            if there and port in ports:
                return True
    return False


def _policy(helm: Path, folder: Path, values: dict[str, Any], which: str = "NetworkPolicy") -> dict[str, Any]:
    spec: dict[str, Any] = objects(helm, folder, values)[which]["spec"]
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
    policy = _policy(helm, tmp_path, {"test": {"enabled": False}})
    assert [each["ports"][0]["port"] for each in policy["egress"]] == [53]
    (rule,) = policy["ingress"]
    assert [each["namespaceSelector"]["matchLabels"] for each in rule["from"]] == [
        {"kubernetes.io/metadata.name": "monitoring"}
    ]


def test_helms_test_reaches_the_service_and_nothing_else(helm: Path, tmp_path: Path) -> None:
    tester = {"shiplane.dev/test": "wallet"}
    assert objects(helm, tmp_path)["Job test"]["metadata"]["labels"].items() >= tester.items()
    ingress = _policy(helm, tmp_path, {})["ingress"]
    assert _passes(ingress, "from", ("http", "TCP"), namespace="wallets", labels=tester)
    assert not _passes(ingress, "from", ("http", "TCP"), namespace="elsewhere", labels=tester)
    policy = _policy(helm, tmp_path, {"calls": ["orders"], "dependencies": POSTGRES}, "NetworkPolicy test")
    assert policy["podSelector"]["matchLabels"] == tester
    assert "ingress" not in policy
    assert _passes(policy["egress"], "to", ("http", "TCP"), **_service("wallet", namespace="wallets"))
    assert _passes(policy["egress"], "to", (53, "UDP"), namespace="kube-system", labels={"k8s-app": "kube-dns"})
    assert not _passes(policy["egress"], "to", ("http", "TCP"), **_service("orders"))
    assert not _passes(policy["egress"], "to", (5432, "TCP"), cidr="10.0.8.0/22")


POSTGRES: dict[str, Any] = {"postgres": {"port": 5432, "cidrs": ["10.0.8.0/22", "10.1.8.0/22"]}}


def test_it_reaches_what_it_depends_on_and_only_on_its_port(helm: Path, tmp_path: Path) -> None:
    egress = _policy(helm, tmp_path, {"dependencies": POSTGRES})["egress"]
    for cidr in POSTGRES["postgres"]["cidrs"]:
        assert _passes(egress, "to", (5432, "TCP"), cidr=cidr)
        assert not _passes(egress, "to", (443, "TCP"), cidr=cidr)


def test_an_environment_says_where_its_own_is(helm: Path, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    values = (chart / "values.yaml").read_text().replace("dependencies: {}", f"dependencies: {json.dumps(POSTGRES)}")
    (chart / "values.yaml").write_text(values)
    elsewhere = {"dependencies": {"postgres": {"cidrs": ["10.9.0.0/24"]}}}
    egress = objects(helm, tmp_path, elsewhere, chart=chart)["NetworkPolicy"]["spec"]["egress"]
    assert _passes(egress, "to", (5432, "TCP"), cidr="10.9.0.0/24")
    assert not _passes(egress, "to", (5432, "TCP"), cidr="10.0.8.0/22")


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
