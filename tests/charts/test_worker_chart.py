"""The golden chart for services without HTTP: what is its own, and that all else is as in the other one."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import IMAGE, SERVICE, WORKER, Objects, container, objects, pod, variables
from tests.charts.test_matrix import differences

COMMAND = ["python", "-m", "service.ask"]
EXEC: dict[str, Any] = {"probes": {"by": "exec", "command": COMMAND}}
UNREAD: dict[str, Any] = {"metrics": {"enabled": False}, "alerts": {"enabled": False}}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
OWN = {"NOTES.txt", "deployment.yaml", "networkpolicy.yaml"}
"""Templates that both charts have, each its own way."""


def _worker(helm: Path, folder: Path, values: dict[str, Any] | None = None, **more: Any) -> Objects:
    return objects(helm, folder, values, chart=WORKER, **more)


def test_what_is_the_same_is_the_same_file() -> None:
    ours, theirs = ({path.name: path for path in (each / "templates").iterdir()} for each in (WORKER, SERVICE))
    both = (ours.keys() & theirs.keys()) - OWN
    assert {name for name in both if ours[name].read_bytes() != theirs[name].read_bytes()} == set()
    assert both == {
        "_helpers.tpl",
        "_network.tpl",
        "configmap.yaml",
        "dashboard.yaml",
        "externalsecret.yaml",
        "extraobjects.yaml",
        "horizontalpodautoscaler.yaml",
        "migration.yaml",
        "poddisruptionbudget.yaml",
        "prometheusrule.yaml",
        "role.yaml",
        "serviceaccount.yaml",
    }
    assert ours.keys() - both == OWN | {"_worker.tpl", "podmonitor.yaml"}
    assert (WORKER / ".helmignore").read_bytes() == (SERVICE / ".helmignore").read_bytes()


def test_it_differs_where_there_are_no_requests_alone(helm: Path, tmp_path: Path) -> None:
    values = {"secrets": ["TOKEN"], "env": {"LIMIT": "1"}, "migration": {"enabled": True, "command": ["migrate"]}}
    ours, theirs = (objects(helm, tmp_path, values, chart=each, kubernetes="1.33.0") for each in (WORKER, SERVICE))
    spec = pod(theirs)["containers"][0]
    spec["env"] = [each for each in spec["env"] if each["name"] != "DRAIN_SECONDS"]
    both = (ours.keys() & theirs.keys()) - {"PrometheusRule", "ConfigMap dashboard"}
    found = differences({name: ours[name] for name in both}, {name: theirs[name] for name in both})
    only = ".Deployment.spec.template.spec.containers.0"
    assert {each for each in found if not each.endswith(("app.kubernetes.io/name", "helm.sh/chart"))} == {
        ".Deployment.spec.template.spec.terminationGracePeriodSeconds",
        f"{only}.lifecycle",
        f"{only}.ports.0.name",
        *(f"{only}.{probe}.httpGet.port" for probe in PROBES),
        ".NetworkPolicy.spec.ingress.0.from",
        ".NetworkPolicy.spec.ingress.0.ports.0.port",
    }


def _blocks(chart: Path) -> dict[str, str]:
    """What values.yaml says of each key, its comments too."""
    text = (chart / "values.yaml").read_text()
    blocks = re.findall(r"(?m)^((?:#.*\n)*)(\w+):(.*\n(?: .*\n)*)", text)
    return {key: comment + rest for comment, key, rest in blocks}


def test_what_means_the_same_is_said_in_the_same_words_and_order() -> None:
    ours, theirs = _blocks(WORKER), _blocks(SERVICE)
    gone = {"called_by", "ingress", "test"}
    assert [*ours] == [key for key in theirs if key not in gone]
    about_requests = {"port", "calls", "replicas", "tier", "probes", "shutdown", "network", "metrics", "alerts"}
    assert {key for key in ours if ours[key] != theirs[key]} == about_requests
    mine, yours = (json.loads((each / "values.schema.json").read_text())["properties"] for each in (WORKER, SERVICE))
    said = (about_requests | {"slo", "discovery"}) - {"calls", "replicas", "tier"}
    assert {key for key in mine if mine[key] != yours[key]} == said
    assert [*mine] == [key for key in yours if key not in gone]


def test_the_kubelet_asks_the_port_of_the_metrics(helm: Path, tmp_path: Path) -> None:
    only = container(_worker(helm, tmp_path, {"port": 9000}))
    assert only["ports"] == [{"name": "metrics", "containerPort": 9000, "protocol": "TCP"}]
    asked = [(only[each]["httpGet"]["path"], only[each]["httpGet"]["port"]) for each in PROBES]
    assert asked == [("/health", "metrics"), ("/health", "metrics"), ("/health/ready", "metrics")]


def test_the_kubelet_runs_a_program_instead(helm: Path, tmp_path: Path) -> None:
    only = container(_worker(helm, tmp_path, {"probes": {**EXEC["probes"], "startup": {"failureThreshold": 60}}}))
    assert [only[each]["exec"] for each in PROBES] == [{"command": COMMAND}] * 3
    assert [only[each]["failureThreshold"] for each in PROBES] == [60, 3, 2]
    assert not any("httpGet" in only[each] for each in PROBES)


@pytest.mark.parametrize(
    ("values", "port", "read"),
    [({}, True, True), (UNREAD, True, False), (EXEC, True, True), ({**EXEC, **UNREAD}, False, False)],
    ids=["by metrics", "by metrics that nobody reads", "exec", "exec, without metrics"],
)
def test_there_is_a_port_where_somebody_asks(
    helm: Path, tmp_path: Path, values: dict[str, Any], port: bool, read: bool
) -> None:
    rendered = _worker(helm, tmp_path, values)
    only = container(rendered)
    assert (("ports" in only), ("PORT" in variables(rendered))) == (port, port)
    assert ("PodMonitor" in rendered) is read
    assert ("ingress" in rendered["NetworkPolicy"]["spec"]) is read
    assert all(each in only for each in PROBES)


@pytest.mark.parametrize("kubernetes", ["1.28.0", "1.33.0"])
def test_it_finishes_what_it_has_in_hand(helm: Path, tmp_path: Path, kubernetes: str) -> None:
    rendered = _worker(helm, tmp_path, {"shutdown": {"finishSeconds": 120}}, kubernetes=kubernetes)
    assert variables(rendered) == {
        "PORT": "8080",
        "FINISH_SECONDS": "120",
        "SERVICE": "wallet",
        "VERSION": IMAGE["tag"],
    }
    assert "lifecycle" not in container(rendered)
    assert pod(rendered)["terminationGracePeriodSeconds"] == 125


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("probes.command: missing", {"probes": {"by": "exec"}}),
    ("probes.command: is run with `probes.by: exec` alone", {"probes": {"command": COMMAND}}),
    ("by", {"probes": {"by": "tcp"}}),
    ("command", {"probes": {"by": "exec", "command": "python -m service.ask"}}),
    ("alerts.enabled: without metrics.enabled", {**EXEC, "metrics": {"enabled": False}}),
    ("stalledMinutes", {"alerts": {"stalledMinutes": 4}}),
    ("finishSeconds", {"shutdown": {"finishSeconds": 0}}),
    ("drainSeconds", {"shutdown": {"drainSeconds": 2}}),
    ("delaySeconds", {"shutdown": {"delaySeconds": 10}}),
    ("called_by", {"called_by": []}),
    ("ingress", {"ingress": {"enabled": False}}),
    ("ingressNamespaces", {"network": {"ingressNamespaces": []}}),
    ("test", {"test": {"enabled": False}}),
]


@pytest.mark.parametrize(("said", "values"), WRONG, ids=[json.dumps(values) for _, values in WRONG])
def test_what_a_worker_cannot_have_is_refused_by_its_key(
    helm: Path, tmp_path: Path, said: str, values: dict[str, Any]
) -> None:
    with pytest.raises(ShiplaneError, match=re.escape(said)):
        _worker(helm, tmp_path, values)


@pytest.mark.parametrize("values", [{}, {**EXEC, **UNREAD}], ids=["port", "no port"])
def test_its_notes_tell_how_to_ask_it_where_it_can_be_asked(
    helm4: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(json.dumps({**values, "image": IMAGE}))
    # helm 3 would ask a cluster for its version first
    command = [str(helm4), "install", "wallet", str(WORKER), "--dry-run=client", "--values", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("NOTES:")[2]
    assert "rollout status deployment/wallet" in said
    assert ("port-forward deployment/wallet 8080" in said) is (values == {})
