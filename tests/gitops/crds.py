"""Custom resources judged as an API server judges them, by the CRDs that their projects publish, in strict mode."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).parents[2].parent / "shared" / "crds"
"""Where the CRDs lie, outside the repository; tests skip where the folder is absent."""
ARGOCD_VERSIONS = ("2.14.20", "3.5.1")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def crd_errors(document: dict[str, Any], argocd: str = ARGOCD_VERSIONS[-1]) -> list[str]:
    """What is wrong with `document`, `path: message` each; for Argo CD's own kinds, by the CRDs of version `argocd`.

    Unknown fields are errors everywhere. A kind (or a version of it) without a CRD is a LookupError, never a pass.
    """
    from jsonschema import Draft202012Validator

    group, _, version = str(document.get("apiVersion", "")).rpartition("/")
    schema = crd_schema(group, version, str(document.get("kind")), argocd)
    found = Draft202012Validator(schema).iter_errors(document)
    return sorted(f"{error.json_path}: {error.message}" for error in found)


@cache
def crd_schema(group: str, version: str, kind: str, argocd: str = ARGOCD_VERSIONS[-1]) -> dict[str, Any]:
    """The JSON Schema that takes no unknown field, or LookupError where no CRD serves this version of the kind."""
    for path in sorted(CRDS.glob("*.yaml")):
        if path.name.startswith("argocd-") and not path.name.startswith(f"argocd-v{argocd}-"):
            continue
        text = path.read_text("utf-8")
        if f"kind: {kind}\n" not in text or f"group: {group}\n" not in text:  # parsing all of them takes seconds
            continue
        spec = yaml.load(text, _Loader)["spec"]
        if (spec["group"], spec["names"]["kind"]) != (group, kind):
            continue
        for served in spec["versions"]:
            if served["name"] == version and served["served"]:
                schema: dict[str, Any] = _strict(served["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                return schema
    raise LookupError(f"no CRD serves {group}/{version} {kind}")


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI v3 schema of a CRD as a JSON Schema that takes no field it does not know."""
    strict = dict(schema)
    if strict.get("x-kubernetes-int-or-string"):
        strict.pop("type", None)
        strict["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if strict.pop("nullable", False) and "type" in strict:
        strict["type"] = [strict["type"], "null"]
    if "items" in strict:
        strict["items"] = _strict(strict["items"])
    if isinstance(strict.get("additionalProperties"), dict):
        strict["additionalProperties"] = _strict(strict["additionalProperties"])
    if "properties" in strict:
        strict["properties"] = {name: _strict(each) for name, each in strict["properties"].items()}
        if not strict.get("x-kubernetes-preserve-unknown-fields"):
            strict.setdefault("additionalProperties", False)
    return strict
