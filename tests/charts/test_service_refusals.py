"""What the golden charts refuse, and that they name the key."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import IMAGE, SERVICE, Render, container, objects

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("replicaCount", {"replicaCount": 3}),
    ("tagg", {"image": {"tagg": "x"}}),
    ("cpus", {"resources": {"limits": {"cpus": "1"}}}),
    ("pathh", {"probes": {"liveness": {"pathh": "/"}}}),
    ("namespce", {"network": {"dns": {"namespce": "x"}}}),
    ("portt", {"network": {"egress": [{"cidr": "10.0.0.0/8", "ports": [1], "portt": 1}]}}),
    ("operater", {"tolerations": [{"operater": "Exists"}]}),
    ("annotation", {"serviceAccount": {"annotation": {}}}),
    ("port", {"port": 0}),
    ("port", {"port": 80}),
    ("port", {"port": 70000}),
    ("port", {"port": "http"}),
    ("tagAlone", {"image": {"tagAlone": "yes"}}),
    ("prot", {"dependencies": {"postgres": {"prot": 1, "port": 1, "cidrs": ["10.0.0.0/8"]}}}),
    ("port", {"dependencies": {"postgres": {"cidrs": ["10.0.0.0/8"]}}}),
    ("cidrs", {"dependencies": {"postgres": {"port": 5432, "cidrs": []}}}),
    ("cidrs", {"dependencies": {"postgres": {"port": 5432, "cidrs": ["postgres.acme.example"]}}}),
    ("Postgres", {"dependencies": {"Postgres": {"port": 5432, "cidrs": ["10.0.0.0/8"]}}}),
    ("podIdentities", {"aws": {"podIdentities": True}}),
    ("migration.command", {"migration": {"enabled": True}}),
    ("command", {"migration": {"enabled": True, "command": "python -m service.migrate"}}),
    ("retry", {"migration": {"retry": 1}}),
    ("owner", {"owner": "Payments Team"}),
    ("repository", {"image": {"repository": "registry.acme.example/wallet:1"}}),
    ("calls", {"calls": ["Orders"]}),
    ("secrets", {"secrets": ["database-password"]}),
    ("secrets", {"secrets": ["PORT"]}),
    ("secrets", {"secrets": [{"DATABASE_PASSWORD": "x"}]}),
    ("NUMBER", {"env": {"NUMBER": 1}}),
    ("VERSION", {"env": {"VERSION": "mine"}}),
    ("env", {"env": None}),
    ("shiplane.dev/service", {"podLabels": {"shiplane.dev/service": "other"}}),
    ("memory", {"resources": {"limits": {"memory": "256 MB"}}}),
    ("memory", {"resources": {"limits": {"memory": None}}}),
    ("cidr", {"network": {"egress": [{"cidr": "10.0.8.0", "ports": [5432]}]}}),
    ("finishSeconds", {"shutdown": {"finishSeconds": -1}}),
    ("kind", {"secretStore": {"kind": "Vault"}}),
    ("key", {"secretStore": {"key": "a b"}}),
    ("refreshInterval", {"secretStore": {"refreshInterval": "1 hour"}}),
    ("shiplane.dev/service", {"discovery": {"shiplane.dev/service": "other"}}),
    ("maxReplica", {"autoscaling": {"maxReplica": 3}}),
    ("intervalSeconds", {"metrics": {"intervalSeconds": "30s"}}),
    ("tier", {"tier": "gold"}),
    ("slo", {"slo": 90}),
    ("slo", {"slo": 100}),
    ("runbook", {"runbook": 'https://acme.example/"x"'}),
    ("minimumrate", {"alerts": {"minimumrate": 1}}),
    ("secretDelivery", {"secretDelivery": "both"}),
    ("maxUnavailable", {"disruption": {"maxUnavailable": 0}}),
]
WRONG_OF_A_SERVICE: list[tuple[str, dict[str, Any]]] = [
    ("called_by", {"called_by": ["a" * 41]}),
    ("arg", {"test": {"arg": []}}),
    ("DRAIN_SECONDS", {"env": {"DRAIN_SECONDS": "1"}}),
]


@pytest.mark.parametrize(("key", "values"), WRONG, ids=[json.dumps(values) for _, values in WRONG])
def test_a_wrong_value_is_refused_by_its_key(render: Render, key: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=key):
        render(values)


@pytest.mark.parametrize(("key", "values"), WRONG_OF_A_SERVICE, ids=[key for key, _ in WRONG_OF_A_SERVICE])
def test_a_wrong_value_of_a_service_is_refused(helm: Path, tmp_path: Path, key: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=key):
        objects(helm, tmp_path, values, chart=SERVICE)


IMAGES: list[tuple[str, dict[str, Any]]] = [
    ("tag", {**IMAGE, "tag": "latest"}),
    ("tag", {**IMAGE, "tag": ""}),
    ("tag", {"digest": IMAGE["digest"]}),
    ("digest", {**IMAGE, "digest": "sha256:12"}),
    ("digest", {**IMAGE, "digest": "sha512:" + "0" * 64}),
    ("digest", {**IMAGE, "digest": IMAGE["digest"].upper()}),
    ("digest", {**IMAGE, "digest": ""}),
    ("digest", {"tag": IMAGE["tag"]}),
    ("digest", {**IMAGE, "tagAlone": True, "digest": "sha256:12"}),
    ("tag", {"tagAlone": True}),
    ("tag", {"tagAlone": True, "tag": "latest"}),
]


@pytest.mark.parametrize("skip", [(), ("--skip-schema-validation",)], ids=["schema", "templates"])
@pytest.mark.parametrize(("key", "image"), IMAGES, ids=[json.dumps(image)[:60] for _, image in IMAGES])
def test_no_image_without_a_tag_and_a_digest(
    helm: Path, chart: Path, tmp_path: Path, key: str, image: dict[str, Any], skip: tuple[str, ...]
) -> None:
    release = tmp_path / "release.yaml"
    release.write_text(json.dumps({"image": image}))
    command = [str(helm), "template", "wallet", str(chart), "--values", str(release), *skip]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert re.search(rf"image\b.*\b{key}\b", done.stderr)


def test_a_tag_alone_is_taken_only_where_it_is_said(helm: Path, chart: Path, tmp_path: Path) -> None:
    values = tmp_path / "tag.yaml"
    values.write_text(json.dumps({"image": {"tag": IMAGE["tag"], "tagAlone": True}}))
    command = [str(helm), "template", "wallet", str(chart), "--values", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(re.findall(r"image: (.*)", done.stdout)) == {
        f'"123456789012.dkr.ecr.eu-west-1.amazonaws.com/service:{IMAGE["tag"]}"'
    }
    both = objects(helm, tmp_path, {"image": {"tagAlone": True}}, chart=chart)
    assert container(both)["image"].endswith(f"@{IMAGE['digest']}")


def test_nothing_that_it_renders_is_called_latest(render: Render) -> None:
    assert "latest" not in json.dumps(render())
