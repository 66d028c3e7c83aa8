"""The policy's rules, one change at a time: what each of them finds, where, and what it lets pass."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from gitops.policy import RULES
from gitops.policy.finding import HIDDEN, Context
from tests.gitops.manifests import CONTAINER, GONE, IMAGE, LABELS, POD, SELECTOR, findings, made, put, service, told

LABELS_AT = "spec.template.metadata.labels"
POD_AT = "spec.template.spec"
WORLD, HALF = {"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}
ONE = f"{POD_AT}.containers.0"
TOKEN = "ghp_" + "a1B2" * 10  # put together here: no scanner shall take it for one
REPOSITORY = "registry.acme.example/acme/wallet"


def changed(*changes: tuple[str, str, Any]) -> dict[str, Any]:
    """A good service with some values set otherwise, each as (kind, path, value)."""
    objects = service()
    for kind, path, value in changes:
        put(objects[kind], path, value if value is GONE else copy.deepcopy(value))
    return objects


def test_a_service_as_it_should_be_has_no_finding() -> None:
    assert findings(service()) == []


@pytest.mark.parametrize(
    ("rule", "path", "value", "field"),
    [
        # images
        ("image-latest", f"{ONE}.image", f"{REPOSITORY}:latest@sha256:{'2e' * 32}", "image"),
        ("image-digest", f"{ONE}.image", f"{REPOSITORY}:1.4.0", "image"),
        ("image-digest", f"{ONE}.image", f"{REPOSITORY}:1.4.0@sha256:{'2e' * 31}", "image"),
        ("image-digest", f"{ONE}.image", "registry.acme.example:5000/acme/wallet:1.4.0", "image"),
        # resources
        ("requests", f"{ONE}.resources.requests.cpu", GONE, "resources.requests"),
        ("requests", f"{ONE}.resources.requests.memory", "0", "resources.requests"),
        ("requests", f"{ONE}.resources.requests.memory", "0Mi", "resources.requests"),
        ("limits", f"{ONE}.resources.limits.memory", None, "resources.limits"),
        ("cpu-limit", f"{ONE}.resources.limits.cpu", GONE, "resources.limits"),
        # health
        ("liveness", f"{ONE}.livenessProbe", GONE, "livenessProbe"),
        ("liveness", f"{ONE}.livenessProbe", {"periodSeconds": 5}, "livenessProbe"),
        ("readiness", f"{ONE}.readinessProbe", GONE, "readinessProbe"),
        ("readiness", f"{ONE}.readinessProbe", {"httpGet": {}}, "readinessProbe"),
        ("probes-differ", f"{ONE}.readinessProbe", CONTAINER["livenessProbe"], "livenessProbe"),
        # security: each of its concerns is compared with Kubernetes' own list in test_policy_security.py
        ("privileged", f"{ONE}.securityContext.privileged", True, "securityContext.privileged"),
        ("privileged", f"{ONE}.securityContext.privileged", "y", "securityContext.privileged"),
        ("run-as-non-root", f"{ONE}.securityContext.runAsUser", 0, "securityContext.runAsUser"),
        ("run-as-non-root", f"{ONE}.securityContext.runAsNonRoot", False, "securityContext.runAsNonRoot"),
        ("run-as-non-root", f"{ONE}.securityContext.runAsNonRoot", "yes", "securityContext.runAsNonRoot"),
        (
            "privilege-escalation", f"{ONE}.securityContext.allowPrivilegeEscalation", GONE,
            "securityContext.allowPrivilegeEscalation",
        ),
        (
            "capabilities", f"{ONE}.securityContext.capabilities.drop", ["all"],
            "securityContext.capabilities.drop",
        ),
        (
            "capabilities", f"{ONE}.securityContext.capabilities.add", ["SYS_ADMIN"],
            "securityContext.capabilities.add",
        ),
        (
            "seccomp", f"{ONE}.securityContext.seccompProfile", {"type": "Unconfined"},
            "securityContext.seccompProfile",
        ),
        (
            "kernel-settings", f"{ONE}.securityContext.procMount", "Unmasked", "securityContext.procMount",
        ),
        (
            "read-only-root", f"{ONE}.securityContext.readOnlyRootFilesystem", False,
            "securityContext.readOnlyRootFilesystem",
        ),
        ("host-access", f"{ONE}.ports.0.hostPort", 8080, "ports[0].hostPort"),
    ],
)  # fmt: skip
def test_in_a_container(rule: str, path: str, value: Any, field: str) -> None:
    (found,) = findings(changed(("Deployment", path, value)))

    assert (found.rule, found.place.field) == (rule, f"{POD_AT}.containers[0].{field}")
    assert (found.place.object, found.place.namespace, found.place.container) == (
        "Deployment/wallet",
        "wallet",
        "service",
    )


@pytest.mark.parametrize(
    ("rule", "kind", "path", "value", "field"),
    [
        ("pod-spec", "Deployment", f"{POD_AT}.initContainers", {"name": "x"}, f"{POD_AT}.initContainers"),
        ("pod-spec", "Deployment", f"{POD_AT}.initContainers", ["x"], f"{POD_AT}.initContainers"),
        ("host-access", "Deployment", f"{POD_AT}.hostNetwork", True, f"{POD_AT}.hostNetwork"),
        ("host-access", "Deployment", f"{POD_AT}.hostPID", "true", f"{POD_AT}.hostPID"),
        ("volume-types", "Deployment", f"{POD_AT}.volumes", [{"name": "x", "hostPath": {}}], f"{POD_AT}.volumes[0]"),
        (
            "seccomp", "Deployment", f"{POD_AT}.securityContext.seccompProfile", {"type": "Unconfined"},
            f"{POD_AT}.securityContext.seccompProfile",
        ),
        (
            "run-as-non-root", "Deployment", f"{POD_AT}.securityContext.runAsNonRoot", False,
            f"{POD_AT}.securityContext.runAsNonRoot",
        ),
        ("service-account", "Deployment", f"{POD_AT}.serviceAccountName", "default", f"{POD_AT}.serviceAccountName"),
        ("service-account", "Deployment", f"{POD_AT}.serviceAccountName", GONE, f"{POD_AT}.serviceAccountName"),
        (
            "service-account-token", "Deployment", f"{POD_AT}.automountServiceAccountToken", True,
            f"{POD_AT}.automountServiceAccountToken",
        ),
        ("network-policy", "NetworkPolicy", "spec.podSelector", {"matchLabels": {"a": "b"}}, LABELS_AT),
        ("network-policy", "NetworkPolicy", "spec.podSelector", [], LABELS_AT),
        ("network-policy", "NetworkPolicy", "spec.podSelector", "wallet", LABELS_AT),
        ("network-policy", "NetworkPolicy", "metadata.namespace", "other", LABELS_AT),
        ("network-policy", "NetworkPolicy", "apiVersion", "crd.projectcalico.org/v1", LABELS_AT),
        ("network-policy", "NetworkPolicy", "spec.policyTypes", ["Ingress"], LABELS_AT),
        ("network-policy", "NetworkPolicy", "spec.policyTypes", ["Egress"], LABELS_AT),
        ("network-policy", "NetworkPolicy", "spec.ingress", [{}], "spec.ingress[0]"),
        ("network-policy", "NetworkPolicy", "spec.egress", [{"to": [WORLD]}], "spec.egress[0]"),
        ("network-policy", "NetworkPolicy", "spec.egress", [{"to": [HALF]}], "spec.egress[0]"),
        ("network-policy", "NetworkPolicy", "spec.egress", [{"to": [{"namespaceSelector": {}}]}], "spec.egress[0]"),
        (
            "network-policy", "NetworkPolicy", "spec.egress",
            [{"ports": [{"protocol": "TCP", "port": 1, "endPort": 65535}]}], "spec.egress[0]",
        ),
        ("monitoring", "ServiceMonitor", "spec.selector", {"matchLabels": {"a": "b"}}, LABELS_AT),
        ("monitoring", "ServiceMonitor", "spec.endpoints", [], LABELS_AT),
        ("monitoring", "ServiceMonitor", "spec.namespaceSelector", {"matchNames": ["other"]}, LABELS_AT),
        ("owner-label", "Deployment", f"{LABELS_AT}.shiplane~dev/owner", GONE, LABELS_AT),
        ("own-namespace", "ServiceAccount", "metadata.namespace", "default", "metadata.namespace"),
        ("own-namespace", "ServiceAccount", "metadata.namespace", "kube-system", "metadata.namespace"),
        ("exposed-tls", "Service", "spec.type", "NodePort", "spec.type"),
        ("exposed-tls", "Service", "spec.type", "LoadBalancer", "spec.type"),
        ("exposed-authentication", "Service", "spec.externalIPs", ["192.0.2.1"], "metadata.annotations"),
    ],
)  # fmt: skip
def test_in_an_object(rule: str, kind: str, path: str, value: Any, field: str) -> None:
    found = findings(changed((kind, path, value)))

    assert (rule, field) in told(found)
    # an open Service is open in two ways; without its account a pod has another's token
    assert {each.rule for each in found} <= {rule, "exposed-tls", "exposed-authentication", "service-account-token"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{ONE}.image", f"registry.acme.example:5000/acme/wallet@sha256:{'2e' * 32}"),
        (f"{ONE}.readinessProbe", {"exec": {"command": ["ready"]}}),
        (f"{ONE}.readinessProbe", {"grpc": {"port": 8080}}),
        (f"{ONE}.resources.requests.cpu", 0.5),
        (f"{ONE}.resources.limits.cpu", 2),
        (f"{ONE}.securityContext.privileged", False),
        (f"{ONE}.securityContext.capabilities.add", ["NET_BIND_SERVICE"]),
        (f"{POD_AT}.volumes", [{"name": "tmp", "emptyDir": {}}, {"name": "default"}]),
        (f"{POD_AT}.hostNetwork", False),
        (f"{POD_AT}.automountServiceAccountToken", GONE),
        (f"{POD_AT}.resources", {"limits": {"memory": "1Gi"}}),
    ],
)
def test_what_a_pod_may_say(path: str, value: Any) -> None:
    assert findings(changed(("Deployment", path, value))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.egress.0.to", []),
        ("spec.egress", [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}}]}]),
        ("spec.egress", [{"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "dns"}}}]}]),
        ("spec.ingress", [{"ports": [{"port": 8080}]}]),
    ],
)
def test_what_a_network_policy_may_say(path: str, value: Any) -> None:
    assert findings(changed(("NetworkPolicy", path, value))) == []


def test_requests_and_limits_of_the_pod_as_a_whole_count() -> None:
    whole = changed(
        ("Deployment", f"{POD_AT}.resources", CONTAINER["resources"]), ("Deployment", f"{ONE}.resources", GONE)
    )

    assert findings(whole) == []


# ---- where pods stand


WITHOUT = {"name": "bare", "image": "bare"}
BARE = {
    "image-latest", "image-digest", "requests", "limits", "cpu-limit", "run-as-non-root", "privilege-escalation",
    "capabilities", "seccomp", "read-only-root", "network-policy", "service-account", "service-account-token",
    "namespace-unset", "owner-label",
}  # fmt: skip
"""What is found in any pod that says nothing but its image."""


@pytest.mark.parametrize(
    ("kind", "version", "path", "more"),
    [
        ("Deployment", "apps/v1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("StatefulSet", "apps/v1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("DaemonSet", "apps/v1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("ReplicaSet", "apps/v1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("ReplicationController", "v1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("Rollout", "argoproj.io/v1alpha1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("CloneSet", "apps.kruise.io/v1alpha1", "spec.template", {"liveness", "readiness", "monitoring"}),
        ("PodTemplate", "v1", "template", {"liveness", "readiness", "monitoring"}),
        ("Job", "batch/v1", "spec.template", {"deadline"}),
        ("CronJob", "batch/v1", "spec.jobTemplate.spec.template", {"deadline"}),
        ("Pod", "v1", "", {"liveness", "readiness", "monitoring"}),
    ],
)
def test_a_pod_is_found_in_every_kind(kind: str, version: str, path: str, more: set[str]) -> None:
    bare: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": "bare"}}
    put(bare, f"{path}.spec".removeprefix("."), {"containers": [WITHOUT]})

    found = findings({"it": bare})

    assert {each.rule for each in found} == BARE | more
    where = f"{path}.spec.containers[0].image".removeprefix(".")
    assert ("image-digest", where) in told(found)


@pytest.mark.parametrize(
    ("key", "container", "expected"),
    [
        pytest.param("initContainers", {**CONTAINER, "livenessProbe": None, "readinessProbe": None}, set(), id="init"),
        pytest.param("initContainers", {"image": IMAGE}, {"requests", "limits", "cpu-limit"}, id="init-without"),
        pytest.param(
            "initContainers",
            {**CONTAINER, "livenessProbe": None, "readinessProbe": None, "restartPolicy": "Always"},
            {"liveness"},
            id="sidecar",
        ),
        pytest.param(
            "initContainers",
            {**CONTAINER, "livenessProbe": None, "readinessProbe": None, "restartPolicy": "Always",
             "startupProbe": {"tcpSocket": {"port": 1}}},
            set(),
            id="sidecar-with-a-probe",
        ),
        pytest.param("containers", {**CONTAINER, "name": "b", "livenessProbe": None}, {"liveness"}, id="second"),
        pytest.param(
            "containers", {**CONTAINER, "name": "b", "ports": None, "readinessProbe": None}, set(), id="second-silent"
        ),
        pytest.param("ephemeralContainers", {**CONTAINER, "resources": None}, set(), id="ephemeral"),
        pytest.param("ephemeralContainers", {**CONTAINER, "image": "debug:latest"}, {"image-latest", "image-digest"},
                     id="ephemeral-latest"),
    ],
)  # fmt: skip
def test_every_sort_of_container(key: str, container: dict[str, Any], expected: set[str]) -> None:
    objects = service()
    objects["Deployment"]["spec"]["template"]["spec"].setdefault(key, []).append(container)

    found = findings(objects)

    security = {"privilege-escalation", "capabilities", "read-only-root"}
    assert {each.rule for each in found} - ({*security} if "securityContext" not in container else set()) == expected


def test_a_job_has_a_deadline_where_others_have_probes() -> None:
    job = made("Job", "batch/v1", spec={"template": {"metadata": {"labels": LABELS}, "spec": copy.deepcopy(POD)}})
    for probe in ("livenessProbe", "readinessProbe"):
        del job["spec"]["template"]["spec"]["containers"][0][probe]
    objects = {**service(), "Job": job}

    assert told(findings(objects)) == {("deadline", "spec")}
    assert findings(changed_job(objects, "spec.activeDeadlineSeconds", 60)) == []
    assert findings(changed_job(objects, "spec.template.spec.activeDeadlineSeconds", 60)) == []
    assert told(findings(changed_job(objects, "spec.activeDeadlineSeconds", 0))) == {("deadline", "spec")}


def test_a_cron_job_has_its_deadline_in_its_job() -> None:
    template = {"metadata": {"labels": LABELS}, "spec": {**copy.deepcopy(POD), "restartPolicy": "Never"}}
    cron = made("CronJob", "batch/v1", spec={"jobTemplate": {"spec": {"template": template}}})
    assert told(findings({**service(), "it": cron})) == {("deadline", "spec.jobTemplate.spec")}

    put(cron, "spec.jobTemplate.spec.activeDeadlineSeconds", 60)
    assert findings({**service(), "it": cron}) == []


def changed_job(objects: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    objects = copy.deepcopy(objects)
    put(objects["Job"], path, value)
    return objects


def test_a_test_pod_of_helm_is_one_that_ends() -> None:
    pod = made("Pod", "v1", spec={**copy.deepcopy(POD), "restartPolicy": "Never", "activeDeadlineSeconds": 60})
    del pod["spec"]["containers"][0]["livenessProbe"]

    assert findings({**service(), "Pod": pod}) == []
    assert findings({**service(), "Pod": {**pod, "spec": {**pod["spec"], "restartPolicy": "OnFailure"}}}) == []
    assert "liveness" in {
        each.rule
        for each in findings({**service(), "Pod": {**pod, "spec": {**pod["spec"], "restartPolicy": "Always"}}})
    }


def test_a_worker_without_a_service_needs_no_readiness_but_a_word_on_when_it_is_up() -> None:
    objects = changed(("Deployment", f"{ONE}.readinessProbe", GONE), ("Deployment", f"{ONE}.ports", GONE))
    del objects["Service"]
    monitor = made("PodMonitor", "monitoring.coreos.com/v1", spec={"selector": SELECTOR, "podMetricsEndpoints": [{}]})
    objects["ServiceMonitor"] = monitor

    assert told(findings(objects)) == {("readiness", POD_AT)}
    put(objects["Deployment"], f"{ONE}.startupProbe", {"exec": {"command": ["up"]}})
    assert findings(objects) == []


def test_a_worker_may_ask_one_question_twice() -> None:
    """Without a Service nothing is taken out of one."""
    probe = {"exec": {"command": ["alive"]}}
    objects = changed(("Deployment", f"{ONE}.livenessProbe", probe), ("Deployment", f"{ONE}.readinessProbe", probe))
    assert told(findings(objects)) == {("probes-differ", f"{POD_AT}.containers[0].livenessProbe")}

    del objects["Service"]
    assert {each.rule for each in findings(objects)} == {"monitoring"}  # which went by the Service


def test_of_several_containers_only_those_that_listen_are_routed_to() -> None:
    shipper = {**CONTAINER, "name": "shipper", "readinessProbe": None}
    objects = changed()
    objects["Deployment"]["spec"]["template"]["spec"]["containers"].append(shipper)
    assert [each.place.container for each in findings(objects)] == ["shipper"]

    shipper["ports"] = None
    objects["Deployment"]["spec"]["template"]["spec"]["containers"][1] = shipper
    assert findings(objects) == []


# ---- selectors


@pytest.mark.parametrize(
    ("selector", "takes"),
    [
        ({}, True),
        (None, True),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "In", "values": ["wallet", "x"]}]}, True),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "NotIn", "values": ["x"]}]}, True),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "In", "values": []}]}, False),
        ({"matchExpressions": [{"key": "shiplane.dev/service", "operator": "Like"}]}, False),
        ({"matchExpressions": ["x"]}, False),
        ({"matchLabels": {"shiplane.dev/service": "wallet", "more": "x"}}, False),
    ],
)
def test_a_network_policy_selects_as_kubernetes_does(selector: Any, *, takes: bool) -> None:
    found = findings(changed(("NetworkPolicy", "spec.podSelector", selector)))

    assert ("network-policy" not in {each.rule for each in found}) is takes


def test_two_policies_may_each_hold_one_direction() -> None:
    objects = changed(("NetworkPolicy", "spec.policyTypes", ["Ingress"]))
    objects["other"] = copy.deepcopy(objects["NetworkPolicy"])
    put(objects["other"], "spec.policyTypes", ["Egress"])

    assert findings(objects) == []


def test_what_a_policy_decides_on_where_it_does_not_say() -> None:
    assert findings(changed(("NetworkPolicy", "spec.policyTypes", GONE))) == []
    (found,) = findings(changed(("NetworkPolicy", "spec.policyTypes", GONE), ("NetworkPolicy", "spec.egress", [])))
    assert found.message == "no NetworkPolicy restricts what may be reached by it (Egress)"


def test_objects_without_a_namespace_belong_together() -> None:
    objects = service()
    for each in objects.values():
        del each["metadata"]["namespace"]

    assert told(findings(objects)) == {("namespace-unset", "metadata.namespace")}
    assert findings(objects, Context(namespace="wallet")) == []


def test_a_monitor_may_look_into_all_namespaces() -> None:
    objects = changed(("ServiceMonitor", "metadata.namespace", "monitoring"))
    assert "monitoring" in {each.rule for each in findings(objects)}

    for selector in ({"any": True}, {"matchNames": ["wallet"]}):
        put(objects["ServiceMonitor"], "spec.namespaceSelector", selector)
        assert findings(objects) == []


# ---- what is known from outside


def test_what_is_not_known_is_not_judged_and_what_is_known_is() -> None:
    known = Context("wallet", "prod", "wallet", "registry.acme.example", "payments")
    assert findings(service(), known) == []

    other = Context("wallet", "prod", "wallets", "eu.acme.example", "risk")
    found = findings(service(), other)
    assert {each.rule for each in found} == {"image-registry", "own-namespace", "owner-label"}
    assert {(each.place.service, each.place.environment) for each in found} == {("wallet", "prod")}
    label = next(each for each in found if each.rule == "owner-label")
    assert label.message == "its pods belong to payments, and the catalog says risk"
    assert label.place.field == "spec.template.metadata.labels[shiplane.dev/owner]"


def test_a_registry_is_not_the_beginning_of_another() -> None:
    found = findings(service(), Context(registry="registry.acme.exam"))

    assert {each.rule for each in found} == {"image-registry"}


def test_another_label_may_name_the_owner() -> None:
    found = findings(service(), Context(owner_label="acme.example/team"))

    assert [each.message for each in found] == ["its pods have no label acme.example/team"]


def test_an_environment_whose_namespace_is_kubernetes_own() -> None:
    objects = service()
    for each in objects.values():
        del each["metadata"]["namespace"]

    assert {each.rule for each in findings(objects, Context(namespace="default"))} == {"own-namespace"}


# ---- accounts


def test_a_token_may_be_mounted_where_a_role_is_bound() -> None:
    objects = changed(("Deployment", f"{POD_AT}.automountServiceAccountToken", True))
    objects["RoleBinding"] = made(
        "RoleBinding",
        "rbac.authorization.k8s.io/v1",
        roleRef={"kind": "Role", "name": "wallet"},
        subjects=[{"kind": "ServiceAccount", "name": "wallet"}],
    )
    assert findings(objects) == []

    put(objects["RoleBinding"], "subjects.0.name", "other")
    assert {each.rule for each in findings(objects)} == {"service-account-token"}
    put(objects["RoleBinding"], "subjects.0", {"kind": "ServiceAccount", "name": "wallet", "namespace": "other"})
    assert {each.rule for each in findings(objects)} == {"service-account-token"}


def test_an_account_of_another_namespace_says_nothing_about_the_pod() -> None:
    objects = changed(
        ("Deployment", f"{POD_AT}.automountServiceAccountToken", GONE),
        ("ServiceAccount", "metadata.namespace", "other"),
    )

    assert {each.rule for each in findings(objects)} == {"service-account-token"}


def test_a_service_of_another_namespace_routes_to_nothing_here() -> None:
    objects = changed(("Service", "metadata.namespace", "other"), ("Deployment", f"{ONE}.readinessProbe", GONE))

    assert told(findings(objects)) == {("monitoring", LABELS_AT), ("readiness", POD_AT)}


def test_a_pod_goes_before_its_account_on_the_token() -> None:
    objects = changed(
        ("Deployment", f"{POD_AT}.automountServiceAccountToken", GONE),
        ("ServiceAccount", "automountServiceAccountToken", GONE),
    )
    assert {each.rule for each in findings(objects)} == {"service-account-token"}

    put(objects["Deployment"], f"{POD_AT}.automountServiceAccountToken", False)
    assert findings(objects) == []


@pytest.mark.parametrize(
    ("kind", "rest", "field"),
    [
        ("Role", {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]}, "rules[0].verbs"),
        ("Role", {"rules": [{"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}]}, "rules[0].apiGroups"),
        ("Role", {"rules": [{"apiGroups": [""], "resources": ["pods/*"], "verbs": ["get"]}]}, "rules[0].resources"),
        ("ClusterRole", {"rules": [{"nonResourceURLs": ["*"], "verbs": ["get"]}]}, "rules[0].nonResourceURLs"),
        ("ClusterRoleBinding", {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}, "roleRef.name"),
        ("RoleBinding", {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}, "roleRef.name"),
    ],
)
def test_wildcards_of_rbac(kind: str, rest: dict[str, Any], field: str) -> None:
    found = findings({**service(), "it": made(kind, "rbac.authorization.k8s.io/v1", **rest)})

    assert told(found) == {("rbac-wildcard", field)}


def test_rights_by_name_are_no_wildcard() -> None:
    rules = [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["x"], "verbs": ["get"]}]

    assert findings({**service(), "it": made("Role", "rbac.authorization.k8s.io/v1", rules=rules)}) == []


# ---- the rules as a whole


def test_rules_have_stable_names_a_reason_and_a_way_out() -> None:
    names = [rule.id for rule in RULES]

    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule.id == rule.id.lower()
        assert "_" not in rule.id
        assert len(rule.reason.split()) >= 8, rule.id
        assert rule.reason.endswith((".", ".)")), rule.id
        assert rule.fix


def test_an_object_without_a_name_yet_is_called_by_its_beginning() -> None:
    objects = changed(("Deployment", f"{ONE}.image", f"{REPOSITORY}:1.4.0"), ("Deployment", "metadata.name", GONE))
    put(objects["Deployment"], "metadata.generateName", "wallet-")
    (found,) = findings(objects)

    assert found.place.object == "Deployment/wallet-"


def test_a_finding_says_what_its_rule_says() -> None:
    (found,) = findings(changed(("Deployment", f"{ONE}.image", f"{REPOSITORY}:1.4.0")))

    assert (found.rule, found.severity) == ("image-digest", "error")
    assert found.message == f"its image has no digest: {REPOSITORY}:1.4.0"
    assert found.fix == "name it by its digest: repository:tag@sha256:..."
    assert found.reason == "A tag can be moved to another image after review; a digest is the content itself."


def test_no_finding_repeats_a_credential_wherever_it_stands() -> None:
    objects = changed(
        ("Deployment", f"{ONE}.image", f"{TOKEN}:1.4.0"),
        ("Deployment", f"{ONE}.name", TOKEN),
        ("Deployment", "metadata.name", TOKEN),
        ("Deployment", "metadata.namespace", TOKEN),
        ("Deployment", f"{POD_AT}.volumes", [{TOKEN: {}}]),
        ("Deployment", f"spec.template.metadata.labels.{TOKEN}", TOKEN),
        ("Deployment", f"{ONE}.securityContext.capabilities.add", [TOKEN]),
        ("Deployment", f"{POD_AT}.securityContext.sysctls", [{"name": TOKEN}]),
    )
    objects["ConfigMap"] = made("ConfigMap", "v1", data={TOKEN: TOKEN})
    objects["Secret"] = made("Secret", "v1", data={"x": base64.b64encode(TOKEN.encode()).decode()})

    found = findings(objects, Context(owner="x", registry="y", namespace="z"))

    assert {"image-digest", "volume-types", "own-namespace", "plaintext-secret"} <= {each.rule for each in found}
    assert TOKEN not in repr(found)
    assert HIDDEN in repr(found)
