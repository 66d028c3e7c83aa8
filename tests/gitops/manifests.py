"""A service as the policy wants it, to be changed in one place at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from gitops.policy import judge
from gitops.policy.finding import Context, Finding
from gitops.policy.objects import Object

IMAGE = f"registry.acme.example/acme/wallet:{'1f' * 20}@sha256:{'2e' * 32}"
LABELS = {"shiplane.dev/service": "wallet", "shiplane.dev/owner": "payments"}
SELECTOR = {"matchLabels": {"shiplane.dev/service": "wallet"}}
GONE = object()
"""What stands for no value at all."""
Objects = dict[str, dict[str, Any]]

CONTAINER: Mapping[str, Any] = {
    "name": "service",
    "image": IMAGE,
    "ports": [{"name": "http", "containerPort": 8080}],
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
    "livenessProbe": {"httpGet": {"path": "/health", "port": "http"}},
    "readinessProbe": {"httpGet": {"path": "/health/ready", "port": "http"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}
POD: Mapping[str, Any] = {
    "serviceAccountName": "wallet",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
}


def made(kind: str, version: str, **rest: Any) -> dict[str, Any]:
    """An object called wallet, in the namespace wallet."""
    metadata = {"name": "wallet", "namespace": "wallet", "labels": dict(LABELS)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def service() -> Objects:
    """All objects of a service in which nothing is found."""
    template = {"metadata": {"labels": dict(LABELS)}, "spec": POD}
    every = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}]
    return copy.deepcopy(
        {
            "Deployment": made("Deployment", "apps/v1", spec={"selector": SELECTOR, "template": template}),
            "Service": made("Service", "v1", spec={"selector": SELECTOR["matchLabels"], "ports": [{"port": 8080}]}),
            "ServiceAccount": made("ServiceAccount", "v1", automountServiceAccountToken=False),
            "NetworkPolicy": made(
                "NetworkPolicy",
                "networking.k8s.io/v1",
                spec={"podSelector": SELECTOR, "policyTypes": ["Ingress", "Egress"], "egress": every},
            ),
            "ServiceMonitor": made(
                "ServiceMonitor",
                "monitoring.coreos.com/v1",
                spec={"selector": SELECTOR, "endpoints": [{"port": "http"}]},
            ),
        }
    )


def put(data: Any, path: str, value: Any) -> None:
    """Set, or with GONE take away, what stands at `path` (`spec.containers.0.image`); `~` in a key stands for a dot."""
    *above, last = [int(key) if key.isdigit() else key.replace("~", ".") for key in path.split(".")]
    for key in above:
        data = data.setdefault(key, {}) if isinstance(data, dict) else data[key]
    if value is GONE:
        del data[last]
    else:
        data[last] = value


def findings(objects: Mapping[str, Any], context: Context | None = None) -> list[Finding]:
    """What the policy finds in these objects."""
    return judge([Object(each) for each in objects.values()], context)


def told(found: list[Finding]) -> set[tuple[str, str]]:
    """Each finding as its rule and the field."""
    return {(each.rule, each.place.field) for each in found}
