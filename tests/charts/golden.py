"""The golden charts, rendered by one helm with the values of one release."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from generator import helm as door

SERVICE, WORKER = (Path(__file__).resolve().parents[2] / "charts" / name for name in ("service", "worker"))
CHART = SERVICE
IMAGE = {"tag": "1f" * 20, "digest": f"sha256:{'2e' * 32}"}
"""What release.yaml brings to a chart."""
CUSTOM = ("external-secrets.io/", "monitoring.coreos.com/")
"""The API groups that Kubernetes itself does not know."""
_BOTH = {
    "ConfigMap",
    "ConfigMap dashboard",
    "Deployment",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PrometheusRule",
    "ServiceAccount",
}
KINDS = _BOTH | {"Job test", "NetworkPolicy test", "Service", "ServiceMonitor"}
WORKER_KINDS = _BOTH | {"PodMonitor"}
"""What each chart renders with its own values."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's: ten times as fast, for 900 renders

Objects = dict[str, dict[str, Any]]
Render = Callable[..., Objects]
"""`objects` with a helm, a folder and a chart given."""


def objects(
    helm: Path,
    folder: Path,
    values: Mapping[str, Any] | None = None,
    *,
    release: str = "wallet",
    namespace: str = "wallets",
    kubernetes: str | None = None,
    chart: Path = CHART,
    image: Mapping[str, str] = IMAGE,
) -> Objects:
    """The rendered objects: `values` lie over the chart's own, release.yaml over them; `folder` takes both files.

    The key is the kind, and what a name has after the service's own: "ConfigMap", "ConfigMap dashboard".
    """
    files = [folder / "values.yaml", folder / "release.yaml"]
    for path, data in zip(files, (values or {}, {"image": dict(image)}), strict=True):
        path.write_text(json.dumps(data), encoding="utf-8")
    text = door.template(helm, chart, release=release, namespace=namespace, values=files, kubernetes=kubernetes)
    found = [each for each in yaml.load_all(text, _Loader) if each]
    named = {f"{each['kind']} {_rest(each['metadata']['name'], release)}".strip(): each for each in found}
    assert len(found) == len(named)
    return named


def _rest(name: str, release: str) -> str:
    assert name == release or name.startswith(f"{release}-")
    return name.removeprefix(release).removeprefix("-")


def pod(rendered: Objects) -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = rendered["Deployment"]["spec"]["template"]["spec"]
    return spec


def container(rendered: Objects) -> dict[str, Any]:
    """The one container."""
    (only,) = pod(rendered)["containers"]
    found: dict[str, Any] = only
    return found


def variables(rendered: Objects) -> dict[str, Any]:
    """The container's own environment variables: their value, or where it comes from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(rendered)["env"]}
