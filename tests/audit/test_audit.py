"""The whole run: what is rendered, what it says, and its exit code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator import blueprint
from scripts.audit import subjects
from tests.charts.golden import CHART
from tests.conftest import ROOT, TOOLS

BASELINE = r"^helm create +(\d+)"


def audit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.audit", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the charts, and no blueprint."""
    if not (TOOLS / "checkov" / ".installed").exists():
        pytest.skip("checkov is not there: make audit sets it up")
    shutil.copytree(CHART.parent, tmp_path / "root" / "charts")
    return tmp_path / "root"


def test_a_chart_without_limits_fails(root: Path) -> None:
    template = root / "charts" / "service" / "templates" / "deployment.yaml"
    text = template.read_text()
    assert "{{- toYaml .Values.resources | nindent 12 }}" in text
    template.write_text(
        text.replace("{{- toYaml .Values.resources |", '{{- toYaml (omit .Values.resources "limits") |')
    )

    done = audit("--root", root)

    assert done.returncode == 1, done.stderr
    assert "finding: service: checkov: Deployment/service: CKV_K8S_13: Memory limits should be set\n" in done.stdout
    assert re.search(r"^audit: [1-9]\d* findings that are not listed", done.stdout, re.M)
    counted = re.search(BASELINE, done.stdout, re.M)
    assert counted is not None
    assert int(counted[1]) >= 20  # the baseline was judged by the same tools


def test_a_listed_finding_that_does_not_occur_fails(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()

    done = audit("--root", root)  # no chart and no service: the baseline alone is judged

    assert (done.returncode, "finding: " in done.stdout) == (1, False), done.stdout + done.stderr
    assert "listed, but does not occur: * answers: checkov: Deployment/*: CKV_K8S_35\n" in done.stdout


def test_a_mistake_is_told_in_a_sentence(root: Path) -> None:
    (root / "charts" / "service" / "templates" / "service.yaml").write_text("{{ fail `broken` }}")

    done = audit("--root", root)

    assert done.returncode == 1
    assert done.stderr.startswith("audit: service: helm template: ")
    assert "broken" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_chart_is_rendered_with_every_variant(helms: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("service", "worker"):
        shutil.copytree(CHART, tmp_path / "charts" / name)
    variants = tmp_path / "charts" / "worker" / "ci"
    variants.mkdir(exist_ok=True)
    (variants / "three.yaml").write_text("replicas: 3\nautoscaling: {enabled: false}\n")

    found = list(subjects.charts(tmp_path, helms, tmp_path / "work"))

    names = [each.subject for each in found]
    assert {"service", "worker", "worker ci/three"} <= set(names)
    assert len(names) == 2 * len(set(names))  # one each for the oldest and the newest Kubernetes: the helms agree
    three = [each.file.read_text() for each in found if each.subject == "worker ci/three"]
    assert all("\n  replicas: 3\n" in text for text in three)


def test_every_blueprint_is_generated_twice_and_its_secrets_in_both_ways(helm4: Path, tmp_path: Path) -> None:
    services = list(subjects.services(ROOT, tmp_path))
    rendered = {each.subject: each.file.read_text() for each in subjects.generated(services, [helm4], tmp_path)}

    made = [f"{name} {kind}" for name in blueprint.names() for kind in blueprint.load(name).kinds]
    assert {
        f"{each}{way}" for each in made for way in ("", " answers", " answers, secrets as files")
    } == rendered.keys()
    for each in made:
        assert "secretKeyRef" not in rendered[each]
        assert "secretKeyRef" in rendered[f"{each} answers"]
        assert "secretKeyRef" not in rendered[f"{each} answers, secrets as files"]
        assert "API_KEY_FILE" in rendered[f"{each} answers, secrets as files"]
