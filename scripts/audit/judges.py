"""Which tool runs on what, and how: one function a tool, each a line in one of the two tables at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.audit import answered, schemas
from scripts.audit.answered import Failed
from scripts.audit.findings import AuditError, Finding
from scripts.audit.subjects import Manifests, Service
from tests.blueprints.rendered import YAMLLINT

_BIN = Path(sys.executable).parent
_RUNNER = Path(__file__).with_name("checkov_runner.py")
_OPTIONAL = ("container-seccomp-profile", "container-ports-check")
"""kube-score's optional checks that are on; the others ask for limits that are no higher than the requests."""


@dataclass(frozen=True)
class Bench:
    """What the judges work with: programs by name, a folder for what they need, and a place to note what they left."""

    programs: Mapping[str, Path]
    work: Path
    notes: set[str] = field(default_factory=set)


def _said(*command: str | Path, stdin: str = "", codes: Sequence[int] = (0, 1)) -> str:
    """What a tool says on stdout; AuditError where it ends with none of `codes`: it judged nothing then."""
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise AuditError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def _checkov(bench: Bench, folders: Sequence[tuple[str, str, Path]]) -> Iterator[Finding]:
    """Each folder, as (subject, framework, folder)."""
    asked = json.dumps([(framework, str(folder)) for _, framework, folder in folders])
    said = _said(bench.programs["checkov"], "-I", _RUNNER, stdin=asked, codes=(0,))
    judged = [f"{subject} ({framework})" for subject, framework, _ in folders]
    for (subject, _, _), failed in zip(folders, answered.checkov(said, judged), strict=True):
        yield from _findings(subject, "checkov", failed)


def checkov_manifests(bench: Bench, rendered: Sequence[Manifests]) -> Iterator[Finding]:
    """All its checks for Kubernetes."""
    yield from _checkov(bench, [(each.subject, "kubernetes", each.file.parent) for each in rendered])


def checkov_service(bench: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """All its checks for Dockerfiles and for workflows."""
    folders = [(each.subject, kind, each.root) for each in services for kind in ("dockerfile", "github_actions")]
    yield from _checkov(bench, folders)


def kube_score(bench: Bench, rendered: Sequence[Manifests]) -> Iterator[Finding]:
    """All checks that are on by default, and _OPTIONAL; no annotation turns one off."""
    for each in rendered:
        options = ["--disable-ignore-checks-annotations", "--kubernetes-version", f"v{each.kubernetes}"]
        options += [f"--enable-optional-test={name}" for name in _OPTIONAL]
        said = _said(bench.programs["kube-score"], "score", *options, "--output-format", "json", each.file)
        yield from _findings(each.subject, "kube-score", answered.kube_score(said))


def kubeconform(bench: Bench, rendered: Sequence[Manifests]) -> Iterator[Finding]:
    """Strict, by the schemas of the version of Kubernetes and of the CRDs; without these, custom kinds are left out."""
    for each in rendered:
        folder = bench.work / "schemas" / each.kubernetes
        without = schemas.write(each.file, each.kubernetes, folder)
        bench.notes.update(f"kubeconform, {kind}: no CRDs in ../shared/crds" for kind in without)
        said = _said(
            bench.programs["kubeconform"],
            *("-strict", "-verbose", "-output", "json", "-kubernetes-version", f"{each.kubernetes}.0"),
            *("-schema-location", folder / schemas.LOCATION, "-skip", ",".join(sorted(without))),
            each.file,
        )
        yield from _findings(each.subject, "kubeconform", answered.kubeconform(said, each.kubernetes))


def hadolint(_: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """The Dockerfile; no comment in it turns a rule off."""
    for each in services:
        said = _said(_BIN / "hadolint", "--disable-ignore-pragma", "--format", "json", each.root / "Dockerfile")
        yield from _findings(each.subject, "hadolint", answered.hadolint(said))


def zizmor(_: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """The workflows, as the strictest persona; offline, so that four audits that ask GitHub are left out."""
    options = ("--offline", "--no-progress", "--no-ignores", "--no-exit-codes", "--persona=auditor", "--format=json-v1")
    for each, workflow in _each_workflow(services):
        said = _said(_BIN / "zizmor", *options, workflow)
        yield from _findings(each.subject, "zizmor", answered.zizmor(said, workflow.name))


def actionlint(bench: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """The workflows, their scripts by shellcheck too."""
    options = ("-format", "{{json .}}", "-pyflakes", "", "-shellcheck", bench.programs["shellcheck"])
    for each, workflow in _each_workflow(services):
        said = _said(bench.programs["actionlint"], *options, workflow)
        yield from _findings(each.subject, "actionlint", answered.actionlint(said, workflow.name))


def check_jsonschema(_: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """The workflows, by GitHub's schema."""
    options = ("--builtin-schema", "vendor.github-workflows", "--output-format", "json")
    for each, workflow in _each_workflow(services):
        said = _said(_BIN / "check-jsonschema", *options, workflow)
        yield from _findings(each.subject, "check-jsonschema", answered.check_jsonschema(said, workflow.name))


def yamllint(_: Bench, services: Sequence[Service]) -> Iterator[Finding]:
    """All YAML but the chart's templates, which are none yet."""
    for each in services:
        paths = sorted(path.relative_to(each.root) for path in each.root.rglob("*.y*ml"))
        files = [each.root / path for path in paths if "templates" not in path.parts]
        said = _said(_BIN / "yamllint", "--strict", "-d", YAMLLINT, "-f", "parsable", *files, codes=(0, 1, 2))
        yield from _findings(each.subject, "yamllint", answered.yamllint(said, each.root))


def _each_workflow(services: Sequence[Service]) -> Iterator[tuple[Service, Path]]:
    return ((each, workflow) for each in services for workflow in _workflows(each))


def _workflows(service: Service) -> list[Path]:
    """Never none: a judge of nothing would pass."""
    found = sorted((service.root / ".github" / "workflows").glob("*.y*ml"))
    if not found:
        raise AuditError(f"{service.subject}: there is no workflow to judge")
    return found


def _findings(subject: str, tool: str, failed: Sequence[Failed]) -> Iterator[Finding]:
    for check, where, message in failed:
        yield Finding(subject, tool, check, where, " ".join(message.split()))


CHART_JUDGES: Mapping[str, Callable[[Bench, Sequence[Manifests]], Iterator[Finding]]] = {
    "checkov": checkov_manifests,
    "kube-score": kube_score,
    "kubeconform": kubeconform,
}
"""By tool, what is done with rendered manifests; the baseline's too."""
SERVICE_JUDGES: Mapping[str, Callable[[Bench, Sequence[Service]], Iterator[Finding]]] = {
    "checkov": checkov_service,
    "hadolint": hadolint,
    "zizmor": zizmor,
    "actionlint": actionlint,
    "yamllint": yamllint,
    "check-jsonschema": check_jsonschema,
}
"""By tool, what is done with a generated repository."""
