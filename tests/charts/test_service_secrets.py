"""The one list of names behind a service's secrets: what keeps them in step, and how the container gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import container, objects, pod, variables

NAMES = ["DATABASE_PASSWORD", "SIGNING_KEY"]


def test_a_pod_cannot_start_without_its_secrets(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path, {"secrets": NAMES})
    for name in NAMES:
        assert variables(rendered)[name] == {"secretKeyRef": {"name": "wallet", "key": name}}
    assert [each["name"] for each in pod(rendered)["volumes"]] == ["tmp"]
    assert "Secret" not in rendered


def test_the_same_names_are_read_from_the_store(helm: Path, tmp_path: Path) -> None:
    spec = objects(helm, tmp_path, {"secrets": NAMES})["ExternalSecret"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "aws-secrets-manager"}
    assert (spec["refreshPolicy"], spec["refreshInterval"]) == ("Periodic", "1h")
    assert spec["target"]["name"] == "wallet"
    assert spec["data"] == [{"secretKey": name, "remoteRef": {"key": "wallet", "property": name}} for name in NAMES]


def test_an_environment_names_its_own_store_and_key(helm: Path, tmp_path: Path) -> None:
    store = {"kind": "SecretStore", "name": "vault", "key": "prod/{service}/app", "refreshInterval": "15m"}
    spec = objects(helm, tmp_path, {"secrets": NAMES, "secretStore": store})["ExternalSecret"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "SecretStore", "name": "vault"}
    assert {each["remoteRef"]["key"] for each in spec["data"]} == {"prod/wallet/app"}


@pytest.mark.parametrize("values", [{}, {"secrets": NAMES, "secretStore": {"name": ""}}], ids=["no names", "no store"])
def test_nothing_is_read_that_is_not_wanted(helm: Path, tmp_path: Path, values: dict[str, object]) -> None:
    assert "ExternalSecret" not in objects(helm, tmp_path, values)


def test_secrets_may_come_as_files_alone(helm: Path, tmp_path: Path) -> None:
    rendered = objects(helm, tmp_path, {"secrets": NAMES, "secretDelivery": "files"})
    given = variables(rendered)
    assert {name: given[f"{name}_FILE"] for name in NAMES} == {name: f"/run/secrets/service/{name}" for name in NAMES}
    assert not set(NAMES) & given.keys()
    assert container(rendered)["volumeMounts"][1:] == [
        {"name": "secrets", "mountPath": "/run/secrets/service", "readOnly": True}
    ]
    assert pod(rendered)["volumes"][1:] == [
        {"name": "secrets", "secret": {"secretName": "wallet", "defaultMode": 0o440}}
    ]


def test_without_secrets_there_is_nothing_to_mount(helm: Path, tmp_path: Path) -> None:
    assert [each["name"] for each in pod(objects(helm, tmp_path, {"secretDelivery": "files"}))["volumes"]] == ["tmp"]


@pytest.mark.parametrize(("delivery", "variable"), [("env", "FEATURE"), ("files", "FEATURE_FILE")])
def test_a_variable_has_one_source(helm: Path, tmp_path: Path, delivery: str, variable: str) -> None:
    values = {"secrets": ["FEATURE"], "secretDelivery": delivery, "env": {variable: "on"}}
    with pytest.raises(ShiplaneError, match=f"secrets: {variable} stands in env too"):
        objects(helm, tmp_path, values)
