"""The golden chart passes the policy in every way that it can be set; a chart as `helm create` makes it does not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator import helm as door
from gitops.policy import judge
from gitops.policy.finding import Context, Finding
from gitops.policy.reading import read
from tests.charts.golden import CHART, IMAGE

VARIANTS = sorted(path.name for path in (CHART / "ci").glob("*.yaml"))
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def judged(helm: Path, folder: Path, *values: Path | dict[str, Any]) -> list[Finding]:
    """The golden chart as wallet in prod, with values laid over its own."""
    files = []
    for number, each in enumerate([{"image": IMAGE}, *values]):
        files.append(each if isinstance(each, Path) else folder / f"{number}.yaml")
        if isinstance(each, dict):
            files[-1].write_text(json.dumps(each))
    text = door.template(helm, CHART, release="wallet", namespace="wallet", values=files, kubernetes="1.33")
    return judge(read(text, "rendered", "chart"), Context("wallet", "prod", "wallet", REGISTRY, "platform"))


@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_the_golden_chart_has_no_finding(helm: Path, tmp_path: Path, variant: str | None) -> None:
    assert judged(helm, tmp_path, *([CHART / "ci" / variant] if variant else [])) == []


@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ({"metrics": {"enabled": False}, "alerts": {"enabled": False}}, {"monitoring"}),
        ({"image": {"tagAlone": True, "digest": ""}}, {"image-digest"}),
        ({"image": {"repository": "registry.acme.example/service"}}, {"image-registry"}),
        ({"owner": "payments"}, {"owner-label"}),
        ({"resources": {"limits": {"cpu": None}}}, {"cpu-limit"}),
        ({"probes": {"liveness": {"path": "/health/ready"}}}, {"probes-differ"}),
        ({"env": {"API_KEY": "p9X2" + "vK7q" * 4 + "Zt31"}}, {"plaintext-secret"}),
        ({"extraVolumes": [{"name": "x", "hostPath": {"path": "/"}}]}, {"volume-types"}),
        (
            {"sidecars": [{"name": "x", "image": f"{REGISTRY}/x@{IMAGE['digest']}",
                           "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "1Mi"}}}]},
            {"liveness", "cpu-limit"},
        ),
        ({"extraObjects": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "Yg=="}}]},
         {"secret-object"}),
    ],
)  # fmt: skip
def test_what_its_settings_can_undo_is_found(
    helm4: Path, tmp_path: Path, values: dict[str, Any], rules: set[str]
) -> None:
    found = judged(helm4, tmp_path, values)

    assert {each.rule for each in found} == rules


def test_a_chart_as_helm_creates_it(helm4: Path, tmp_path: Path) -> None:
    subprocess.run([helm4, "create", str(tmp_path / "web")], check=True, capture_output=True)
    text = door.template(helm4, tmp_path / "web", release="web", namespace="web")
    found = judge(read(text, "rendered", "web"), Context(namespace="web"))

    everywhere = {
        "image-digest", "requests", "limits", "cpu-limit", "run-as-non-root", "privilege-escalation", "capabilities",
        "seccomp", "read-only-root", "network-policy", "service-account-token", "owner-label",
    }  # fmt: skip
    rules = {kind: {each.rule for each in found if each.place.kind == kind} for kind in ("Deployment", "Pod")}
    assert rules["Deployment"] == everywhere | {"probes-differ", "monitoring"}
    assert rules["Pod"] == everywhere | {"image-latest", "deadline", "service-account"}
    assert {each.place.file for each in found} == {
        "web/templates/deployment.yaml",
        "web/templates/tests/test-connection.yaml",
    }
