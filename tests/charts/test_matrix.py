"""The charts of every sort of service: each tier with each dependency, as Kubernetes and the operators take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import pytest
import yaml

from generator import helm as door
from tests.blueprints.rendered import Made, service
from tests.charts.golden import CUSTOM, SERVICE, WORKER, Render, objects
from tests.charts.test_service_chart import NEWEST, OLDEST
from tests.gitops.crds import CRDS, crd_errors

DEPENDENCIES: dict[str, list[str]] = {
    "none": [],
    **{each: [each] for each in ("postgres", "redis", "kafka", "s3")},
    "all": ["postgres", "redis", "kafka", "s3"],
}


EACH = [(SERVICE, tier, each) for tier in ("standard", "critical") for each in DEPENDENCIES]
SOME = [(WORKER, "standard", "all"), (WORKER, "critical", "none")]  # the same templates do the rest


def made(folder: Path, chart: Path, name: str = "wallet", **given: Any) -> Path:
    """The folder of a new service with this golden chart."""
    return service(folder, Made("python", "worker" if chart == WORKER else "http"), name, **given)


@pytest.mark.parametrize(
    ("chart", "tier", "dependencies"), EACH + SOME, ids=[f"{chart.name}-{a}-{b}" for chart, a, b in EACH + SOME]
)
def test_it_is_valid_and_lints(helm: Path, tmp_path: Path, chart: Path, tier: str, dependencies: str) -> None:
    chart = made(tmp_path, chart, tier=tier, dependencies=DEPENDENCIES[dependencies]) / "chart"
    for kubernetes in OLDEST, NEWEST:
        rendered = objects(helm, tmp_path, chart=chart, kubernetes=f"{kubernetes}.0")
        assert {"Deployment", "PodDisruptionBudget", "PrometheusRule"} <= rendered.keys()
        for each in rendered.values():
            if not each["apiVersion"].startswith(CUSTOM):
                kubernetes_validate.validate(each, kubernetes, strict=True)  # an unknown kind raises too
            elif CRDS.is_dir():  # test_the_operators_accept_every_object says so where it is not
                assert crd_errors(each) == []
    door.lint(helm, chart, [tmp_path / "release.yaml"])


def test_a_dependency_is_one_word_that_reaches_everything(helm: Path, chart: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"dependencies": DEPENDENCIES["all"], "data_cidrs": ["10.4.0.0/22"], "secrets": ["TOKEN"]}
    root = made(tmp_path, chart, **given)
    rendered = objects(helm, tmp_path, chart=root / "chart")
    names = {each["secretKey"] for each in rendered["ExternalSecret"]["spec"]["data"]}
    assert {"PGHOST", "PGPASSWORD", "REDIS_URL", "KAFKA_BROKERS", "S3_BUCKET", "TOKEN"} <= names
    assert rendered["ConfigMap"]["data"].items() >= {"PGSSLMODE": "verify-full", "AWS_REGION": "eu-west-1"}.items()
    ways = {
        (rule["to"][0]["ipBlock"]["cidr"], rule["ports"][0]["port"])
        for rule in rendered["NetworkPolicy"]["spec"]["egress"]
        if "ipBlock" in rule["to"][0]
    }
    assert ways == {*(("10.4.0.0/22", port) for port in (5432, 6379, 9096, 443)), ("169.254.170.23/32", 80)}
    (board,) = rendered["ConfigMap dashboard"]["data"].values()
    assert '"query": "kafka,postgres,redis,s3"' in board
    runbook, readme = (root / "docs" / "runbook.md").read_text(), (root / "README.md").read_text()
    for name in names:
        assert f"`{name}`" in readme
    for dependency in DEPENDENCIES["all"]:
        assert f"\n## Depends on {dependency}\n" in runbook


def test_without_a_dependency_nothing_speaks_of_one(helm: Path, chart: Path, tmp_path: Path) -> None:
    root = made(tmp_path, chart)
    rendered = objects(helm, tmp_path, chart=root / "chart")
    (board,) = rendered["ConfigMap dashboard"]["data"].values()
    assert "$dependency" not in board
    assert "Depends on" not in (root / "docs" / "runbook.md").read_text()
    values = yaml.safe_load((root / "chart" / "values.yaml").read_text())
    assert (values["dependencies"], values["secrets"], values["env"]) == ({}, [], {})


def differences(one: Any, other: Any, place: str = "") -> set[str]:
    """The places at which two values differ, a list's items by their number."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return {each for key in keys for each in differences(one.get(key), other.get(key), f"{place}.{key}")}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return {each for number, pair in pairs for each in differences(*pair, f"{place}.{number}")}
    return set() if one == other else {place}


def test_two_releases_differ_only_in_what_a_release_brings(render: Render) -> None:
    values = {
        "migration": {"enabled": True, "command": ["migrate"]},
        "dependencies": {"postgres": {"port": 5432, "cidrs": ["10.4.0.0/22"]}},
        "secrets": ["PGPASSWORD"],
    }
    image = {"tag": "4b" * 20, "digest": f"sha256:{'5c' * 32}"}
    one, other = render(values), render(values, image=image)
    version = "app.kubernetes.io/version"
    labels = {f".{name}.metadata.labels.{version}" for name in one}
    templates = {
        f".{name}.spec.template.{rest}"
        for name in {"Deployment", "Job migration", "Job test"} & one.keys()
        for rest in (f"metadata.labels.{version}", "spec.containers.0.image")
    }
    variables = {
        f".{name}.spec.template.spec.containers.0.env.{number}.value"
        for name in ("Deployment", "Job migration")
        for number, each in enumerate(one[name]["spec"]["template"]["spec"]["containers"][0]["env"])
        if each["name"] == "VERSION"
    }
    assert differences(one, other) == labels | templates | variables


def test_a_setting_changes_its_place_and_starts_new_pods(render: Render) -> None:
    one = render({"env": {"LIMIT": "1"}})
    other = render({"env": {"LIMIT": "2"}})
    checksum = ".Deployment.spec.template.metadata.annotations.checksum/config"
    assert differences(one, other) == {".ConfigMap.data.LIMIT", checksum}
