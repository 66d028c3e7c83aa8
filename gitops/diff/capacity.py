"""Dangers of less: fewer copies, less memory, nobody who asks whether it is well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.diff.difference import Danger
from gitops.diff.pairs import Pair, Pairs
from gitops.diff.quantity import quantity
from gitops.policy.finding import Subject, safe
from gitops.policy.objects import at, mapping
from gitops.policy.pods import Container

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout")
_BOUNDS = {
    "HorizontalPodAutoscaler": (("minReplicas", 1), ("maxReplicas", None)),
    "ScaledObject": (("minReplicaCount", 0), ("maxReplicaCount", 100)),
}
"""The bounds of an autoscaler, each with its default (HorizontalPodAutoscalerSpec; KEDA: "ScaledObject spec")."""


def resources(pairs: Pairs) -> Iterator[Danger]:
    """A request or a limit that is lower than before, or gone."""
    for pair, one, other in _containers(pairs):
        for kind in ("requests", "limits"):
            before, after = (mapping(at(each.spec, "resources", kind)) for each in (one, other))
            for name, value in before.items():
                told = f"container {safe(one.name)}: {kind[:-1]} of {safe(name)}"
                if after.get(name) is None:
                    yield Danger("resources-lowered", pair.object, f"{told} {safe(value)} is gone")
                elif _less(value, after[name]):
                    lower = f"{told} goes from {safe(value)} down to {safe(after[name])}"
                    yield Danger("resources-lowered", pair.object, lower)


def probes(pairs: Pairs) -> Iterator[Danger]:
    """A probe that is gone."""
    for pair, one, other in _containers(pairs):
        for probe in _PROBES:
            if mapping(one.spec.get(probe)) and not mapping(other.spec.get(probe)):
                yield Danger("probe-removed", pair.object, f"container {safe(one.name)}: {probe} is gone")


def replicas(pairs: Pairs) -> Iterator[Danger]:
    """Fewer copies than before, or lower bounds of an autoscaler."""
    for pair in pairs.both:
        old, new = pair.sides
        if old.kind in _SCALED:
            before, after = (each.get("spec", "replicas") for each in (old, new))
            if _less(before, after):
                yield _fewer(pair, f"replicas go from {safe(before)} down to {safe(after)}")
            elif after is None and _less(before, 1):
                yield _fewer(pair, f"states no replicas any more, {safe(before)} before: it falls to 1 first")
        for key, default in _BOUNDS.get(old.kind, ()):
            before, after = (each.get("spec", key) for each in (old, new))
            before, after = (default if each is None else each for each in (before, after))
            if _less(before, after):
                yield _fewer(pair, f"{key} goes from {safe(before)} down to {safe(after)}")


def disruption(pairs: Pairs) -> Iterator[Danger]:
    """A budget that lets more copies go at once, and a rollout that stops all of them first."""
    for pair in pairs.both:
        old, new = pair.sides
        if old.kind == "PodDisruptionBudget":
            for key, lower in (("minAvailable", True), ("maxUnavailable", False)):
                before, after = (each.get("spec", key) for each in (old, new))
                if _less(*((before, after) if lower else (after, before)), percent=True):
                    yield Danger("pdb-loosened", pair.object, f"{key} goes from {safe(before)} to {safe(after)}")
        strategies = [each.get("spec", "strategy", "type") for each in (old, new)]
        if old.kind == "Deployment" and strategies[1] == "Recreate" != strategies[0]:
            yield Danger("rollout-interrupts", pair.object, "stops all copies before a new one starts (Recreate)")


def _containers(pairs: Pairs) -> Iterator[tuple[Pair, Container, Container]]:
    """The containers that are there before and after, by their names."""
    for pair in pairs.both:
        one, other = ({(each.key, each.name): each for each in Subject((side,)).containers} for side in pair.sides)
        yield from ((pair, one[key], other[key]) for key in one if key in other)


def _fewer(pair: Pair, sentence: str) -> Danger:
    return Danger("replicas-lowered", pair.object, sentence)


def _less(before: Any, after: Any, *, percent: bool = False) -> bool:
    """Whether `after` is a smaller quantity than `before`; of two percentages too, where there are such."""
    if percent and isinstance(before, str) and isinstance(after, str) and before.endswith("%") and after.endswith("%"):
        before, after = before[:-1], after[:-1]
    one, other = quantity(before), quantity(after)
    return one is not None and other is not None and other < one
