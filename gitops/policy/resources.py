"""What a pod takes of its node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops.policy.finding import Mark, Subject, on
from gitops.policy.objects import at
from gitops.policy.pods import EPHEMERAL, Container

_NOTHING = re.compile(r"0*(\.0*)?[A-Za-z]*")


def requests(subject: Subject) -> Iterator[Mark]:
    """Without requests the scheduler packs nodes blindly, and under pressure such pods are the first to go."""
    for container in _sized(subject):
        if missing := _missing(container, "requests", "cpu", "memory"):
            yield on(container, f"requests no {missing}", "resources", "requests")


def limits(subject: Subject) -> Iterator[Mark]:
    """Without a limit one leak takes the memory of the whole node, and of every other service on it."""
    for container in _sized(subject):
        if missing := _missing(container, "limits", "memory"):
            yield on(container, f"has no limit of {missing}", "resources", "limits")


def cpu_limit(subject: Subject) -> Iterator[Mark]:
    """Without a limit of cpu a busy loop slows its neighbours down; to go without, for latency, is a decision."""
    for container in _sized(subject):
        if missing := _missing(container, "limits", "cpu"):
            yield on(container, f"has no limit of {missing}", "resources", "limits")


def _sized(subject: Subject) -> Iterator[Container]:
    """The containers that may have resources: the API refuses them for ephemeral ones."""
    return (each for each in subject.containers if each.key != EPHEMERAL)


def _missing(container: Container, kind: str, *names: str) -> str:
    """Those of `names` that neither the container nor its pod as a whole states; zero is no statement."""
    sources = (container.spec, container.pod.spec)
    missing = [name for name in names if all(_empty(at(each, "resources", kind, name)) for each in sources)]
    return " and no ".join(missing)


def _empty(quantity: object) -> bool:
    if isinstance(quantity, str):
        return _NOTHING.fullmatch(quantity.strip()) is not None
    return isinstance(quantity, bool) or not isinstance(quantity, (int, float)) or quantity == 0
