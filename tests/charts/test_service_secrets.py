"""The one list of names behind a service's secrets: what keeps them in step, and how the container gets them."""

from __future__ import annotations

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import Render, container, pod, variables

NAMES = ["DATABASE_PASSWORD", "SIGNING_KEY"]


def test_a_pod_cannot_start_without_its_secrets(render: Render) -> None:
    rendered = render({"secrets": NAMES})
    for name in NAMES:
        assert variables(rendered)[name] == {"secretKeyRef": {"name": "wallet", "key": name}}
    assert [each["name"] for each in pod(rendered)["volumes"]] == ["tmp"]
    assert "Secret" not in rendered


def test_the_same_names_are_read_from_the_store(render: Render) -> None:
    spec = render({"secrets": NAMES})["ExternalSecret"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "aws-secrets-manager"}
    assert (spec["refreshPolicy"], spec["refreshInterval"]) == ("Periodic", "1h")
    assert spec["target"]["name"] == "wallet"
    assert spec["data"] == [{"secretKey": name, "remoteRef": {"key": "wallet", "property": name}} for name in NAMES]


def test_an_environment_names_its_own_store_and_key(render: Render) -> None:
    store = {"kind": "SecretStore", "name": "vault", "key": "prod/{service}/app", "refreshInterval": "15m"}
    spec = render({"secrets": NAMES, "secretStore": store})["ExternalSecret"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "SecretStore", "name": "vault"}
    assert {each["remoteRef"]["key"] for each in spec["data"]} == {"prod/wallet/app"}


@pytest.mark.parametrize("values", [{}, {"secrets": NAMES, "secretStore": {"name": ""}}], ids=["no names", "no store"])
def test_nothing_is_read_that_is_not_wanted(render: Render, values: dict[str, object]) -> None:
    assert "ExternalSecret" not in render(values)


def test_secrets_may_come_as_files_alone(render: Render) -> None:
    rendered = render({"secrets": NAMES, "secretDelivery": "files"})
    given = variables(rendered)
    assert {name: given[f"{name}_FILE"] for name in NAMES} == {name: f"/run/secrets/service/{name}" for name in NAMES}
    assert not set(NAMES) & given.keys()
    assert container(rendered)["volumeMounts"][1:] == [
        {"name": "secrets", "mountPath": "/run/secrets/service", "readOnly": True}
    ]
    assert pod(rendered)["volumes"][1:] == [
        {"name": "secrets", "secret": {"secretName": "wallet", "defaultMode": 0o440}}
    ]


def test_without_secrets_there_is_nothing_to_mount(render: Render) -> None:
    assert [each["name"] for each in pod(render({"secretDelivery": "files"}))["volumes"]] == ["tmp"]


@pytest.mark.parametrize(("delivery", "variable"), [("env", "FEATURE"), ("files", "FEATURE_FILE")])
def test_a_variable_has_one_source(render: Render, delivery: str, variable: str) -> None:
    values = {"secrets": ["FEATURE"], "secretDelivery": delivery, "env": {variable: "on"}}
    with pytest.raises(ShiplaneError, match=f"secrets: {variable} stands in env too"):
        render(values)
