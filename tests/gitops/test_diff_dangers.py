"""What a reviewer must not miss: each danger with what makes it one, and with what is like it and harmless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops.diff.dangers import RISKS
from gitops.diff.pairs import paired
from gitops.policy.reading import read
from tests.gitops.test_diff import CONTAINER, changed, compared, manifests, obj, workload

NETWORK, RBAC, GATEWAY = "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1", "gateway.networking.k8s.io/v1"
STATEFUL = workload("StatefulSet", serviceName="wallet", volumeClaimTemplates=[{"metadata": {"name": "data"}}])
JOB = workload("Job", "batch/v1")
SIZE = {"requests": {"storage": "2Gi"}}
CLAIM = obj("PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"], "resources": SIZE})
SERVICE = obj("Service", spec={"selector": {"app": "wallet"}, "ports": [{"port": 80}]})
CLASS = obj("StorageClass", "storage.k8s.io/v1", provisioner="ebs.csi.aws.com", parameters={"type": "gp3"})
PRIORITY = obj("PriorityClass", "scheduling.k8s.io/v1", value=1)
BINDING = obj("RoleBinding", RBAC, roleRef={"kind": "Role", "name": "a"}, subjects=[{"kind": "User", "name": "ann"}])
ROLE = obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])
RESOURCES = [f"r{number}" for number in range(1004)]
MANY = obj("Role", RBAC, rules=[{"apiGroups": [""], "resources": RESOURCES, "verbs": ["get"]}])
FIXED = obj("ConfigMap", data={"a": "1"}, immutable=True)
POLICY = obj(
    "NetworkPolicy",
    NETWORK,
    spec={
        "podSelector": {"matchLabels": {"app": "wallet"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [],
    },
)
SCALER = obj("HorizontalPodAutoscaler", "autoscaling/v2", spec={"minReplicas": 3, "maxReplicas": 9})
KEDA = obj("ScaledObject", "keda.sh/v1alpha1", spec={"minReplicaCount": 2})
BUDGET = obj("PodDisruptionBudget", "policy/v1", spec={"minAvailable": 2})
UNAVAILABLE = obj("PodDisruptionBudget", "policy/v1", spec={"maxUnavailable": "10%"})
INGRESS = obj("Ingress", NETWORK, spec={"rules": [{"host": "a.acme.example", "http": {"paths": [{"path": "/api"}]}}]})
ROUTE = obj("HTTPRoute", GATEWAY, spec={"hostnames": ["a.acme.example"], "parentRefs": [{"name": "public"}]})
ACCOUNT = obj("ServiceAccount", automountServiceAccountToken=False)
ROLE_ARN = "eks.amazonaws.com/role-arn"
ARN = {ROLE_ARN: "arn:aws:iam::123456789012:role/wallet"}


def with_metadata(what: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    return changed(what, "metadata", "annotations", to=annotations)


def volume(claim: str) -> dict[str, Any]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return changed(workload(), "spec", "template", "spec", "volumes", to=volumes)


def pod(*path: Any, to: Any = None) -> dict[str, Any]:
    return changed(workload(), *CONTAINER, *path, to=to)


WAYS: dict[str, list[tuple[Any, Any, str]]] = {
    "immutable": [
        (workload(), changed(workload(), "spec", "selector", "matchLabels", "app", to="x"), "spec.selector cannot"),
        (STATEFUL, changed(STATEFUL, "spec", "serviceName", to="x"), "spec.serviceName"),
        (STATEFUL, changed(STATEFUL, "spec", "podManagementPolicy", to="Parallel"), "spec.podManagementPolicy"),
        (STATEFUL, changed(STATEFUL, "spec", "volumeClaimTemplates", to=[]), "spec.volumeClaimTemplates"),
        (JOB, changed(JOB, *CONTAINER, "image", to="acme/wallet:2"), "spec.template"),
        (JOB, changed(JOB, "spec", "completionMode", to="Indexed"), "spec.completionMode"),
        (JOB, changed(JOB, "spec", "completions", to=3), "spec.completions"),
        (SERVICE, changed(SERVICE, "spec", "clusterIP", to="None"), "spec.clusterIP"),
        (CLAIM, changed(CLAIM, "spec", "accessModes", to=["ReadWriteMany"]), "spec.accessModes"),
        (CLAIM, changed(CLAIM, "spec", "storageClassName", to="gp3"), "spec.storageClassName"),
        (CLAIM, changed(CLAIM, "spec", "resources", "requests", "storage", to="1Gi"), "it can only grow"),
        (CLASS, changed(CLASS, "parameters", "type", to="gp2"), "parameters cannot"),
        (CLASS, changed(CLASS, "reclaimPolicy", to="Retain"), "reclaimPolicy cannot"),
        (BINDING, changed(BINDING, "roleRef", "name", to="b"), "roleRef cannot"),
        (FIXED, changed(FIXED, "data", "a", to="2"), "data cannot"),
        (FIXED, changed(FIXED, "immutable"), "immutable cannot"),
        (obj("Secret", type="Opaque"), obj("Secret", type="kubernetes.io/tls"), "type cannot"),
        (obj("Pod", spec={"nodeName": "a"}), obj("Pod", spec={"nodeName": "b"}), "spec cannot"),
        (PRIORITY, changed(PRIORITY, "value", to=2), "value cannot"),
    ],
    "removed": [([SERVICE, ACCOUNT], ACCOUNT, "Argo CD prunes it"), (SERVICE, [], "prunes")],
    "network-policy-removed": [(POLICY, [], "is let through")],
    "pdb-removed": [(BUDGET, [], "all copies at once")],
    "storage-removed": [(CLAIM, [], "its data with it"), (STATEFUL, [], "its pods go")],
    "namespace-removed": [(obj("Namespace"), [], "everything in it")],
    "crd-removed": [(obj("CustomResourceDefinition", "apiextensions.k8s.io/v1"), [], "every object of its kind")],
    "storage-changed": [
        (CLAIM, changed(CLAIM, "spec", "resources", "requests", "storage", to="3Gi"), "grows from 2Gi to 3Gi"),
        (STATEFUL, changed(STATEFUL, "spec", "updateStrategy", to={"type": "OnDelete"}), "rolls out in another way"),
        (volume("a"), volume("b"), "the claim a any more"),
    ],
    "replicas-lowered": [
        (workload(replicas=3), workload(replicas=2), "from 3 down to 2"),
        (workload(replicas=1), workload(replicas=0), "from 1 down to 0"),
        (workload(replicas=3), workload(), "falls to 1 first"),
        (SCALER, changed(SCALER, "spec", "minReplicas", to=2), "minReplicas goes from 3 down to 2"),
        (SCALER, changed(SCALER, "spec", "minReplicas"), "minReplicas goes from 3 down to 1"),
        (SCALER, changed(SCALER, "spec", "maxReplicas", to=5), "maxReplicas goes from 9 down to 5"),
        (KEDA, changed(KEDA, "spec", "minReplicaCount"), "minReplicaCount goes from 2 down to 0"),
    ],
    "resources-lowered": [
        (workload(), pod("resources", "limits", "memory", to="512Mi"), "limit of memory goes from 1Gi down to 512Mi"),
        (workload(), pod("resources", "limits", "memory", to="1G"), "from 1Gi down to 1G"),
        (workload(), pod("resources", "requests", "cpu", to="0.05"), "request of cpu goes from 100m down to 0.05"),
        (workload(), pod("resources", "limits"), "limit of memory 1Gi is gone"),
    ],
    "probe-removed": [(workload(), pod("readinessProbe"), "container wallet: readinessProbe is gone")],
    "pdb-loosened": [
        (BUDGET, changed(BUDGET, "spec", "minAvailable", to=1), "minAvailable goes from 2 to 1"),
        (UNAVAILABLE, changed(UNAVAILABLE, "spec", "maxUnavailable", to="50%"), "10% to 50%"),
    ],
    "rollout-interrupts": [(workload(), workload(strategy={"type": "Recreate"}), "stops all copies")],
    "rbac-widened": [
        (ROLE, changed(ROLE, "rules", 0, "verbs", to=["get", "list", "delete"]), "more than before: delete pods"),
        (ROLE, changed(ROLE, "rules", 0, "verbs", to=["*"]), "* pods"),
        (ROLE, changed(ROLE, "rules", 0, "apiGroups", to=["", "apps"]), "get pods.apps"),
        ([], ROLE, "more than before: get pods, list pods"),
        (
            changed(ROLE, "rules", 0, "resourceNames", to=["a"]),
            ROLE,
            "get pods, list pods",
        ),
        (BINDING, changed(BINDING, "subjects", to=[{"kind": "Group", "name": "all"}]), "Role/a to Group/all"),
        (MANY, changed(MANY, "rules", 0, "resources", to=[*RESOURCES, "secrets"]), "a rule of 1005 grants"),
        (ROLE, MANY, "a rule of 1004 grants"),
        ([], BINDING, "gives Role/a to User/ann"),
        ([], obj("ClusterRole", RBAC, rules=[{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]), "get /metrics"),
    ],
    "cloud-role-changed": [
        (ACCOUNT, with_metadata(ACCOUNT, ARN), "role/wallet"),
        (with_metadata(ACCOUNT, ARN), with_metadata(ACCOUNT, {ROLE_ARN: "arn:aws:iam::1:role/admin"}), "not as arn"),
    ],
    "network-policy-loosened": [
        (
            POLICY,
            changed(POLICY, "spec", "ingress", to=[{"from": [{"podSelector": {}}]}]),
            "lets in by a rule that it did not have",
        ),
        (POLICY, changed(POLICY, "spec", "policyTypes", to=["Ingress"]), "decides no more on Egress"),
        (POLICY, changed(POLICY, "spec", "podSelector", "matchLabels", "app", to="x"), "about other pods"),
        ([workload(), POLICY], [workload(), changed(POLICY, "spec", "ingress", to=[{}])], "lets everything reach it"),
    ],
    "exposed": [
        ([], INGRESS, "a.acme.example/api"),
        (INGRESS, changed(INGRESS, "spec", "rules", 0, "host", to="b.acme.example"), "b.acme.example/api"),
        (INGRESS, changed(INGRESS, "spec", "rules", 0, "http", "paths", 0, "path", to="/"), "a.acme.example/"),
        (INGRESS, with_metadata(INGRESS, {"alb.ingress.kubernetes.io/scheme": "internet-facing"}), "the internet"),
        (ROUTE, changed(ROUTE, "spec", "hostnames", to=["a.acme.example", "*.acme.example"]), "*.acme.example"),
        ([], obj("VirtualService", "networking.istio.io/v1", spec={"hosts": ["x.acme.example"]}), "x.acme.example"),
        ([], obj("Gateway", GATEWAY, spec={"listeners": [{"protocol": "HTTP", "port": 80}]}), "HTTP *:80"),
        (SERVICE, changed(SERVICE, "spec", "type", to="NodePort"), "NodePort port 80"),
        (SERVICE, changed(SERVICE, "spec", "type", to="LoadBalancer"), "LoadBalancer port 80, from anywhere"),
        (SERVICE, changed(SERVICE, "spec", "externalIPs", to=["192.0.2.1"]), "external address 192.0.2.1"),
    ],
    "exposure-unguarded": [([SERVICE], [SERVICE, INGRESS], "nothing says who authenticates")],
    "security-loosened": [
        (workload(), changed(workload(), "spec", "template", "spec", "securityContext", "runAsNonRoot"), "root"),
        (workload(), pod("securityContext", "privileged", to=True), "is privileged"),
        (workload(), pod("securityContext", "readOnlyRootFilesystem"), "container wallet"),
        (workload(), pod("securityContext", "allowPrivilegeEscalation", to=True), "container wallet"),
        (workload(), pod("securityContext", "capabilities", to={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), "SYS_ADMIN"),
        (workload(), changed(workload(), "spec", "template", "spec", "hostNetwork", to=True), "hostNetwork"),
    ],
    "token-mounted": [
        (
            changed(workload(), "spec", "template", "spec", "automountServiceAccountToken", to=False),
            changed(workload(), "spec", "template", "spec", "automountServiceAccountToken", to=True),
            "token",
        )
    ],
}
FORCED = with_metadata(JOB, {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"})
HOOK = {"helm.sh/hook": "pre-upgrade"}
HARMLESS: list[tuple[Any, Any]] = [
    (workload(), changed(workload(), *CONTAINER, "image", to="acme/wallet:2")),
    (workload(), pod("resources", "limits", "memory", to="2Gi")),
    (workload(), pod("resources", "limits", "memory", to="1024Mi")),
    (workload(replicas=2), workload(replicas=3)),
    (workload(replicas=1), workload()),
    (STATEFUL, changed(STATEFUL, "spec", "podManagementPolicy", to="OrderedReady")),
    (STATEFUL, changed(STATEFUL, *CONTAINER, "image", to="acme/wallet:2")),
    (CLASS, changed(CLASS, "reclaimPolicy", to="Delete")),
    (CLAIM, changed(CLAIM, "spec", "volumeMode", to="Filesystem")),
    (with_metadata(JOB, HOOK), changed(with_metadata(JOB, HOOK), *CONTAINER, "image", to="acme/wallet:2")),
    (with_metadata(JOB, HOOK), []),
    (FORCED, changed(FORCED, "spec", "completions", to=2)),
    (SERVICE, changed(SERVICE, "spec", "ports", 0, "port", to=81)),
    (changed(SERVICE, "spec", "clusterIP", to="None"), SERVICE),
    (SCALER, changed(SCALER, "spec", "maxReplicas", to=10)),
    (BUDGET, changed(BUDGET, "spec", "minAvailable", to=3)),
    (ROLE, changed(ROLE, "rules", 0, "verbs", to=["get"])),
    (changed(ROLE, "rules", 0, "verbs", to=["*"]), ROLE),
    (BINDING, changed(BINDING, "subjects", to=[])),
    (INGRESS, with_metadata(INGRESS, {"note": "x"})),
    ([], workload()),
    ([], POLICY),
    (changed(POLICY, "spec", "ingress", to=[{"from": [{"podSelector": {}}]}]), POLICY),
    (FIXED, with_metadata(FIXED, {"note": "x"})),
    (obj("Service", "serving.knative.dev/v1"), obj("Service", "serving.knative.dev/v1", spec={"clusterIP": "None"})),
]


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [pytest.param(name, *way, id=f"{name}-{at}") for name, ways in WAYS.items() for at, way in enumerate(ways)],
)
def test_a_danger(name: str, before: Any, after: Any, told: str) -> None:
    found = {each.name: each for each in reversed(compared(before, after).dangers)}

    assert name in found, found
    sentences = [each.sentence for each in compared(before, after).dangers if each.name == name]
    assert any(told in each for each in sentences), sentences


@pytest.mark.parametrize(("before", "after"), HARMLESS, ids=map(str, range(len(HARMLESS))))
def test_what_is_harmless(before: Any, after: Any) -> None:
    assert compared(before, after).dangers == ()
    assert compared(before, after).resources != ()


def test_nothing_changes_and_nothing_is_dangerous() -> None:
    for each in (before for ways in WAYS.values() for before, _, _ in ways):
        assert (compared(each, each).dangers, compared(each, each).resources) == ((), ())


def test_what_stays_though_it_is_no_more_in_git_is_told_so() -> None:
    kept = with_metadata(CLAIM, {"argocd.argoproj.io/sync-options": "Prune=false"})
    (only,) = compared(kept, []).dangers

    assert (only.name, "stays in the cluster" in only.sentence) == ("storage-removed", True)


@pytest.mark.parametrize("risk", RISKS)
def test_every_risk_is_shown(risk: Any) -> None:
    """A function that finds nothing in any of these tables is one that nobody has tried."""
    found = []
    for ways in WAYS.values():
        for before, after, _ in ways:
            one, other = (
                read(manifests(*(each if isinstance(each, list) else [each])), "x") for each in (before, after)
            )
            found += list(risk(paired(one, other, "")))

    assert found


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, {"a": 1}, [{"a": []}], True])
def test_nonsense_makes_nothing_fail(value: Any) -> None:
    """Whatever stands where: it is compared, and nobody's comparison ends in a traceback."""
    afters = [after for ways in WAYS.values() for _, after, _ in ways]
    for each in (one for after in afters for one in (after if isinstance(after, list) else [after])):
        spec = each.get("spec", {})
        for key in [*each, *(spec if isinstance(spec, dict) else ())]:
            if key in ("apiVersion", "kind"):
                continue
            broken = json.loads(json.dumps(each))
            target = broken if key in broken else broken["spec"]
            target[key] = value
            assert isinstance(compared(each, broken).resources, tuple)
            assert isinstance(compared(broken, each).dangers, tuple)
