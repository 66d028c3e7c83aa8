"""How many copies the golden charts run, and how many a drain may take."""

from __future__ import annotations

from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import Render


def test_load_decides_between_replicas_and_the_most(render: Render) -> None:
    rendered = render({"replicas": 3, "autoscaling": {"maxReplicas": 7}})
    assert "replicas" not in rendered["Deployment"]["spec"]  # else Argo CD and the autoscaler undo each other
    spec = rendered["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 7)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wallet"}
    (cpu,) = spec["metrics"]
    assert cpu["containerResource"] == {
        "name": "cpu",
        "container": "service",
        "target": {"type": "Utilization", "averageUtilization": 70},
    }


def test_it_scales_up_at_once_and_down_with_patience(render: Render) -> None:
    behavior = render()["HorizontalPodAutoscaler"]["spec"]["behavior"]
    up, down = behavior["scaleUp"], behavior["scaleDown"]
    assert up["stabilizationWindowSeconds"] < down["stabilizationWindowSeconds"]
    assert [(each["type"], each["value"]) for each in up["policies"]] == [("Percent", 100), ("Pods", 2)]
    assert [(each["type"], each["value"]) for each in down["policies"]] == [("Percent", 50)]


def test_memory_counts_when_it_is_asked_for(render: Render) -> None:
    metrics = render({"autoscaling": {"cpu": 0, "memory": 80}})["HorizontalPodAutoscaler"]["spec"]
    assert [each["containerResource"]["name"] for each in metrics["metrics"]] == ["memory"]


@pytest.mark.parametrize("replicas", [0, 1, 4])
def test_without_autoscaling_the_number_stands(render: Render, replicas: int) -> None:
    rendered = render({"replicas": replicas, "autoscaling": {"enabled": False}})
    assert "HorizontalPodAutoscaler" not in rendered
    assert rendered["Deployment"]["spec"]["replicas"] == replicas


def test_a_drain_goes_on_and_never_takes_all_copies(render: Render) -> None:
    for replicas, most in (1, 1), (2, 1), (5, 4):
        values = {"replicas": replicas, "disruption": {"maxUnavailable": most}}
        budget = render(values)["PodDisruptionBudget"]["spec"]
        assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (most, "AlwaysAllow")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("replicas: must be 1 or more while autoscaling", {"replicas": 0}),
    ("autoscaling.maxReplicas: 4 leaves nothing", {"replicas": 4, "autoscaling": {"maxReplicas": 4}}),
    ("autoscaling.maxReplicas: 2 leaves nothing", {"replicas": 3, "autoscaling": {"maxReplicas": 2}}),
    ("autoscaling: cpu and memory are both 0", {"autoscaling": {"cpu": 0}}),
    ("cpu", {"resources": {"requests": {"cpu": None}}}),
    ("percent", {"autoscaling": {"down": {"percent": 101}}}),
    ("disruption.maxUnavailable: a drain may take 2 of 2", {"disruption": {"maxUnavailable": 2}}),
]


@pytest.mark.parametrize(("said", "values"), WRONG, ids=[said for said, _ in WRONG])
def test_numbers_that_cannot_work_are_refused(render: Render, said: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=said):
        render(values)
