"""The golden charts' dashboards: Grafana loads them, Prometheus can answer, and the service has what they ask for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.blueprints.rendered import MADE, Made
from tests.blueprints.running import placed
from tests.charts.golden import SERVICE, WORKER, Objects, Render, objects
from tests.gitops.crds import CRDS

GRAFANA = CRDS / "grafana"
PROMTOOL = shutil.which("promtool")
PLATFORM = re.compile(r"(kube|container|externalsecret)_\w+|up")
"""What kube-state-metrics, the kubelet, External Secrets and Prometheus itself measure, not the service."""


def _dashboard(rendered: Objects) -> dict[str, Any]:
    (text,) = rendered["ConfigMap dashboard"]["data"].values()
    found: dict[str, Any] = json.loads(text)
    return found


def _queries(dashboard: dict[str, Any]) -> Iterator[str]:
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", []))


def _rules(rendered: Objects) -> list[dict[str, Any]]:
    return [rule for group in rendered["PrometheusRule"]["spec"]["groups"] for rule in group["rules"]]


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((GRAFANA / f"{name}.jsonschema.json").read_text())
    return schema


@pytest.mark.skipif(not GRAFANA.is_dir(), reason=f"Grafana's schemas are not in {GRAFANA}")
def test_grafana_can_load_it(render: Render) -> None:
    from jsonschema import Draft7Validator

    dashboard = _dashboard(render())
    errors = [error.message for error in Draft7Validator(_schema("dashboard")).iter_errors(dashboard)]
    kinds = {each["type"]: each for each in dashboard["panels"] if each["type"] != "row"}
    assert kinds.keys() == {"stat", "timeseries"}
    queries = Draft7Validator(_schema("prometheus"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            errors += [error.message for error in queries.iter_errors(target)]
        if panel["type"] in kinds:
            definitions = _schema(panel["type"])["definitions"]
            for part, given in ("Options", panel["options"]), ("FieldConfig", panel["fieldConfig"]["defaults"]):
                if part in definitions:
                    data = given if part == "Options" else given.get("custom", {})
                    schema = {"definitions": definitions, "$ref": f"#/definitions/{part}"}
                    errors += [error.message for error in Draft7Validator(schema).iter_errors(data)]
    assert errors == []
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))


def test_grafanas_sidecar_finds_it_and_shows_one_per_service(render: Render) -> None:
    rendered = [render(release=name, namespace="wallets") for name in ("wallet", "a" * 40)]
    for each in rendered:
        metadata = each["ConfigMap dashboard"]["metadata"]
        assert metadata["labels"]["grafana_dashboard"] == "1"
        assert metadata["annotations"]["grafana_folder"] == "Services"
        assert len(_dashboard(each)["uid"]) <= 40
    assert len({_dashboard(each)["uid"] for each in rendered}) == 2
    assert len({key for each in rendered for key in each["ConfigMap dashboard"]["data"]}) == 2


ROWS = [(SERVICE, "Rate, errors, latency"), (WORKER, "Messages")]


@pytest.mark.parametrize(("chart", "row"), ROWS, ids=[chart.name for chart, _ in ROWS])
def test_it_keeps_what_belongs_to_grafana_and_fills_in_the_rest(render: Render, chart: Path, row: str) -> None:
    dashboard = _dashboard(render({"slo": 99.95, "calls": ["orders"]}))
    text = json.dumps(dashboard)
    assert not re.search(r"<[A-Z]+>", text)
    assert "{{version}}" in text
    assert "100 - 99.95" in text
    assert dashboard["title"] == "wallet"
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Now", row, "By version", "Saturation", "To $dependency"]
    json.loads((chart / "dashboards" / "service.json").read_text())  # it can be edited as what it is


def test_no_panel_lies_on_another(render: Render) -> None:
    taken: list[tuple[int, int]] = []
    for place in [panel["gridPos"] for panel in _dashboard(render({"calls": ["orders"]}))["panels"]]:
        assert place["x"] + place["w"] <= 24
        across, down = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        taken += [(x, y) for x in across for y in down]
    assert len(taken) == len(set(taken)) == 24 * (1 + max(y for _, y in taken))


def test_it_can_be_left_out(render: Render) -> None:
    assert "ConfigMap dashboard" not in render({"dashboard": {"enabled": False}})


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool: it comes with the package prometheus")
def test_prometheus_understands_every_query(helm4: Path, chart: Path, tmp_path: Path) -> None:
    dashboard = _dashboard(objects(helm4, tmp_path, {"calls": ["orders"]}, chart=chart))
    queries = [each.replace("$__rate_interval", "5m") for each in _queries(dashboard)]
    rules = [{"record": f"query:{number}", "expr": each} for number, each in enumerate(queries)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([str(PROMTOOL), "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def unmeasured(rendered: Objects, measured: dict[str, set[str]]) -> list[str]:
    """What rules and dashboard ask for that neither the platform nor a rule knows, nor `measured`: {name: labels}."""
    recorded = {rule["record"] for rule in _rules(rendered) if "record" in rule}
    expressions = [rule["expr"] for rule in _rules(rendered)] + list(_queries(_dashboard(rendered)))
    asked = [each for text in expressions for each in re.findall(r"([a-z][\w:]*)\{([^}]*(?:\{\d\}[^}]*)?)\}", text)]
    assert measured.keys() <= {name for name, _ in asked}
    found = []
    for name, selector in asked:
        if name in measured:  # Prometheus adds the other labels
            more = set(re.findall(r"(\w+)(?:=|!)", selector)) - measured[name] - {"namespace", "service"}
            found += [f"{name} {label}" for label in sorted(more)]
        elif name not in recorded and not PLATFORM.fullmatch(name):
            found.append(name)
    return found


@pytest.mark.parametrize("made", [made for made in MADE if made.kind == "http"], ids=str)
def test_what_rules_and_dashboard_ask_for_is_measured(helm4: Path, tmp_path: Path, made: Made) -> None:
    with placed(tmp_path, made, "wallet").started() as running:
        assert running.ask("/v1/echo", b'{"text": "x"}', **{"Content-Type": "application/json"})[0] == 200
        scraped = running.ask("/metrics")[1]
    measured: dict[str, set[str]] = {"http_requests_total": set(), "http_request_duration_seconds_bucket": set()}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", scraped, re.M):
        if name in measured:
            measured[name].update(re.findall(r"(\w+)=", labels))
    assert all(measured.values())
    assert unmeasured(objects(helm4, tmp_path), measured) == []
