"""The ways out of the golden chart: what it does not know can be added, and is held to what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import container, objects, pod, variables

IMAGE = f"registry.acme.example/proxy:1@sha256:{'3d' * 32}"
RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
PROXY: dict[str, Any] = {"name": "proxy", "image": IMAGE, "resources": RESOURCES, "args": ["{{ as it is }}"]}


def test_variables_volumes_and_mounts_come_beside_our_own(helm: Path, tmp_path: Path) -> None:
    node = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    values = {
        "extraEnv": [{"name": "NODE", "valueFrom": node}, {"name": "ZONE", "value": "a"}],
        "extraVolumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
        "extraVolumeMounts": [{"name": "cache", "mountPath": "/var/cache/service"}],
    }
    rendered = objects(helm, tmp_path, values)
    assert (variables(rendered)["NODE"], variables(rendered)["ZONE"]) == (node, "a")
    assert {"SERVICE", "PORT"} <= variables(rendered).keys()
    assert [each["name"] for each in pod(rendered)["volumes"]] == ["tmp", "cache"]
    assert [each["mountPath"] for each in container(rendered)["volumeMounts"]] == ["/tmp", "/var/cache/service"]


@pytest.mark.parametrize("key", ["initContainers", "sidecars"])
def test_other_containers_are_as_restricted_as_the_service(helm: Path, tmp_path: Path, key: str) -> None:
    spec = pod(objects(helm, tmp_path, {key: [PROXY]}))
    service = spec["containers"][0]
    other = spec["initContainers"][0] if key == "initContainers" else spec["containers"][1]
    assert service["name"] == "service"
    assert other == {**PROXY, "securityContext": service["securityContext"]}


def test_a_container_may_say_how_it_is_restricted(helm: Path, tmp_path: Path) -> None:
    context = {"readOnlyRootFilesystem": False, "allowPrivilegeEscalation": False}
    spec = pod(objects(helm, tmp_path, {"sidecars": [{**PROXY, "securityContext": context}]}))
    assert spec["containers"][1]["securityContext"] == context


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("sidecars: the image of proxy must end with @sha256", {"sidecars": [{**PROXY, "image": "proxy:latest"}]}),
    ("initContainers: proxy needs resources", {"initContainers": [{"name": "proxy", "image": IMAGE}]}),
    ("sidecars: each needs a name", {"sidecars": [{"image": IMAGE}]}),
    ("extraEnv", {"extraEnv": [{"name": "PORT", "value": "1"}]}),
    ("extraVolumeMounts", {"extraVolumeMounts": [{"name": "cache", "mountPth": "/x"}]}),
    ("fluentbit.io/parser", {"podAnnotations": {"fluentbit.io/parser": "x"}}),
]


@pytest.mark.parametrize(("said", "values"), WRONG, ids=[str(values)[:60] for _, values in WRONG])
def test_what_would_break_a_promise_is_refused(helm: Path, tmp_path: Path, said: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=said):
        objects(helm, tmp_path, values)


def test_whole_objects_are_rendered_as_templates(helm: Path, tmp_path: Path) -> None:
    extra = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-x"}, "type": "Opaque"}
    rendered = objects(helm, tmp_path, {"extraObjects": [extra]})
    assert rendered["Secret x"] == {**extra, "metadata": {"name": "wallet-x"}}


def test_fluent_bit_is_told_how_the_logs_are_to_be_read(helm: Path, tmp_path: Path) -> None:
    def told(**logs: Any) -> dict[str, str]:
        metadata = objects(helm, tmp_path, {"logs": logs})["Deployment"]["spec"]["template"]["metadata"]
        return {key: value for key, value in metadata["annotations"].items() if key.startswith("fluentbit.io/")}

    assert told() == {"fluentbit.io/parser": "json"}
    assert told(parser="", exclude=True) == {"fluentbit.io/exclude": "true"}
