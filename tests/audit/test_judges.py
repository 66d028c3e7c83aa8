"""Each judge finds the fault that it is there for, and finds nothing without it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.audit import subjects
from scripts.audit.findings import AuditError, load, unlisted
from scripts.audit.judges import CHART_JUDGES, SERVICE_JUDGES, Bench
from scripts.audit.subjects import NEWEST, OLDEST, Manifests, Service
from tests.conftest import ROOT
from tests.gitops.crds import CRDS

Edit = Callable[[str], str]
WORKFLOW, DOCKERFILE = ".github/workflows/wallet.yaml", "Dockerfile"
IN_VENV = {"hadolint", "zizmor", "yamllint", "check-jsonschema"}


def need(bench: Bench, tool: str) -> None:
    """A skip where `make audit` has not set `tool` up."""
    if tool not in IN_VENV and tool not in bench.programs:
        pytest.skip(f"{tool} is not there: make audit sets it up")


def service(folder: Path, subject: str = "clean") -> Service:
    """A generated service of every default, in Python."""
    (folder / subject).mkdir()
    made = next(each for each in subjects.services(ROOT, folder / subject) if each.subject == "python http")
    return dataclasses.replace(made, subject=subject)


@pytest.fixture
def rendered(helm4: Path, tmp_path: Path) -> list[Manifests]:
    """The golden chart by its own values, for both versions of Kubernetes."""
    return [each for each in subjects.charts(ROOT, [helm4], tmp_path) if each.subject == "service"]


def replace(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


def drop(pattern: str) -> Edit:
    def edit(text: str) -> str:
        assert re.search(pattern, text)
        return re.sub(pattern, "", text)

    return edit


def add(line: str) -> Edit:
    return lambda text: f"{text}{line}\n"


UNPINNED = drop(r":\S+(?= AS base\n)")
NO_LIMITS = drop(r"\n +limits:(\n {14}.*)+")
SERVICE_FAULTS: dict[str, list[tuple[str, str, Edit]]] = {
    "checkov": [
        ("CKV_DOCKER_3", DOCKERFILE, replace("USER 10001:10001\n", "")),
        ("CKV_DOCKER_7", DOCKERFILE, UNPINNED),
        (
            "CKV_DOCKER_2",
            DOCKERFILE,
            lambda text: drop(r"HEALTHCHECK.*\\\n.*")(f"# checkov:skip=CKV_DOCKER_2: no\n{text}"),
        ),
        ("CKV_GHA_1", WORKFLOW, replace("\n    env:\n", "\n    env:\n      ACTIONS_ALLOW_UNSECURE_COMMANDS: true\n")),
        (
            "CKV2_GHA_1",
            WORKFLOW,
            lambda text: text.replace("\npermissions: {}\n", "\npermissions: write-all\nnew: key\n"),
        ),
        ("CKV2_GHA_1", WORKFLOW, replace("\npermissions: {}\n", "\npermissions: write-all\n")),
    ],
    "hadolint": [("DL3006", DOCKERFILE, UNPINNED), ("DL1000", DOCKERFILE, add("FRO x"))],
    "zizmor": [("artipacked", WORKFLOW, replace("persist-credentials: false", "persist-credentials: true"))],
    "actionlint": [
        ("job-needs", WORKFLOW, replace("needs: publish\n", "needs: publis\n")),
        ("shellcheck", WORKFLOW, replace("        run: |\n", "        run: |\n          ls $HOME\n")),
    ],
    "check-jsonschema": [
        ("schema", WORKFLOW, replace("    runs-on: ubuntu-24.04\n", "")),
        ("schema", WORKFLOW, add("x: [")),
    ],
    "yamllint": [
        ("trailing-spaces", "chart/values.yaml", replace("env: {}\n", "env: {} \n")),
        ("syntax", "chart/Chart.yaml", add("x: [")),
    ],
}
CHART_FAULTS: dict[str, list[tuple[str, Edit]]] = {
    "checkov": [
        ("CKV_K8S_13", NO_LIMITS),
        ("CKV2_K8S_6", replace("kind: NetworkPolicy", "kind: NoNetworkPolicy")),
    ],
    "kube-score": [
        ("container-resources", NO_LIMITS),
        ("container-seccomp-profile", drop(r"\n +seccompProfile:\n.*")),
    ],
    "kubeconform": [
        (f"schema-{OLDEST}", replace("revisionHistoryLimit:", "revisionsKept:")),
        (f"schema-{NEWEST}", replace("kind: PodDisruptionBudget", "kind: PodInterruptionBudget")),
    ],
}


def test_every_judge_has_its_fault() -> None:
    assert (SERVICE_FAULTS.keys(), CHART_FAULTS.keys()) == (SERVICE_JUDGES.keys(), CHART_JUDGES.keys())


@pytest.mark.parametrize("tool", SERVICE_JUDGES)
def test_the_faults_in_services_are_found_and_nothing_else_is(bench: Bench, tmp_path: Path, tool: str) -> None:
    need(bench, tool)
    services, planted = [service(tmp_path)], {}
    for number, (check, path, edit) in enumerate(SERVICE_FAULTS[tool]):
        faulty = service(tmp_path, f"fault {number}")
        (faulty.root / path).write_text(edit((faulty.root / path).read_text()))
        services.append(faulty)
        planted[faulty.subject] = (tool, check)

    found = list(SERVICE_JUDGES[tool](bench, services))

    assert {each.subject for each in found} == planted.keys()
    assert planted.items() <= {(each.subject, (each.tool, each.check)) for each in found}


@pytest.mark.parametrize("tool", CHART_JUDGES)
def test_the_faults_in_manifests_are_found_and_nothing_else_is(
    bench: Bench, rendered: list[Manifests], tmp_path: Path, tool: str
) -> None:
    need(bench, tool)
    assert [each.kubernetes for each in rendered] == [OLDEST, NEWEST]
    judged, planted = list(rendered), {}
    for number, (check, edit) in enumerate(CHART_FAULTS[tool]):
        subject = f"fault {number}"
        for each in rendered:
            file = tmp_path / f"{subject} {each.kubernetes}" / "manifests.yaml"
            file.parent.mkdir()
            file.write_text(edit(each.file.read_text()))
            judged.append(Manifests(subject, each.kubernetes, file))
        planted[subject] = (tool, check)

    found = unlisted(CHART_JUDGES[tool](bench, judged), load())

    assert {each.subject for each in found} == planted.keys()
    assert planted.items() <= {(each.subject, (each.tool, each.check)) for each in found}
    assert all(re.fullmatch(r"[A-Z]\w+/service(-\w+)?", each.where) for each in found), found


def test_a_fault_in_a_custom_resource_is_found(bench: Bench, rendered: list[Manifests]) -> None:
    need(bench, "kubeconform")
    if not CRDS.is_dir():
        pytest.skip(f"the CRDs are not in {CRDS}")
    for each in rendered:
        each.file.write_text(replace("scrapeTimeout:", "scrapeTimeOut:")(each.file.read_text()))

    found = list(CHART_JUDGES["kubeconform"](bench, rendered))

    assert {(each.check, each.where) for each in found} == {
        (f"schema-{version}", "ServiceMonitor/service") for version in (OLDEST, NEWEST)
    }
    assert bench.notes == set()


def test_what_cannot_be_judged_is_no_pass(bench: Bench, tmp_path: Path) -> None:
    empty = service(tmp_path)
    (empty.root / DOCKERFILE).unlink()
    with pytest.raises(AuditError, match="hadolint"):
        list(SERVICE_JUDGES["hadolint"](bench, [empty]))
    (empty.root / WORKFLOW).unlink()
    with pytest.raises(AuditError, match="no workflow"):
        list(SERVICE_JUDGES["zizmor"](bench, [empty]))


def test_what_checkov_silently_passes_over_is_no_pass(bench: Bench, tmp_path: Path) -> None:
    need(bench, "checkov")
    broken = service(tmp_path)
    (broken.root / WORKFLOW).write_text(add("x: [")((broken.root / WORKFLOW).read_text()))

    with pytest.raises(AuditError, match=r"^clean \(github_actions\): checkov made no check"):
        list(SERVICE_JUDGES["checkov"](bench, [broken]))
