"""Dangers of what Kubernetes does not let be changed: the sync fails, and the release is never there.

The fields are those that the API server's validation compares (kubernetes/pkg/apis/*/validation, 1.28 to 1.34).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops.diff.difference import Danger
from gitops.diff.leaves import same
from gitops.diff.pairs import Pairs
from gitops.diff.quantity import quantity
from gitops.policy.finding import safe
from gitops.policy.objects import Object, Path, at, listed, mapping

_Fields = tuple[tuple[Path, Any], ...]
"""Paths, each with what Kubernetes puts in where it is not there."""
_SELECTOR: _Fields = ((("spec", "selector"), None),)
_FIELDS: Mapping[tuple[str, str], _Fields] = {
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "ReplicaSet"): _SELECTOR,
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "StatefulSet"): (
        *_SELECTOR,
        (("spec", "serviceName"), None),
        (("spec", "podManagementPolicy"), "OrderedReady"),
        (("spec", "volumeClaimTemplates"), None),
    ),
    ("batch", "Job"): (
        *_SELECTOR,
        (("spec", "template"), None),
        (("spec", "completionMode"), "NonIndexed"),
        (("spec", "podFailurePolicy"), None),
        (("spec", "successPolicy"), None),
        (("spec", "backoffLimitPerIndex"), None),
        (("spec", "managedBy"), None),
    ),
    ("storage.k8s.io", "StorageClass"): (
        (("provisioner",), None),
        (("parameters",), None),
        (("reclaimPolicy",), "Delete"),
        (("volumeBindingMode",), "Immediate"),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): ((("roleRef",), None),),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ((("roleRef",), None),),
    ("", "Secret"): ((("type",), "Opaque"),),
    ("scheduling.k8s.io", "PriorityClass"): ((("value",), None), (("preemptionPolicy",), "PreemptLowerPriority")),
    ("networking.k8s.io", "IngressClass"): ((("spec", "controller"), None),),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ((("spec", "scope"), None), (("spec", "group"), None)),
}
_DATA = ("data", "binaryData", "stringData")
_MUTABLE_IN_POD = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
_CONTAINERS = ("containers", "initContainers")


def immutable(pairs: Pairs) -> Iterator[Danger]:
    """What Kubernetes refuses to change; nothing where Argo CD deletes and makes it anew."""
    for pair in pairs.both:
        if pair.replaced:
            continue
        if found := ", ".join(dict.fromkeys(_refused(*pair.sides))):
            rule = f"{found} cannot be changed: Kubernetes refuses it, and the sync fails until the object is deleted"
            yield Danger("immutable", pair.object, rule)


def _refused(old: Object, new: Object) -> Iterator[str]:
    for path, default in _FIELDS.get((new.group, new.kind), ()):
        if not same(_or(old.get(*path), default), _or(new.get(*path), default)):
            yield ".".join(map(str, path))
    match new.group, new.kind:
        case "", "Service":
            yield from _service(old, new)
        case "", "PersistentVolumeClaim":
            yield from _claim(old, new)
        case "", "ConfigMap" | "Secret":
            if old.get("immutable") is True:
                yield from (key for key in _DATA if not same(_or(old.get(key), {}), _or(new.get(key), {})))
                yield from ("immutable" for _ in range(new.get("immutable") is not True))
        case "", "Pod":
            yield from ("spec" for _ in range(not same(_fixed(old), _fixed(new))))
        case "batch", "Job":
            indexed = new.get("spec", "completionMode") == "Indexed"
            if not indexed and not same(_or(old.get("spec", "completions"), 1), _or(new.get("spec", "completions"), 1)):
                yield "spec.completions"


def _service(old: Object, new: Object) -> Iterator[str]:
    """An address that is not stated is Kubernetes' choice, which stays; one that is stated must be the one it has."""
    if "ExternalName" in (old.get("spec", "type"), new.get("spec", "type")):
        return
    address = new.get("spec", "clusterIP")
    if address and address != old.get("spec", "clusterIP"):
        yield "spec.clusterIP"
    families = [listed(each.get("spec", "ipFamilies"))[:1] for each in (old, new)]
    if all(families) and families[0] != families[1]:
        yield "spec.ipFamilies[0]"
    kind = old.get("spec", "loadBalancerClass")
    if kind and new.get("spec", "type") == "LoadBalancer" and kind != new.get("spec", "loadBalancerClass"):
        yield "spec.loadBalancerClass"


def _claim(old: Object, new: Object) -> Iterator[str]:
    one, other = mapping(old.get("spec")), mapping(new.get("spec"))
    for key in dict.fromkeys([*one, *other]):
        default = "Filesystem" if key == "volumeMode" else None
        if key in ("resources", "volumeAttributesClassName"):
            continue
        if not same(_or(one.get(key), default), _or(other.get(key), default)):
            yield f"spec.{safe(key)}"
    sizes = [quantity(at(each, "resources", "requests", "storage")) for each in (one, other)]
    if sizes[0] is not None and (sizes[1] is None or sizes[1] < sizes[0]):
        yield "spec.resources.requests.storage (it can only grow)"


def _fixed(pod: Object) -> dict[str, Any]:
    """What of a bare pod's spec is fixed: all but its images and a few numbers."""
    spec = {key: value for key, value in mapping(pod.get("spec")).items() if key not in _MUTABLE_IN_POD}
    for key in _CONTAINERS:
        if key in spec:
            spec[key] = [{k: v for k, v in mapping(each).items() if k != "image"} for each in listed(spec[key])]
    return spec


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
