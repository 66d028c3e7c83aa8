"""What is proved before anything is placed: the defaults and each variant of the chart, and that no secret is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from generator import blueprint
from generator.errors import ShiplaneError
from generator.proof import prove
from generator.render import render
from generator.tree import PLAIN, File, Tree
from tests.generator.conftest import Run
from tests.generator.trees import build, build_layer

RANDOM = hashlib.sha256(b"a stand-in for chance").hexdigest()
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: wallet\nversion: 0.1.0\nicon: file://icon.png\n",
    "chart/values.yaml": "tier: standard\nimage: {}\n",
    "chart/templates/a.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
        'data:\n  tier: {{ required "a tier" .Values.tier }}\n  tag: {{ required "a tag" .Values.image.tag | quote }}\n'
    ),
    "chart/values.schema.json": json.dumps(
        {
            "additionalProperties": False,
            "properties": {"tier": {"enum": ["standard", "critical"]}, "image": {"type": "object"}},
        }
    ),
}


def tree(files: dict[str, str]) -> Tree:
    return {path: File(PLAIN, text.encode()) for path, text in files.items()}


def told(files: dict[str, str], variants: dict[str, str]) -> list[str]:
    with pytest.raises(ShiplaneError) as caught:
        prove(tree(files), "wallet", tree(variants))
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture(params=[3, 4])
def helm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(request.getfixturevalue(f"helm{request.param}")))


@pytest.mark.parametrize(
    ("variants", "render"),
    [
        ({}, "render"),
        ({"critical.yaml": "tier: critical\n"}, "render with 1 variant"),
        ({"critical.yaml": "tier: critical\n", "empty.yaml": "# nothing\n"}, "render with 2 variants"),
    ],
)
@pytest.mark.usefixtures("helm")
def test_what_was_proved_is_said(variants: dict[str, str], render: str) -> None:
    proof = prove(tree(CHART), "wallet", tree(variants))

    assert (proof.checks, proof.missing) == (("helm lint", render, "schema", "secrets scan"), "")
    assert str(proof) == f"proved: helm lint, {render}, schema, secrets scan"


@pytest.mark.usefixtures("helm")
def test_a_schema_that_is_not_there_is_not_claimed() -> None:
    files = {path: text for path, text in CHART.items() if path != "chart/values.schema.json"}

    assert prove(tree(files), "wallet").checks == ("helm lint", "render", "secrets scan")


@pytest.mark.usefixtures("helm")
def test_every_variant_that_fails_is_told_in_order() -> None:
    variants = {"b.yaml": "tier: glod\n", "a.yaml": "tire: critical\n", "c.yaml": "tier: critical\n", "d.yaml": "[x"}

    first, second, third = told(CHART, variants)

    assert first.startswith("helm lint with ci/a.yaml: ")
    assert "tire" in first
    assert second.startswith("helm lint with ci/b.yaml: ")
    assert "tier" in second
    assert third.startswith("helm lint with ci/d.yaml: ")
    assert "Kubernetes configuration file" not in first + second + third  # helm 3 warns of what it may not read


@pytest.mark.usefixtures("helm")
def test_defaults_that_fail_are_told_once_and_not_for_each_variant() -> None:
    files = {**CHART, "chart/templates/a.yaml": '{{ fail "needs a peer" }}\n'}

    (problem,) = told(files, {"a.yaml": "{}", "b.yaml": "{}"})

    assert "needs a peer" in problem
    assert "ci/" not in problem


@pytest.mark.usefixtures("helm")
def test_a_variant_may_show_a_template_s_own_refusal() -> None:
    files = {**CHART, "chart/templates/b.yaml": '{{ if eq .Values.tier "critical" }}{{ fail "no peer" }}{{ end }}\n'}

    (problem,) = told(files, {"critical.yaml": "tier: critical\n"})

    assert "with ci/critical.yaml: " in problem
    assert "no peer" in problem


@pytest.mark.usefixtures("helm")
def test_variants_inside_the_service_s_chart_are_proved_too() -> None:
    (problem,) = told({**CHART, "chart/ci/mine.yaml": "tier: glod\n"}, {})

    assert problem.startswith("helm lint with ci/mine.yaml: ")


@pytest.mark.usefixtures("helm")
def test_what_only_helm_puts_together_is_scanned_and_not_repeated() -> None:
    halves = f'password: {{{{ printf "%s%s" "{RANDOM[:20]}" "{RANDOM[20:]}" }}}}\n'
    files = {
        **CHART,
        "chart/templates/b.yaml": f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: b}}\ndata:\n  {halves}",
    }

    (problem,) = told(files, {})

    assert problem.startswith("chart/templates/b.yaml as rendered: holds a value under the name of a secret\n  try: ")
    assert RANDOM[:20] not in problem


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("kind: Secret\ndata:\n  A: Yg==\n", True),
        ("kind: Secret\nstringData: {A: b}\n", True),
        ('kind: "Secret"\nstringData:\n  A: b\n', True),
        ("kind: Secret\ndata: {}\n", False),
        ("kind: Secret\ntype: kubernetes.io/service-account-token\n", False),
        ("kind: SecretStore\ndata:\n  A: b\n", False),
        ("kind: ConfigMap\ndata:\n  A: b\n---\nkind: Secret\ntype: Opaque\n", False),
    ],
)
def test_a_secret_with_values_is_no_secret(
    document: str, found: bool, helm4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    text = "".join(f"apiVersion: v1\n{each}metadata: {{name: x}}\n---\n" for each in document.split("---\n"))
    files = {**CHART, "chart/templates/b.yaml": text}

    if found:
        (problem,) = told(files, {})
        assert problem.startswith("chart/templates/b.yaml as rendered: holds a Secret with values")
    else:
        assert prove(tree(files), "wallet").missing == ""


def test_without_helm_or_chart_the_scan_is_what_was_proved() -> None:
    assert str(prove(tree({"a": "x\n"}), "wallet")) == "proved: secrets scan; not proved: there is no chart"
    assert str(prove(tree(CHART), "wallet")).startswith("proved: secrets scan; not proved: helm is not here")


# ---- from the golden chart to the command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Blueprints and a golden chart with variants."""
    golden = {path.removeprefix("chart/"): text for path, text in CHART.items() if path != "chart/values.yaml"}
    values = "image: {}\n\n# ---- defaults\ntier: standard\n"
    build(tmp_path / "charts/service", {**golden, "values.yaml": values, "ci/critical.yaml": "tier: critical\n"})
    build_layer(tmp_path / "blueprints/python", {"chart/values.yaml": "image: {}\n"}, chart="service")
    return tmp_path


def test_variants_stay_with_the_golden_chart(root: Path) -> None:
    chosen = blueprint.load("python", root)

    assert chosen.kind({}).variants == {"critical.yaml": File(PLAIN, b"tier: critical\n")}
    assert [path for path in render(chosen, "wallet", {}) if "ci" in path.split("/")] == []


def test_a_changed_variant_is_another_blueprint(root: Path) -> None:
    before = blueprint.load("python", root).digest
    build(root, {"charts/service/ci/critical.yaml": "tier: standard\n"})

    assert blueprint.load("python", root).digest != before


@pytest.mark.parametrize("path", ["ci/README.md", "ci/deeper/a.yaml", "ci/a.yml"])
def test_what_is_no_variant_is_refused(root: Path, path: str) -> None:
    build(root / "charts/service", {path: ""})

    with pytest.raises(ShiplaneError, match=f"chart/{path}: is no variant: a variant is a .yaml file in ci/ itself"):
        blueprint.load("python", root)


def test_our_blueprints_are_proved(run: Run, work: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))
    for name in blueprint.names():
        for kind in blueprint.load(name).kinds:
            argv = ["--no-input", "--blueprint", name, "--set", f"kind={kind}", "--json"]
            code, out, _ = run(f"{name}-{kind}", *argv)
            (item,) = json.loads(out)["items"]
            assert (code, item["proved"]) == (0, True)
            assert item["checks"][::3] == ["helm lint", "secrets scan"]


@pytest.mark.usefixtures("helm")
def test_the_readme_lists_what_was_proved_and_stays_current(run: Run, work: Path) -> None:
    assert run("wallet", "--no-input")[0] == 0
    readme = (work / "wallet" / "README.md").read_text()
    done = [line for line in readme.splitlines() if line.startswith("- [x] ")]
    assert len(done) == 4
    assert "with those of 3 variants: everything, tier-critical, tier-standard" in done[1]
    assert "was not proved" not in readme
    assert run("wallet", "--check")[0] == 0


def test_the_readme_says_what_was_not_proved(run: Run, work: Path) -> None:
    assert run("wallet", "--no-input")[0] == 0
    readme = (work / "wallet" / "README.md").read_text()
    assert "- [ ] the chart was not proved: there was no helm." in readme
    assert [line for line in readme.splitlines() if line.startswith("- [x] ")] == [
        "- [x] no credential stands in the 53 files"
    ]
