"""The schemas that kubeconform judges by, in a folder: Kubernetes' own, and those of the custom resources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import yaml

from tests.gitops.crds import CRDS, crd_schema

_OWN = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
"""The name of a schema's file, as kubeconform is told it."""


def write(manifests: Path, kubernetes: str, folder: Path) -> set[str]:
    """Lay the schemas of all kinds in `manifests` into `folder`; the custom kinds that have none, as there are no CRDs.

    A kind that has none though there are CRDs is kubeconform's to find.
    """
    source = _OWN / f"v{kubernetes}.0-local-strict"
    folder.mkdir(parents=True, exist_ok=True)
    if not (definitions := folder / "_definitions.json").exists():
        _copy(source / definitions.name, definitions)
    without = set()
    for document in yaml.safe_load_all(manifests.read_bytes()):
        if not document:
            continue
        group, _, version = document["apiVersion"].rpartition("/")
        suffix = "-".join([*([group.split(".")[0]] if group else []), version])
        target = folder / f"{document['kind'].lower()}-{suffix}.json"
        if target.exists():
            continue
        if (source / target.name).is_file():
            _copy(source / target.name, target)
        elif CRDS.is_dir():
            _write_custom(group, version, document["kind"], target)
        elif "." in group and not group.endswith(".k8s.io"):
            without.add(document["kind"])
    return without


def _copy(source: Path, target: Path) -> None:
    """Without the identity at kubernetes.io: each reference leads to the file beside it, and none to the network."""
    text = source.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace('"/api/_definitions.json#', '"_definitions.json#'))
    del found["$id"]
    target.write_text(json.dumps(found), encoding="utf-8")


def _write_custom(group: str, version: str, kind: str, target: Path) -> None:
    try:
        target.write_text(json.dumps(crd_schema(group, version, kind)), encoding="utf-8")
    except LookupError:
        return
