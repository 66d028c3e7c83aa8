"""Pods wherever they stand: in workloads of every kind, with all containers that they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gitops.policy.objects import Object, Path, at, listed, mapping, mappings, text, texts

ORDINARY, INIT, EPHEMERAL = "containers", "initContainers", "ephemeralContainers"
KEYS = (INIT, ORDINARY, EPHEMERAL)
"""Where a pod's containers stand."""
_WORKLOADS = {
    "Pod", "PodTemplate", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController",
    "Job", "CronJob",
}  # fmt: skip
_TEMPLATE: Path = ("spec", "template")
_TEMPLATES: Mapping[str, Path] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


@dataclass(frozen=True, eq=False)
class Pod:
    """The pods that `owner` makes: their template stands at `path` in it."""

    owner: Object
    path: Path

    @cached_property
    def template(self) -> Mapping[Any, Any]:
        """Its metadata and spec."""
        return mapping(self.owner.get(*self.path))

    @cached_property
    def spec(self) -> Mapping[Any, Any]:
        """Its spec."""
        return mapping(self.template.get("spec"))

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The labels of the pods, which need not be those of their owner."""
        return texts(at(self.template, "metadata", "labels"))

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """The annotations of the pods."""
        return texts(at(self.template, "metadata", "annotations"))

    @cached_property
    def security(self) -> Mapping[Any, Any]:
        """Its security context, which containers can overrule."""
        return mapping(self.spec.get("securityContext"))

    @cached_property
    def ends(self) -> bool:
        """Whether it runs to an end: a Job's, and a Pod that is not started again, as tests and hooks are."""
        if self.owner.kind == "Pod":
            return text(self.spec.get("restartPolicy")) in ("Never", "OnFailure")
        return self.owner.kind in ("Job", "CronJob")

    @cached_property
    def windows(self) -> bool:
        """Whether it says that it runs on Windows, where some of Linux' settings do not exist."""
        return text(at(self.spec, "os", "name")) == "windows"

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """All that it runs: init containers and sidecars, ordinary and ephemeral ones."""
        return tuple(Container(self, key, index, each) for key in KEYS for index, each in mappings(self.spec.get(key)))


@dataclass(frozen=True, eq=False)
class Container:
    """One container of a pod; it stands at `key` and `index` in the pod's spec."""

    pod: Pod
    key: str
    index: int
    spec: Mapping[Any, Any]

    @property
    def name(self) -> str:
        """Its name, or its place where it has none."""
        return text(self.spec.get("name")) or f"{self.key}[{self.index}]"

    @property
    def path(self) -> Path:
        """Where it stands in its owner."""
        return (*self.pod.path, "spec", self.key, self.index)

    @property
    def security(self) -> Mapping[Any, Any]:
        """Its own security context."""
        return mapping(self.spec.get("securityContext"))

    @property
    def sidecar(self) -> bool:
        """Whether it is an init container that keeps running (Kubernetes: "Sidecar Containers")."""
        return self.key == INIT and self.spec.get("restartPolicy") == "Always"


def pods(objects: tuple[Object, ...]) -> Iterator[Pod]:
    """Every pod that `objects` make; of a kind that is not known, where it has a template as a Deployment's."""
    for each in objects:
        path = _TEMPLATES.get(each.kind, _TEMPLATE)
        if each.kind in _WORKLOADS or listed(each.get(*path, "spec", ORDINARY)):
            yield Pod(each, path)
