"""`gitops check` over files, folders, charts and standard input: what is said, where, and how it ends."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import ShiplaneError
from gitops.check import report
from gitops.policy import judge
from gitops.policy.finding import Finding, Place
from gitops.policy.reading import read
from tests.charts.golden import CHART
from tests.gitops import story
from tests.gitops.manifests import IMAGE, put, service
from tests.gitops.story import Done

GOOD = yaml.safe_dump_all(service().values())
BAD = """\
apiVersion: v1
kind: Pod
metadata: {name: wallet, namespace: wallet}
spec:
  containers:
    - name: a
      image: wallet:latest
"""
TINY = {
    "Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 0.1.0\n",
    "templates/pod.yaml": BAD.replace("wallet:latest", "{{ .Values.image }}"),
    "values.yaml": "image: wallet:latest\n",
}


def laid(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def check(*arguments: object) -> Done:
    return story.gitops("check", *map(str, arguments))


def items(done: Done) -> list[dict[str, Any]]:
    said = json.loads(done.stdout)
    assert said["schema"] == "shiplane/findings/1"
    found: list[dict[str, Any]] = said["items"]
    return found


def piped(text: str | bytes, *arguments: str) -> Done:
    command = [sys.executable, "-c", "from gitops.commands.gitops import run; raise SystemExit(run())", "check", "-"]
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run([*command, *arguments], input=data, capture_output=True, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


# ---- how it ends


def test_nothing_found_is_success_and_says_how_much_was_judged(tmp_path: Path) -> None:
    done = check(laid(tmp_path, {"all.yaml": GOOD}))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "· 5 objects judged: 0 errors, 0 warnings\n"


def test_an_error_ends_with_one(tmp_path: Path) -> None:
    done = check(laid(tmp_path, {"bad.yaml": BAD}))

    assert done.returncode == 1
    assert "image-latest: container a: its image has the tag latest" in done.stdout
    assert f"at {tmp_path}/bad.yaml:7: spec.containers[0].image" in done.stdout
    assert "fix: name the release: its full commit SHA as the tag" in done.stdout


def test_a_warning_alone_ends_with_zero(tmp_path: Path) -> None:
    objects = service()
    del objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    done = check(laid(tmp_path, {"all.yaml": yaml.safe_dump_all(objects.values())}))

    assert done.returncode == 0
    assert "warning  cpu-limit" in done.stdout
    assert done.stderr.endswith("0 errors, 1 warning\n")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no Kubernetes object, so there is nothing to judge"),
        ({"README.md": "x"}, "holds no Kubernetes object"),
        ({"values.yaml": "replicas: 2\n", "b/c.json": '{"a": 1}'}, "holds no Kubernetes object"),
        ({".git/config.yaml": BAD}, "holds no Kubernetes object"),
        ({"kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"}, "holds no"),
    ],
)
def test_nothing_to_judge_is_an_error_that_says_so(tmp_path: Path, files: dict[str, str], told: str) -> None:
    done = check(laid(tmp_path, files))

    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {tmp_path}: {told}" in done.stderr


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    done = check(tmp_path / "nowhere")

    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere: is not there" in done.stderr


def test_a_format_that_there_is_not() -> None:
    assert check("--format", "xml").returncode == 2


# ---- what is read


def test_all_manifests_below_a_folder_are_judged_together(tmp_path: Path) -> None:
    """A Deployment's policy may lie in another file; what is no manifest is counted, and passed over."""
    objects = service()
    files = {f"{kind}/one.yml": yaml.safe_dump(each) for kind, each in objects.items()}
    files["more.json"] = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    done = check(laid(tmp_path, {**files, "values.yaml": "a: 1\n", "notes.txt": "x"}))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "· files that hold no Kubernetes object: 1",
        "· 6 objects judged: 0 errors, 0 warnings",
    ]


def test_one_file(tmp_path: Path) -> None:
    laid(tmp_path, {"bad.yaml": BAD, "good.yaml": GOOD})

    assert check(tmp_path / "good.yaml").returncode == 0
    assert check(tmp_path / "bad.yaml").returncode == 1


def test_here_is_judged_where_no_path_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(laid(tmp_path, {"sub/bad.yaml": BAD}))
    done = check()

    assert "at sub/bad.yaml:7: " in done.stdout


def test_standard_input() -> None:
    done = piped(BAD, "--format", "json")

    assert done.returncode == 1
    assert {each["file"] for each in items(done)} == {"(standard input)"}
    assert piped(GOOD).returncode == 0


@pytest.mark.parametrize("text", ["", "a: 1\n", "null", "[]"])
def test_nothing_on_standard_input_is_an_error(text: str) -> None:
    done = piped(text)

    assert (done.returncode, done.stdout) == (1, "")
    assert "(standard input): holds no Kubernetes object" in done.stderr


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a: [1\n", 2, "is not YAML"),
        (f"{BAD}kind: Job\n", 8, "kind stands here twice"),
        ("apiVersion: v1\nkind: [a]\n", 2, "its kind is no text"),
        ("a:\n\tb: c\n", 2, "is not YAML"),
        ("a: \0\n", 1, "holds the control character"),
        ("a: " + "[" * 5000, 1, "is nested deeper than 100 levels"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_file_and_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    """Beside it everything else is judged: one broken file hides no other."""
    done = check(laid(tmp_path, {"a.yaml": BAD, "broken.yaml": text}), "--format", "json")
    (broken,) = [each for each in items(done) if each["rule"] == "readable"]

    assert done.returncode == 1
    assert (broken["file"], broken["line"]) == (f"{tmp_path}/broken.yaml", line)
    assert told in broken["message"]
    assert "image-latest" in {each["rule"] for each in items(done)}


def test_a_broken_file_alone_is_no_success(tmp_path: Path) -> None:
    assert check(laid(tmp_path, {"broken.yaml": "a: [1\n"})).returncode == 1
    assert check(tmp_path / "broken.yaml").returncode == 1
    assert piped("a: [1\n").returncode == 1


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "large"])
def test_what_is_no_plain_file_is_not_followed_and_not_left_out(tmp_path: Path, kind: str) -> None:
    outside = laid(tmp_path, {"outside/secret.yaml": BAD, "in/good.yaml": GOOD}) / "in" / "x.yaml"
    if kind == "pipe":
        os.mkfifo(outside)
    elif kind == "large":
        outside.write_bytes(b"a: 1\n" * 2_000_000)
    else:
        outside.symlink_to(tmp_path / "outside" / "secret.yaml" if kind == "link" else "nowhere")
    done = check(tmp_path / "in", "--format", "json")
    (found,) = items(done)

    assert done.returncode == 1
    assert (found["rule"], found["file"]) == ("readable", f"{tmp_path}/in/x.yaml")


def test_a_folder_behind_a_link_is_not_entered(tmp_path: Path) -> None:
    laid(tmp_path, {"in/good.yaml": GOOD, "out/bad.yaml": BAD})
    (tmp_path / "in" / "round").symlink_to(tmp_path)

    assert check(tmp_path / "in").returncode == 0


def test_a_kustomization_is_named(tmp_path: Path) -> None:
    done = check(laid(tmp_path, {"all.yaml": GOOD, "kustomization.yaml": "resources: [all.yaml]\n"}))

    assert "its patches are judged as they stand; to judge what it builds, pipe that in: -" in done.stderr


# ---- charts


def test_a_chart_is_rendered_with_its_own_values(tmp_path: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    chart = {**TINY, "Chart.yaml": TINY["Chart.yaml"].replace("tiny", "Tiny_One")}  # no name for a release
    done = check(laid(tmp_path, {f"deploy/tiny/{path}": text for path, text in chart.items()}), "--format", "json")
    latest = next(each for each in items(done) if each["rule"] == "image-latest")

    assert done.returncode == 1
    assert (latest["file"], latest["line"]) == (f"{tmp_path}/deploy/tiny/templates/pod.yaml", None)
    assert {each["rule"] for each in items(done)} >= {"own-namespace"}  # it is not the release's


def test_a_chart_may_be_a_repository_of_its_own(tmp_path: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    monkeypatch.chdir(laid(tmp_path, {**TINY, ".git/config": "[core]\n"}))
    done = check()

    assert "image-latest" in done.stdout
    assert "carried-tree" not in done.stdout
    assert "at templates/pod.yaml" in done.stdout


def test_its_templates_are_not_taken_for_manifests(
    tmp_path: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    chart = {**TINY, "templates/pod.yaml": "{{ if .Values.on }}\n{{ end }}\n" + GOOD.replace("wallet", "tiny")}
    done = check(laid(tmp_path, chart))

    assert (done.returncode, done.stdout) == (0, ""), done
    assert "5 objects judged" in done.stderr


def test_the_golden_chart_is_judged_with_a_release_of_zeros(helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release brings its own image, so that the chart alone refuses to render."""
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    done = check(CHART)

    assert (done.returncode, done.stdout) == (0, "")
    assert "rendered with a release, image.tag and image.digest, of zeros" in done.stderr


@pytest.mark.parametrize(
    ("changes", "rule", "told"),
    [
        ({"templates/pod.yaml": "{{ fail `no way` }}"}, "renders", "no way"),
        ({"templates/pod.yaml": "a: b: c\n"}, "renders", "pod.yaml"),
        ({"templates/pod.yaml": f"{BAD}kind: Job\n"}, "renders", "kind stands here twice"),
        ({"templates/pod.yaml": ""}, "renders", "renders no object, so there is nothing to judge"),
        ({"Chart.yaml": "name: tiny\n"}, "carried-tree", "is required"),
        ({"Chart.yaml": "a: [\n"}, "carried-tree", "is not YAML"),
        ({".argocd-source.yaml": "x: 1\n"}, "carried-tree", "Argo CD would take its own settings from it"),
    ],
)
def test_a_broken_chart_is_an_error_that_names_it(
    tmp_path: Path,
    helm4: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    rule: str,
    told: str,
) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    done = check(laid(tmp_path / "tiny", {**TINY, **changes}), "--format", "json")

    assert done.returncode == 1
    assert [each["rule"] for each in items(done)] == [rule]
    assert told in items(done)[0]["message"]
    assert items(done)[0]["file"].startswith(f"{tmp_path}/tiny")


def test_a_link_in_a_chart_is_not_followed(tmp_path: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    laid(tmp_path, {"secret.yaml": BAD, **{f"tiny/{path}": text for path, text in TINY.items()}})
    (tmp_path / "tiny" / "templates" / "b.yaml").symlink_to("../../secret.yaml")
    done = check(tmp_path / "tiny", "--format", "json")

    assert [each["rule"] for each in items(done)] == ["carried-tree"]


def test_without_helm_a_chart_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(tmp_path / "none"))
    done = check(laid(tmp_path / "tiny", TINY))

    assert done.returncode == 1
    assert "helm" in done.stdout + done.stderr
    assert "not found" in done.stdout + done.stderr


# ---- how it is told


def test_people_read_it_by_object_errors_first(tmp_path: Path) -> None:
    objects = service()
    put(objects["Deployment"], "spec.template.spec.containers.0.image", "wallet:1")
    del objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    other = copy.deepcopy(objects["Deployment"])
    put(other, "metadata.name", "another")
    put(other, "spec.template.spec.containers.0.image", IMAGE)
    text = yaml.safe_dump_all([other, *objects.values()])
    image = text.splitlines().index("      - image: wallet:1") + 1
    first, second = (number for number, line in enumerate(text.splitlines(), 1) if line == "          limits:")

    assert report.text(judge(read(text.encode(), "all.yaml"))).splitlines() == [
        "Deployment/wallet",
        "  error    image-digest: container service: its image has no digest: wallet:1",
        f"           at all.yaml:{image}: spec.template.spec.containers[0].image",
        "           fix: name it by its digest: repository:tag@sha256:...",
        "  warning  cpu-limit: container service: has no limit of cpu",
        f"           at all.yaml:{second}: spec.template.spec.containers[0].resources.limits",
        "           fix: set resources.limits.cpu well above its request",
        "",
        "Deployment/another",
        "  warning  cpu-limit: container service: has no limit of cpu",
        f"           at all.yaml:{first}: spec.template.spec.containers[0].resources.limits",
        "           fix: set resources.limits.cpu well above its request",
    ]


def finding(message: str = "m", environment: str = "", file: str = "", line: int = 0) -> Finding:
    place = Place("Pod", "ns", "wallet", "a", "spec", file, line, "wallet" if environment else "", environment)
    return Finding("image-latest", "error", place, message, "f")


def test_what_is_the_same_in_several_environments_is_told_once() -> None:
    found = [
        finding(environment="dev", file="environments/dev/wallet/chart/templates/pod.yaml"),
        finding(environment="prod", file="environments/prod/wallet/chart/templates/pod.yaml"),
        finding("other", environment="prod", file="environments/prod/wallet/chart/templates/pod.yaml"),
    ]

    assert [line for line in report.text(found).splitlines() if not line.startswith(" ")] == [
        "Pod/wallet (wallet in dev, prod)",
        "",
        "Pod/wallet (wallet in prod)",
    ]
    assert len(report.items(found)) == 3


def test_programs_read_all_of_it(tmp_path: Path) -> None:
    (found,) = [each for each in items(piped(BAD, "--format", "json")) if each["rule"] == "image-latest"]

    assert found == {
        "rule": "image-latest",
        "severity": "error",
        "service": None,
        "environment": None,
        "kind": "Pod",
        "namespace": "wallet",
        "name": "wallet",
        "container": "a",
        "field": "spec.containers[0].image",
        "file": "(standard input)",
        "line": 7,
        "message": "its image has the tag latest",
        "fix": "name the release: its full commit SHA as the tag",
        "reason": "`latest`, which is also what no tag means, is another image tomorrow: "
        "nobody can say what ran, or go back.",
    }
    assert items(piped(GOOD, "--format", "json")) == []


def test_github_annotates_the_file() -> None:
    assert report.github([finding(file="k8s/pod.yaml", line=7, environment="dev")]) == (
        "::error file=k8s/pod.yaml,line=7,title=image-latest::Pod/wallet container a (wallet in dev): m. Fix: f"
    )


def test_what_github_would_take_for_its_own_is_escaped() -> None:
    """A file name or a message cannot end the command, start another, or add a property."""
    said = report.github([finding("100%\n::add-mask::x\r\n", file="a,title=x::y%0A.yaml", line=1)])

    assert "\n" not in said
    assert said == (
        "::error file=a%2Ctitle=x%3A%3Ay%250A.yaml,line=1,title=image-latest::"
        "Pod/wallet container a: 100%25%0A::add-mask::x\\r%0A. Fix: f"
    )


def test_a_folder_deeper_than_anybody_makes_it(tmp_path: Path) -> None:
    folders = [tmp_path / "a"]
    while len(folders) < 1200:
        folders.append(folders[-1] / "a")
    for folder in folders:
        folder.mkdir()
    (folders[-1] / "x.yaml").write_text(BAD)
    try:
        assert check(tmp_path).returncode == 1
    finally:
        (folders[-1] / "x.yaml").unlink()
        for folder in reversed(folders):  # whoever cleans up after tests would not get down there
            folder.rmdir()


def test_a_file_with_an_odd_name_keeps_to_its_line(tmp_path: Path) -> None:
    laid(tmp_path, {"a\n::error::b.yaml": BAD})
    for form in ("text", "github", "json"):
        done = check(tmp_path, "--format", form)
        assert done.returncode == 1
        assert not re.search(r"^::error::b", done.stdout, re.MULTILINE)


def test_every_line_for_github_is_a_command(tmp_path: Path) -> None:
    done = piped(BAD + "---\na: 1\n", "--format", "github")

    assert done.stdout
    assert all(re.match(r"::(error|warning) file=", line) for line in done.stdout.splitlines())
    assert piped(GOOD, "--format", "github").stdout == ""


def test_no_value_of_a_secret_is_told(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2" * 10
    secret = "apiVersion: v1\nkind: Secret\nstringData: {a: hunter22}\n"
    text = f"{BAD}      env: [{{name: X, value: {token}}}]\n---\n{secret}"
    for form in ("text", "github", "json"):
        done = piped(text, "--format", form)
        assert "plaintext-secret" in done.stdout
        assert "secret-object" in done.stdout
        assert token not in done.stdout + done.stderr
        assert "hunter22" not in done.stdout + done.stderr


def test_a_refusal_is_no_finding() -> None:
    with pytest.raises(ShiplaneError):
        read(b"a: [", "x.yaml")
