"""The way in from outside: closed, and not to be opened by half."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import objects

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1f1f1f1f-2e2e"
OPEN: dict[str, Any] = {
    "enabled": True,
    "className": "nginx",
    "host": "wallet.acme.example",
    "tls": {"secretName": "wallet-tls"},
    "authentication": {"by": "service"},
}
FROM = {"ingressNamespaces": ["ingress-nginx"]}


def _ingress(helm: Path, folder: Path, network: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    values = {"ingress": {**OPEN, **given}, "network": FROM if network is None else network}
    found: dict[str, Any] = objects(helm, folder, values)["Ingress"]
    return found


def test_it_leads_to_the_service_by_name_and_over_tls(helm: Path, tmp_path: Path) -> None:
    spec = _ingress(helm, tmp_path)["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["wallet.acme.example"], "secretName": "wallet-tls"}]
    (rule,) = spec["rules"]
    assert rule["host"] == "wallet.acme.example"
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "wallet", "port": {"name": "http"}}


def test_an_alb_takes_its_certificate_from_aws(helm: Path, tmp_path: Path) -> None:
    network = {"ingressCidrs": ["10.0.1.0/24"]}
    ingress = _ingress(helm, tmp_path, network, className="alb", tls={"certificateArn": CERTIFICATE})
    annotations = ingress["metadata"]["annotations"]
    assert annotations["alb.ingress.kubernetes.io/certificate-arn"] == CERTIFICATE
    assert json.loads(annotations["alb.ingress.kubernetes.io/listen-ports"]) == [{"HTTPS": 443}]
    assert ingress["spec"]["tls"] == [{"hosts": ["wallet.acme.example"]}]


def test_the_controllers_settings_stand_side_by_side(helm: Path, tmp_path: Path) -> None:
    asked = {"nginx.ingress.kubernetes.io/auth-url": "https://login.acme.example/check"}
    more = {"nginx.ingress.kubernetes.io/proxy-body-size": "1m"}
    ingress = _ingress(helm, tmp_path, authentication={"by": "controller", "annotations": asked}, annotations=more)
    assert ingress["metadata"]["annotations"] == {
        **asked,
        **more,
        "shiplane.dev/authentication": "controller",
    }


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("ingress.host: missing", {"host": ""}),
    ("host", {"host": "*.acme.example"}),
    ("ingress.tls: name a secretName or a certificateArn", {"tls": {}}),
    ("ingress.tls: secretName and certificateArn", {"tls": {"secretName": "x", "certificateArn": CERTIFICATE}}),
    ("ingress.authentication.by: who makes sure", {"authentication": {}}),
    ("ingress.authentication: annotations are needed", {"authentication": {"by": "controller"}}),
    ("ingress.authentication: annotations are", {"authentication": {"by": "service", "annotations": {"a/b": "c"}}}),
    ("ingress: name the controller's namespace", {"network": {}}),
]


@pytest.mark.parametrize(("said", "given"), WRONG, ids=[str(given) for _, given in WRONG])
def test_half_an_opening_is_refused(helm: Path, tmp_path: Path, said: str, given: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=re.escape(said)):
        _ingress(helm, tmp_path, **given)
