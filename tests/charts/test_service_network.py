"""What the golden charts' NetworkPolicy lets through, decided as Kubernetes decides it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.charts.golden import SERVICE, WORKER, Objects, Render, objects

OWN = {"matchLabels": {"kubernetes.io/metadata.name": "wallets"}}
"""Without a namespaceSelector a rule means the policy's own namespace."""


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def passes(rules: list[dict[str, Any]], side: str, port: tuple[int | str, str], **peer: Any) -> bool:
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


def policy(rendered: Objects, which: str = "NetworkPolicy") -> dict[str, Any]:
    """A NetworkPolicy's spec; it always speaks of both ways."""
    spec: dict[str, Any] = rendered[which]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    return spec


def _service(name: str, namespace: str = "") -> dict[str, Any]:
    return {"namespace": namespace or name, "labels": {"shiplane.dev/service": name}}


def test_nobody_comes_in_who_is_not_named(helm: Path, tmp_path: Path) -> None:
    ingress = policy(objects(helm, tmp_path, {"called_by": ["gateway"]}))["ingress"]
    http = ("http", "TCP")
    assert passes(ingress, "from", http, **_service("gateway"))
    assert passes(ingress, "from", http, namespace="monitoring", labels={"app": "prometheus"})
    assert not passes(ingress, "from", http, **_service("orders"))
    assert not passes(ingress, "from", http, **_service("gateway", namespace="elsewhere"))
    assert not passes(ingress, "from", http, namespace="gateway", labels={"app": "other"})
    assert not passes(ingress, "from", http, namespace="default", labels={})
    assert not passes(ingress, "from", (22, "TCP"), **_service("gateway"))


def test_it_calls_nobody_but_dns_and_those_named(render: Render) -> None:
    egress = policy(render({"calls": ["orders"]}))["egress"]
    dns = {"namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}
    for protocol in "UDP", "TCP":
        assert passes(egress, "to", (53, protocol), **dns)
        assert passes(egress, "to", (53, protocol), cidr="169.254.20.10/32")
    assert not passes(egress, "to", (443, "TCP"), **dns)
    assert not passes(egress, "to", (53, "UDP"), namespace="kube-system", labels={"k8s-app": "other"})
    assert passes(egress, "to", ("http", "TCP"), **_service("orders"))
    assert not passes(egress, "to", ("http", "TCP"), **_service("ledger"))
    assert not passes(egress, "to", ("http", "TCP"), **_service("orders", namespace="elsewhere"))


@pytest.mark.parametrize(("chart", "values"), [(SERVICE, {"test": {"enabled": False}}), (WORKER, {})])
def test_without_names_only_dns_and_prometheus_are_left(render: Render, values: dict[str, Any]) -> None:
    spec = policy(render(values))
    assert [each["ports"][0]["port"] for each in spec["egress"]] == [53]
    (rule,) = spec["ingress"]
    assert [each["namespaceSelector"]["matchLabels"] for each in rule["from"]] == [
        {"kubernetes.io/metadata.name": "monitoring"}
    ]


def test_helms_test_reaches_the_service_and_nothing_else(helm: Path, tmp_path: Path) -> None:
    tester = {"shiplane.dev/test": "wallet"}
    rendered = objects(helm, tmp_path, {"calls": ["orders"], "dependencies": POSTGRES})
    assert rendered["Job test"]["metadata"]["labels"].items() >= tester.items()
    ingress = policy(rendered)["ingress"]
    assert passes(ingress, "from", ("http", "TCP"), namespace="wallets", labels=tester)
    assert not passes(ingress, "from", ("http", "TCP"), namespace="elsewhere", labels=tester)
    spec = policy(rendered, "NetworkPolicy test")
    assert spec["podSelector"]["matchLabels"] == tester
    assert "ingress" not in spec
    assert passes(spec["egress"], "to", ("http", "TCP"), **_service("wallet", namespace="wallets"))
    assert passes(spec["egress"], "to", (53, "UDP"), namespace="kube-system", labels={"k8s-app": "kube-dns"})
    assert not passes(spec["egress"], "to", ("http", "TCP"), **_service("orders"))
    assert not passes(spec["egress"], "to", (5432, "TCP"), cidr="10.0.8.0/22")


POSTGRES: dict[str, Any] = {"postgres": {"port": 5432, "cidrs": ["10.0.8.0/22", "10.1.8.0/22"]}}


def test_it_reaches_what_it_depends_on_and_only_on_its_port(render: Render) -> None:
    egress = policy(render({"dependencies": POSTGRES}))["egress"]
    for cidr in POSTGRES["postgres"]["cidrs"]:
        assert passes(egress, "to", (5432, "TCP"), cidr=cidr)
        assert not passes(egress, "to", (443, "TCP"), cidr=cidr)


def test_an_environment_says_where_its_own_is(helm: Path, chart: Path, tmp_path: Path) -> None:
    own = tmp_path / "chart"
    shutil.copytree(chart, own)
    values = (own / "values.yaml").read_text().replace("dependencies: {}", f"dependencies: {json.dumps(POSTGRES)}")
    (own / "values.yaml").write_text(values)
    elsewhere = {"dependencies": {"postgres": {"cidrs": ["10.9.0.0/24"]}}}
    egress = policy(objects(helm, tmp_path, elsewhere, chart=own))["egress"]
    assert passes(egress, "to", (5432, "TCP"), cidr="10.9.0.0/24")
    assert not passes(egress, "to", (5432, "TCP"), cidr="10.0.8.0/22")


INGRESS: dict[str, Any] = {"ingressNamespaces": ["ingress-nginx"], "ingressCidrs": ["10.0.1.0/24"]}


def test_addresses_and_namespaces_can_be_let_in(helm: Path, tmp_path: Path) -> None:
    ingress = policy(objects(helm, tmp_path, {"network": INGRESS}))["ingress"]
    assert passes(ingress, "from", ("http", "TCP"), namespace="ingress-nginx", labels={"a": "b"})
    assert passes(ingress, "from", ("http", "TCP"), cidr="10.0.1.0/24")


def test_addresses_and_namespaces_can_be_let_through(render: Render) -> None:
    network = {
        "peerNamespace": "{service}-eu",
        "egress": [{"cidr": "10.0.8.0/24", "ports": [5432]}],
        "dns": {"nodeLocal": ""},
    }
    egress = policy(render({"calls": ["orders"], "network": network}))["egress"]
    assert passes(egress, "to", (5432, "TCP"), cidr="10.0.8.0/24")
    assert not passes(egress, "to", (443, "TCP"), cidr="10.0.8.0/24")
    assert passes(egress, "to", ("http", "TCP"), **_service("orders", namespace="orders-eu"))
    assert not passes(egress, "to", (53, "UDP"), cidr="169.254.20.10/32")
