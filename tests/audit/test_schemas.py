"""The schemas that kubeconform is given: all local, and a kind that has none is told apart from one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.audit import schemas
from tests.gitops.crds import CRDS

MANIFESTS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
---
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
---
apiVersion: v1
kind: Nothing
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    path = tmp_path / "manifests.yaml"
    path.write_text(MANIFESTS)
    return path


def test_the_schemas_refer_to_each_other_and_not_to_the_network(manifests: Path, tmp_path: Path) -> None:
    schemas.write(manifests, "1.28", tmp_path / "schemas")

    texts = {path.name: path.read_text() for path in (tmp_path / "schemas").iterdir()}
    assert {"_definitions.json", "networkpolicy-networking-v1.json"} <= texts.keys()
    assert "nothing-v1.json" not in texts
    assert not any('"$id"' in text or "/api/" in text for text in texts.values())
    assert '"_definitions.json#' in texts["networkpolicy-networking-v1.json"]


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"the CRDs are not in {CRDS}")
def test_a_custom_resource_has_the_schema_of_its_crd(manifests: Path, tmp_path: Path) -> None:
    assert schemas.write(manifests, "1.28", tmp_path) == set()

    schema = json.loads((tmp_path / "servicemonitor-monitoring-v1.json").read_text())
    assert schema["additionalProperties"] is False


def test_without_crds_the_custom_kinds_are_told(
    manifests: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "CRDS", tmp_path / "none")

    assert schemas.write(manifests, "1.28", tmp_path) == {"ServiceMonitor"}
