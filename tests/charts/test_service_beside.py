"""What runs beside the service, once: the migration before a release, and the pod of `helm test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.charts.golden import IMAGE, SERVICE, WORKER, Objects, Render, container, objects

MIGRATION: dict[str, Any] = {
    "migration": {"enabled": True, "command": ["python", "-m", "service.migrate"], "retries": 2},
    "secrets": ["PGPASSWORD"],
    "env": {"PGPORT": "5432"},
    "extraEnv": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    "dependencies": {"postgres": {"port": 5432, "cidrs": ["10.0.8.0/22"]}},
    "calls": ["orders"],
}
PART = {f"{kind} migration" for kind in ("ConfigMap", "ExternalSecret", "Job", "NetworkPolicy", "ServiceAccount")}


def _spec(rendered: Objects, which: str) -> dict[str, Any]:
    """The pod's spec of a Job."""
    spec: dict[str, Any] = rendered[which]["spec"]["template"]["spec"]
    return spec


def test_nothing_migrates_by_itself(render: Render) -> None:
    assert not [name for name in render() if name.endswith("migration")]


def test_a_migration_and_all_that_it_needs_come_before_the_release(render: Render) -> None:
    rendered = render(MIGRATION)
    assert {name for name in rendered if name.endswith("migration")} == PART
    for name, each in rendered.items():
        annotations = each["metadata"].get("annotations", {})
        hook = annotations.get("argocd.argoproj.io/hook")
        assert hook == ("PreSync" if name in PART else None), name
        if name in PART:
            wave = "0" if name == "Job migration" else "-1"
            assert annotations["argocd.argoproj.io/sync-wave"] == wave
            assert annotations["argocd.argoproj.io/hook-delete-policy"] == "BeforeHookCreation"


def test_a_migration_uses_nothing_that_only_the_release_brings(render: Render) -> None:
    """At its first release a service has nothing else in the cluster yet."""
    rendered = render({**MIGRATION, "secretDelivery": "files"})
    spec = _spec(rendered, "Job migration")
    assert spec["serviceAccountName"] == rendered["ServiceAccount migration"]["metadata"]["name"]
    (only,) = spec["containers"]
    assert only["envFrom"] == [{"configMapRef": {"name": rendered["ConfigMap migration"]["metadata"]["name"]}}]
    (secret,) = [each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each]
    assert secret == rendered["ExternalSecret migration"]["spec"]["target"]["name"]
    assert rendered["ConfigMap migration"]["data"] == rendered["ConfigMap"]["data"]
    assert rendered["ExternalSecret migration"]["spec"]["data"] == rendered["ExternalSecret"]["spec"]["data"]


def test_its_secret_outlives_the_hook_that_made_it(render: Render) -> None:
    target = render(MIGRATION)["ExternalSecret migration"]["spec"]["target"]
    assert (target["creationPolicy"], target["deletionPolicy"]) == ("Orphan", "Retain")


def test_a_secret_that_is_made_in_another_way_is_shared(render: Render) -> None:
    rendered = render({**MIGRATION, "secretStore": {"name": ""}})
    assert "ExternalSecret migration" not in rendered
    (only,) = _spec(rendered, "Job migration")["containers"]
    (secret,) = [each["valueFrom"]["secretKeyRef"] for each in only["env"] if each["name"] == "PGPASSWORD"]
    assert secret == {"name": "wallet", "key": "PGPASSWORD"}


def test_a_migration_has_the_new_image_and_the_services_variables(render: Render) -> None:
    rendered = render(MIGRATION)
    (only,) = _spec(rendered, "Job migration")["containers"]
    assert only["image"] == container(rendered)["image"]
    assert IMAGE["digest"] in only["image"]
    assert only["command"] == ["python", "-m", "service.migrate"]
    assert {each["name"] for each in only["env"]} == {"SERVICE", "VERSION", "PGPASSWORD", "NODE"}
    job = rendered["Job migration"]["spec"]
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (2, 600)


def test_a_migration_reaches_its_dependencies_alone(render: Render) -> None:
    rendered = render(MIGRATION)
    policy = rendered["NetworkPolicy migration"]["spec"]
    assert (policy["policyTypes"], policy.get("ingress")) == (["Ingress", "Egress"], None)
    assert [each["ports"][0]["port"] for each in policy["egress"]] == [53, 5432]
    labels = rendered["Job migration"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("chart", "which"), [(SERVICE, "Job migration"), (SERVICE, "Job test"), (WORKER, "Job migration")]
)
def test_it_is_as_restricted_as_the_service_and_not_taken_for_it(render: Render, which: str) -> None:
    rendered = render(MIGRATION)
    service = rendered["Deployment"]["spec"]["template"]
    spec = _spec(rendered, which)
    for key in "securityContext", "automountServiceAccountToken", "enableServiceLinks":
        assert spec[key] == service["spec"][key]
    (only,) = spec["containers"]
    assert only["securityContext"] == container(rendered)["securityContext"]
    assert only["resources"] == container(rendered)["resources"]
    assert only["volumeMounts"][0] == {"name": "tmp", "mountPath": "/tmp"}
    template = rendered[which]["spec"]["template"]
    own = {"shiplane.dev/service": "wallet"}
    assert not own.items() <= template["metadata"]["labels"].items()
    for each in {"Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment", "PodMonitor"} & rendered.keys():
        assert own.items() <= _selector(rendered[each]).items()


def _selector(each: dict[str, Any]) -> dict[str, str]:
    """The labels by which an object finds the service's pods."""
    spec = each["spec"]
    selector: dict[str, Any] = spec.get("selector") or spec["podSelector"]
    found: dict[str, str] = selector.get("matchLabels", selector)
    return found


def test_helms_test_asks_the_service_by_its_name(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path, {"port": 9000})
    (only,) = _spec(rendered, "Job test")["containers"]
    assert only["args"] == ["ask", "http://wallet:9000/health/ready"]
    assert only["image"] == container(rendered)["image"]
    for each in "Job test", "NetworkPolicy test":
        assert rendered[each]["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_helms_test_can_be_left_out(helm: Path, tmp_path: Path) -> None:
    assert not [name for name in objects(helm, tmp_path, {"test": {"enabled": False}}) if name.endswith(" test")]
