"""What the golden charts render: valid objects, a restricted pod, an orderly end, a closed network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import pytest
import yaml

from generator import helm as door
from tests.charts.golden import (
    CUSTOM,
    IMAGE,
    KINDS,
    SERVICE,
    WORKER,
    WORKER_KINDS,
    Render,
    container,
    objects,
    pod,
    variables,
)
from tests.gitops.crds import CRDS, crd_errors

CONTAINER: dict[str, Any] = {
    "name": "wait",
    "image": f"registry.acme.example/wait:1@sha256:{'3d' * 32}",
    "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "32Mi"}},
}
_BOTH: dict[str, Any] = {
    "calls": ["orders", "ledger"],
    "dependencies": {"postgres": {"port": 5432, "cidrs": ["10.0.8.0/24", "2001:db8::/56"]}},
    "secrets": ["DATABASE_PASSWORD"],
    "aws": {"roleArn": "arn:aws:iam::123456789012:role/wallet"},
    "env": {"FEATURE": "on", "LINES": "a\nb: {{ c }}\n", "EMPTY": ""},
    "network": {"egress": [{"cidr": "10.0.8.0/24", "ports": [5432, 6379]}]},
    "serviceAccount": {
        "annotations": {"acme.example/note": "yes"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
    },
    "autoscaling": {"memory": 80},
    "migration": {"enabled": True, "command": ["python", "-m", "service.migrate"]},
    "extraEnv": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    "extraVolumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
    "extraVolumeMounts": [{"name": "cache", "mountPath": "/var/cache/service"}],
    "initContainers": [CONTAINER],
    "sidecars": [{**CONTAINER, "name": "proxy"}],
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "{{ .Release.Name }}-extra",
                "namespace": "{{ .Release.Namespace }}",
                "labels": {"shiplane.dev/service": "{{ .Release.Name }}"},
            },
        }
    ],
    "podAnnotations": {"acme.example/note": "yes"},
    "podLabels": {"acme.example/cost": "0123"},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "priorityClassName": "high",
}
EVERYTHING: dict[Path, dict[str, Any]] = {
    SERVICE: {
        **_BOTH,
        "called_by": ["gateway"],
        "network": {**_BOTH["network"], "ingressNamespaces": ["ingress-nginx"], "ingressCidrs": ["10.0.1.0/24"]},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "wallet.acme.example",
            "tls": {"secretName": "wallet-tls"},
            "authentication": {"by": "service"},
        },
    },
    WORKER: {**_BOTH, "probes": {"by": "exec", "command": ["python", "-m", "service.ask"]}},
}
MIGRATION = {f"{kind} migration" for kind in ("ConfigMap", "ExternalSecret", "Job", "NetworkPolicy", "ServiceAccount")}
ON_DEMAND = {"ConfigMap extra", "ExternalSecret", "Role", "RoleBinding", *MIGRATION}
DEFAULTS = {SERVICE: KINDS, WORKER: WORKER_KINDS}
ALL = {SERVICE: {*KINDS, *ON_DEMAND, "Ingress"}, WORKER: {*WORKER_KINDS, *ON_DEMAND}}
"""What EVERYTHING renders."""
OLDEST = "1.28"
NEWEST = ".".join(str(kubernetes_validate.latest_version()).removeprefix("v").split(".")[:2])


@pytest.mark.parametrize("everything", [False, True], ids=["defaults", "everything"])
@pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
def test_kubernetes_accepts_every_object(render: Render, chart: Path, everything: bool, kubernetes: str) -> None:
    rendered = render(EVERYTHING[chart] if everything else {}, kubernetes=f"{kubernetes}.0")
    assert rendered.keys() == (ALL if everything else DEFAULTS)[chart]
    for each in rendered.values():
        if not each["apiVersion"].startswith(CUSTOM):
            kubernetes_validate.validate(each, kubernetes, strict=True)  # an unknown kind raises too


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"the CRDs are not in {CRDS}")
def test_the_operators_accept_every_object(render: Render, chart: Path) -> None:
    custom = [each for each in render(EVERYTHING[chart]).values() if each["apiVersion"].startswith(CUSTOM)]
    kinds = {"ExternalSecret", "PrometheusRule", "ServiceMonitor" if chart == SERVICE else "PodMonitor"}
    assert {each["kind"]: crd_errors(each) for each in custom} == {kind: [] for kind in kinds}


def test_it_passes_the_strict_lint(helm: Path, chart: Path, tmp_path: Path) -> None:
    release = tmp_path / "release.yaml"
    release.write_text(json.dumps({"image": IMAGE}))
    for variant in (None, *(chart / "ci").iterdir()):
        door.lint(helm, chart, [release, *([variant] if variant else [])])


def test_both_helms_render_the_same(helms: tuple[Path, Path], chart: Path, tmp_path: Path) -> None:
    three, four = (objects(each, tmp_path, EVERYTHING[chart], kubernetes="1.33.0", chart=chart) for each in helms)
    assert three == four


def test_an_environment_needs_to_name_the_repository_alone(render: Render) -> None:
    rendered = render({"image": {"repository": "registry.acme.example/wallet"}})
    assert container(rendered)["image"] == f"registry.acme.example/wallet:{IMAGE['tag']}@{IMAGE['digest']}"
    assert container(rendered)["imagePullPolicy"] == "Always"


def test_all_that_belongs_to_a_service_bears_its_name_and_owner(render: Render, chart: Path) -> None:
    rendered = render({"owner": "payments"})
    for each in rendered.values():
        assert each["metadata"]["namespace"] == "wallets"
        labels = each["metadata"]["labels"]
        assert labels["shiplane.dev/owner"] == "payments"
        assert labels["app.kubernetes.io/version"] == IMAGE["tag"]
    own = {"shiplane.dev/service": "wallet"}
    deployment = rendered["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == own
    assert own.items() <= deployment["template"]["metadata"]["labels"].items()
    if chart == SERVICE:
        assert rendered["Service"]["spec"]["selector"] == own
    assert rendered["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == own
    assert rendered["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == own


@pytest.mark.parametrize("name", ["null", "on", "y", "true", "a" * 40])
def test_a_name_that_yaml_could_misread_stays_a_name(render: Render, chart: Path, name: str) -> None:
    values = {"owner": "off", "calls": ["yes"], "secrets": ["Y"], "priorityClassName": "n"}
    callers = {"called_by": ["no"]} if chart == SERVICE else {}
    rendered = render({**values, **callers}, release=name, namespace=name)
    for each in rendered.values():
        if not each["apiVersion"].startswith(CUSTOM):
            kubernetes_validate.validate(each, NEWEST, strict=True)
        own = {key: value for key, value in each["metadata"]["labels"].items() if key.startswith("shiplane.dev/")}
        assert own in ({"shiplane.dev/owner": "off", f"shiplane.dev/{part}": name} for part in ("service", "test"))
    assert rendered["Deployment"]["metadata"]["name"] == name


def test_the_pod_is_restricted(render: Render) -> None:
    rendered = render()
    spec, only = pod(rendered), container(rendered)
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert rendered["ServiceAccount"]["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert only["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert spec["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    for asked in only["resources"]["requests"], only["resources"]["limits"]:
        assert asked.keys() == {"cpu", "memory", "ephemeral-storage"}


def test_a_cpu_limit_can_be_removed(render: Render) -> None:
    limits = container(render({"resources": {"limits": {"cpu": None}}}))["resources"]["limits"]
    assert limits.keys() == {"memory", "ephemeral-storage"}


def test_the_probes_ask_what_the_service_answers(helm: Path, tmp_path: Path) -> None:
    only = container(objects(helm, tmp_path, {"port": 9000}))
    assert only["ports"] == [{"name": "http", "containerPort": 9000, "protocol": "TCP"}]
    paths = {each: only[each]["httpGet"]["path"] for each in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/health/ready"}
    assert {only[each]["httpGet"]["port"] for each in paths} == {"http"}


def test_a_service_has_one_port_number_and_one_port_name(helm: Path, tmp_path: Path) -> None:
    (port,) = objects(helm, tmp_path, {"port": 9000})["Service"]["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http", 9000, "http")


@pytest.mark.parametrize(
    ("kubernetes", "kubelet_waits"), [("1.28.0", False), ("1.29.9", False), ("1.30.1-eks-1", True)]
)
def test_a_pod_has_time_to_leave(helm: Path, tmp_path: Path, kubernetes: str, kubelet_waits: bool) -> None:
    shutdown = {"delaySeconds": 7, "drainSeconds": 3, "finishSeconds": 20}
    rendered = objects(helm, tmp_path, {"shutdown": shutdown}, kubernetes=kubernetes)
    waits = container(rendered).get("lifecycle", {}).get("preStop")
    drains = variables(rendered)["DRAIN_SECONDS"]
    assert (waits, drains) == (({"sleep": {"seconds": 7}}, "3") if kubelet_waits else (None, "10"))
    assert variables(rendered)["FINISH_SECONDS"] == "20"
    assert pod(rendered)["terminationGracePeriodSeconds"] == 7 + 3 + 20 + 5


def test_a_rollout_never_has_fewer_copies_and_copies_are_spread(render: Render) -> None:
    rendered = render()
    spec = rendered["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["revisionHistoryLimit"] == 3
    (zone,) = pod(rendered)["topologySpreadConstraints"]
    assert (zone["topologyKey"], zone["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "ScheduleAnyway")
    (host,) = pod(rendered)["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert host["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"


def test_settings_reach_the_container_and_start_new_pods(render: Render) -> None:
    def checksum(env: dict[str, str]) -> str:
        rendered = render({"env": env})
        assert rendered["ConfigMap"]["data"] == env
        assert container(rendered)["envFrom"] == [{"configMapRef": {"name": "wallet"}}]
        found: str = rendered["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    env = {"NUMBER": "0123", "BOOL": "no", "LINES": "a\n  b: {{ .Values }}\n", "EMPTY": ""}
    assert checksum(env) == checksum(dict(reversed(env.items())))
    assert checksum(env) != checksum({**env, "NUMBER": "0124"})


def test_the_schema_is_strict_and_explains_itself_to_the_last_key(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    assert '"$ref": "http' not in json.dumps(schema)

    def walk(place: str, each: dict[str, Any], *, named: bool = True) -> None:
        if named and "$ref" not in each:
            assert each.get("title"), place
            assert each.get("description"), place
        if each.get("type") == "object":
            # a free-form map says what its values are; all others list their keys
            free = isinstance(each["additionalProperties"], dict) and "properties" not in each
            assert free or each["additionalProperties"] is False, place
        for key, below in each.get("properties", {}).items():
            walk(f"{place}.{key}", below)
        if "items" in each:
            walk(f"{place}[]", each["items"], named=each["items"].get("type") == "object")

    walk("values", schema)
    values = yaml.safe_load((chart / "values.yaml").read_text())
    assert schema["properties"].keys() == values.keys()


def test_two_releases_never_render_alike(render: Render) -> None:
    """Argo CD syncs what has changed, and tells the health of that alone: of any other release it says nothing."""
    one, other = (render(image={**IMAGE, "tag": tag}) for tag in ("1f" * 20, "2e" * 20))

    assert one["Deployment"]["spec"]["template"] != other["Deployment"]["spec"]["template"]
