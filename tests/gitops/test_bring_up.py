"""What Argo CD makes of a new GitOps repository: the order in which it comes up, and what may run where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from generator import helm
from gitops.initial import ENVIRONMENTS
from tests.gitops import argocd
from tests.gitops.crds import ARGOCD_VERSIONS, CRDS, crd_errors
from tests.gitops.trees import new, populated

CLUSTERS = {f"eks-{environment}": f"https://{environment}.eks.example" for environment in ENVIRONMENTS}
ROOT = "bootstrap/root.yaml"
needs_crds = pytest.mark.skipif(not CRDS.is_dir(), reason="no CRDs beside the repository: ../shared/crds")


def applications(files: dict[str, bytes]) -> dict[str, argocd.Manifest]:
    found = argocd.bring_up(files, ROOT, CLUSTERS)
    return {each["metadata"]["name"]: each for each in found if each["kind"] == "Application"}


def manifests(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Every Application and AppProject of the populated tree, by path and kind."""
    folders = ("bootstrap/", "projects/", "apps/")
    return {
        f"{path} {document['kind']}": document
        for path, content in populated(files).items()
        if path.startswith(folders) and path.endswith(".yaml")
        for document in argocd.documents(content)
    }


def test_one_manifest_brings_everything_up_with_the_projects_first() -> None:
    found = argocd.bring_up(populated(new()), ROOT, CLUSTERS)
    by_hand = ["AppProject root", "Application root"]
    projects = [f"AppProject {name}" for name in ("bootstrap", "dev", "prod", "staging")]
    parents = [f"Application {name}-apps" for name in ("dev", "prod", "staging")]
    children = [f"Application wallet-{name}" for name in ("dev", "prod", "staging")]
    assert [f"{each['kind']} {each['metadata']['name']}" for each in found] == by_hand + projects + parents + children


def test_every_application_is_in_the_project_of_its_place() -> None:
    projects = {name: each["spec"]["project"] for name, each in applications(populated(new())).items()}
    parents = {f"{environment}-apps": "bootstrap" for environment in ENVIRONMENTS}
    children = {f"wallet-{environment}": environment for environment in ENVIRONMENTS}
    assert projects == {"root": "root", **parents, **children}


def test_a_repository_without_services_comes_up_too() -> None:
    assert set(applications(new())) == {"root", *(f"{environment}-apps" for environment in ENVIRONMENTS)}


@pytest.mark.parametrize(
    ("path", "old", "put", "said"),
    [
        ("projects/bootstrap.yaml", b'"-1"', b'"1"', "project bootstrap which does not exist"),
        ("apps/dev/wallet.yaml", b'project: "dev"', b'project: "prod"', "destination is not permitted"),
        ("apps/dev/wallet.yaml", b"eks-dev", b"eks-prod", "destination is not permitted"),
        ("apps/dev/wallet.yaml", b'namespace: "wallet"', b'namespace: "argocd"', "destination is not permitted"),
        ("apps/dev/wallet.yaml", b"acme/gitops", b"acme/other", "repository https://github.com/acme/other.git"),
        ("apps/dev/wallet.yaml", b"kind: Application", b"kind: AppProject", "AppProject is not permitted"),
        ("bootstrap/parents/dev.yaml", b"path: apps/dev", b"path: apps/none", "app path does not exist"),
    ],
)
def test_the_judge_of_these_tests_refuses_what_argo_cd_refuses(path: str, old: bytes, put: bytes, said: str) -> None:
    files = populated(new())
    assert old in files[path]
    with pytest.raises(argocd.Refused, match=said):
        argocd.bring_up({**files, path: files[path].replace(old, put)}, ROOT, CLUSTERS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    ("api", "kind", "cluster", "namespace", "allowed"),
    [
        ("apps/v1", "Deployment", "own", "wallet", True),
        ("v1", "Namespace", "own", "", True),
        ("external-secrets.io/v1", "ExternalSecret", "own", "wallet", True),
        ("apps/v1", "Deployment", "own", "argocd", False),
        ("v1", "ConfigMap", "own", "kube-system", False),
        ("v1", "ConfigMap", "own", "default", False),
        ("v1", "ConfigMap", "other", "wallet", False),
        ("v1", "Secret", "own", "wallet", False),
        ("argoproj.io/v1alpha1", "Application", "own", "wallet", False),
        ("argoproj.io/v1alpha1", "AppProject", "own", "argocd", False),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "own", "wallet", False),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "own", "", False),
    ],
)
def test_what_a_service_may_do(
    environment: str, api: str, kind: str, cluster: str, namespace: str, allowed: bool
) -> None:
    project = yaml.safe_load(new()[f"projects/{environment}.yaml"])
    name = f"eks-{environment}" if cluster == "own" else "eks-other"
    target = {"name": name, "server": f"https://{name}.example"}
    assert argocd.permits(project, {"apiVersion": api, "kind": kind}, target, namespace) is allowed


def test_a_namespace_cannot_be_denied_by_a_rule_of_its_own_where_the_cluster_is_given_by_name() -> None:
    """Why projects/ has one rule: in this more natural form argocd is open to every chart."""
    rules = [{"name": "eks-dev", "namespace": "*"}, {"name": "eks-dev", "namespace": "!argocd"}]
    target = {"name": "eks-dev", "server": "https://dev.example", "namespace": "argocd"}
    assert argocd.destination_permitted({"destinations": rules}, target)


def test_nothing_that_is_deleted_takes_running_services_with_it() -> None:
    found = applications(populated(new()))
    option = "argocd.argoproj.io/sync-options"
    confirmed = {name for name, each in found.items() if each["metadata"]["annotations"].get(option) == "Prune=confirm"}
    assert not [name for name, each in found.items() if "finalizers" in each["metadata"]]
    assert set(found) - confirmed == {"wallet-dev", "wallet-staging"}


@needs_crds
@pytest.mark.parametrize("version", ARGOCD_VERSIONS)
def test_argo_cds_own_schemas_take_every_manifest(version: str) -> None:
    found = manifests(new())
    assert len(found) == 12
    assert {name: errors for name, document in found.items() if (errors := crd_errors(document, version))} == {}


@needs_crds
@pytest.mark.parametrize("version", ARGOCD_VERSIONS)
def test_the_schemas_refuse_what_is_misspelled(version: str) -> None:
    application = manifests(new())["apps/dev/wallet.yaml Application"]
    application["spec"]["syncPolicy"]["automated"] = {"prune": True, "selfheal": True}
    application["spec"]["source"]["targetRevision"] = 1
    del application["spec"]["destination"]
    assert crd_errors(application, version) == [
        "$.spec.source.targetRevision: 1 is not of type 'string'",
        "$.spec.syncPolicy.automated: Additional properties are not allowed ('selfheal' was unexpected)",
        "$.spec: 'destination' is a required property",
    ]
    with pytest.raises(LookupError, match=r"no CRD serves argoproj\.io/v1beta1 Application"):
        crd_errors({**application, "apiVersion": "argoproj.io/v1beta1"}, version)


@pytest.mark.parametrize("chart", ["service", "worker"])
def test_every_kind_of_the_golden_charts_may_run_everywhere(tmp_path: Path, chart: str) -> None:
    found = helm.find()
    if found is None:
        pytest.skip("no helm on PATH: make test fetches one")
    files = populated(new())
    values = [tmp_path / "values.yaml", tmp_path / "release.yaml"]
    for path in values:
        path.write_bytes(files[f"environments/prod/wallet/{path.name}"])
    folder = Path(__file__).parents[2] / "charts" / chart
    text = helm.template(found, folder, release="wallet", namespace="wallet", values=values)
    rendered = list(argocd.documents(text))
    assert {each["kind"] for each in rendered} >= {"Deployment", "ServiceAccount", "NetworkPolicy"}
    for environment in ENVIRONMENTS:
        project = yaml.safe_load(files[f"projects/{environment}.yaml"])
        target = {"name": f"eks-{environment}", "server": CLUSTERS[f"eks-{environment}"]}
        assert [each["kind"] for each in rendered if not argocd.permits(project, each, target, "wallet")] == []
