"""The chart in every generated tree: the golden one of its kind, this service's facts, and the runbook beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from generator import helm as door
from generator.render import DEFAULTS
from generator.variants import VARIANTS
from tests.blueprints.odd import ODD, odd
from tests.blueprints.rendered import MADE, Made, service
from tests.charts.golden import objects


@pytest.fixture(scope="module", params=MADE, ids=str)
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.param
    return found


@pytest.fixture(scope="module")
def golden(made: Made) -> Path:
    return made.chart


@pytest.fixture(scope="module", params=["wallet", "null"], ids=["defaults", "odd"])
def root(made: Made, golden: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = odd(made) if request.param == "null" else {}
    return service(tmp_path_factory.mktemp("service"), made, request.param, **given)


def test_the_chart_is_the_golden_one_but_for_its_facts(root: Path, golden: Path) -> None:
    own = {"values.yaml", "Chart.yaml"}
    travels = {str(path.relative_to(golden)) for path in golden.rglob("*") if path.is_file()}
    travels = {path for path in travels if not path.startswith(VARIANTS)}
    chart = root / "chart"
    assert {str(path.relative_to(chart)) for path in chart.rglob("*") if path.is_file()} == travels
    for path in travels - own:
        assert (chart / path).read_bytes() == (golden / path).read_bytes()
    start = (golden / "values.yaml").read_bytes().index(DEFAULTS)
    assert (chart / "values.yaml").read_bytes().endswith((golden / "values.yaml").read_bytes()[start:])


def test_default_answers_give_the_golden_values(made: Made, golden: Path, tmp_path: Path) -> None:
    values = service(tmp_path, made, "service") / "chart" / "values.yaml"
    assert values.read_text() == (golden / "values.yaml").read_text()


@pytest.mark.parametrize("major", ["helm3", "helm4"])
def test_the_chart_renders(
    root: Path, golden: Path, tmp_path: Path, major: str, request: pytest.FixtureRequest
) -> None:
    helm: Path = request.getfixturevalue(major)
    rendered = objects(helm, tmp_path, chart=root / "chart", release=root.name)
    named = yaml.safe_load((root / "chart" / "values.yaml").read_text())["secrets"]
    expected = objects(helm, tmp_path, chart=golden).keys()
    assert rendered.keys() == expected | ({"ExternalSecret"} if named else set())
    for each in rendered.values():
        assert each["metadata"]["labels"]["app.kubernetes.io/name"] == root.name
    door.lint(helm, root / "chart", [tmp_path / "release.yaml"])


def test_free_text_is_the_chart_s_description(made: Made, golden: Path, tmp_path: Path) -> None:
    chart = service(tmp_path, made, **odd(made)) / "chart" / "Chart.yaml"
    assert yaml.safe_load(chart.read_text())["description"] == ODD["description"]


def anchors(runbook: str) -> list[str]:
    """The anchors that GitHub gives to the headings."""
    prose = re.sub(r"^```.*?^```", "", runbook, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)", prose, re.M)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_every_alert_and_every_task_has_its_section_in_the_runbook(root: Path, helm3: Path, tmp_path: Path) -> None:
    runbook = (root / "docs" / "runbook.md").read_text()
    found = anchors(runbook)
    assert len(found) == len(set(found))
    groups = objects(helm3, tmp_path, chart=root / "chart", release=root.name)["PrometheusRule"]["spec"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    organisation = ODD["organisation"] if root.name == "null" else "acme"
    for alert in alerts:
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert page == f"https://github.com/{organisation}/{root.name}/blob/main/docs/runbook.md"
        assert anchor in found
    for task in "deploy", "promote", "roll-back", "rotate-secrets", "scale", "drain", "restore":
        assert task in found
    assert set(re.findall(r"\]\(#([^)]*)\)", runbook)) <= set(found)


@pytest.mark.parametrize(
    ("given", "replicas", "slo"),
    [
        ({}, 2, 99.5),
        ({"tier": "critical"}, 3, 99.9),
        ({"tier": "critical", "slo": "99.99"}, 3, 99.99),
        ({"slo": "97"}, 2, 97),
    ],
)
def test_the_tier_says_how_many_copies_and_what_is_promised(
    made: Made, golden: Path, tmp_path: Path, given: dict[str, str], replicas: int, slo: float
) -> None:
    values = yaml.safe_load((service(tmp_path, made, **given) / "chart" / "values.yaml").read_text())
    assert (values["tier"], values["replicas"], values["slo"]) == (given.get("tier", "standard"), replicas, slo)
