"""The ways out of the golden charts: what they do not know can be added, and is held to what they promise."""

from __future__ import annotations

from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import Render, container, pod, variables

IMAGE = f"registry.acme.example/proxy:1@sha256:{'3d' * 32}"
RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
PROXY: dict[str, Any] = {"name": "proxy", "image": IMAGE, "resources": RESOURCES, "args": ["{{ as it is }}"]}


def test_variables_volumes_and_mounts_come_beside_our_own(render: Render) -> None:
    node = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    values = {
        "extraEnv": [{"name": "NODE", "valueFrom": node}, {"name": "ZONE", "value": "a"}],
        "extraVolumes": [{"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}}],
        "extraVolumeMounts": [{"name": "cache", "mountPath": "/var/cache/service"}],
    }
    rendered = render(values)
    assert (variables(rendered)["NODE"], variables(rendered)["ZONE"]) == (node, "a")
    assert {"SERVICE", "PORT"} <= variables(rendered).keys()
    assert [each["name"] for each in pod(rendered)["volumes"]] == ["tmp", "cache"]
    assert [each["mountPath"] for each in container(rendered)["volumeMounts"]] == ["/tmp", "/var/cache/service"]


@pytest.mark.parametrize("key", ["initContainers", "sidecars"])
def test_other_containers_are_as_restricted_as_the_service(render: Render, key: str) -> None:
    spec = pod(render({key: [PROXY]}))
    service = spec["containers"][0]
    other = spec["initContainers"][0] if key == "initContainers" else spec["containers"][1]
    assert service["name"] == "service"
    assert other == {**PROXY, "securityContext": service["securityContext"]}


def test_a_container_may_say_how_it_is_restricted(render: Render) -> None:
    context = {"readOnlyRootFilesystem": False, "allowPrivilegeEscalation": False}
    spec = pod(render({"sidecars": [{**PROXY, "securityContext": context}]}))
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
def test_what_would_break_a_promise_is_refused(render: Render, said: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=said):
        render(values)


def test_whole_objects_are_rendered_as_templates(render: Render) -> None:
    extra = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-x"}, "type": "Opaque"}
    rendered = render({"extraObjects": [extra]})
    assert rendered["Secret x"] == {**extra, "metadata": {"name": "wallet-x"}}


def test_fluent_bit_is_told_how_the_logs_are_to_be_read(render: Render) -> None:
    def told(**logs: Any) -> dict[str, str]:
        metadata = render({"logs": logs})["Deployment"]["spec"]["template"]["metadata"]
        return {key: value for key, value in metadata["annotations"].items() if key.startswith("fluentbit.io/")}

    assert told() == {"fluentbit.io/parser": "json"}
    assert told(parser="", exclude=True) == {"fluentbit.io/exclude": "true"}
