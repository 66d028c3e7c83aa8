"""Whether a pod's health can be known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.policy.finding import Mark, Subject, on
from gitops.policy.objects import at, listed, mapping
from gitops.policy.pods import ORDINARY, Container, Pod
from gitops.policy.routes import routed

_LIVENESS, _READINESS, _STARTUP = "livenessProbe", "readinessProbe", "startupProbe"
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")


def liveness(subject: Subject) -> Iterator[Mark]:
    """A process that hangs is restarted only if a probe says so. A sidecar may choose which probe it has.

    A pod that runs to an end has none: it fails by its exit code, and by its deadline.
    """
    for container in _running(subject):
        probes = (_LIVENESS,) if container.key == ORDINARY else (_LIVENESS, _READINESS, _STARTUP)
        if not any(_asks(container, probe) for probe in probes):
            told = "has no liveness probe" if container.key == ORDINARY else "is a sidecar without any probe"
            empty = " that asks anything" if mapping(container.spec).keys() & set(probes) else ""
            yield on(container, f"{told}{empty}", probes[0])


def readiness(subject: Subject) -> Iterator[Mark]:
    """A Service sends requests to whatever is ready, and a rollout goes on; without a probe that is at once.

    A pod that no Service selects, such as a worker's, may use its startup probe for that; neither has to be HTTP.
    """
    for pod in subject.pods:
        ordinary = [each for each in pod.containers if each.key == ORDINARY]
        if pod.ends:
            continue
        if routed(subject, pod):
            listening = [each for each in ordinary if listed(each.spec.get("ports"))] or ordinary
            for container in listening:
                if not _asks(container, _READINESS):
                    yield on(container, "a Service selects it, and it has no readiness probe", _READINESS)
        elif ordinary and not any(_asks(each, probe) for each in ordinary for probe in (_READINESS, _STARTUP)):
            yield on(pod, "nothing tells when it has come up: neither a readiness nor a startup probe", "spec")


def probes_differ(subject: Subject) -> Iterator[Mark]:
    """One question for both: what should take a pod out of its Service for a while restarts it, and all copies at once.

    Where no Service routes to it, nothing is taken out; and of a plain TCP connect there is no second question to ask.
    """
    for container in (each for each in _running(subject) if routed(subject, each.pod)):
        probe = _handler(container, _LIVENESS)
        if probe and "tcpSocket" not in probe and probe == _handler(container, _READINESS):
            yield on(container, "its liveness and readiness probes ask the same", _LIVENESS)


def deadline(subject: Subject) -> Iterator[Mark]:
    """What runs to an end has no probes, so a deadline is its health check: a hook that hangs stops every sync."""
    for pod in subject.pods:
        if pod.ends and not any(_positive(each) for each in _deadlines(pod)):
            yield Mark(pod.owner, _field(pod), "runs to an end, and nothing ends it when it hangs")


def _running(subject: Subject) -> Iterator[Container]:
    """The containers that keep running."""
    return (each for each in subject.containers if not each.pod.ends and (each.key == ORDINARY or each.sidecar))


def _handler(container: Container, probe: str) -> dict[str, Any]:
    """What a probe asks: its one handler, where that says anything."""
    handlers = mapping(container.spec.get(probe))
    return {name: handlers[name] for name in _HANDLERS if mapping(handlers.get(name))}


def _asks(container: Container, probe: str) -> bool:
    return bool(_handler(container, probe))


def _deadlines(pod: Pod) -> tuple[Any, ...]:
    job = {"Job": ("spec",), "CronJob": ("spec", "jobTemplate", "spec")}.get(pod.owner.kind, ())
    return pod.spec.get("activeDeadlineSeconds"), at(pod.owner.data, *job, "activeDeadlineSeconds")


def _field(pod: Pod) -> tuple[str, ...]:
    return ("spec", "jobTemplate", "spec") if pod.owner.kind == "CronJob" else ("spec",)


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
