"""Dangers of what goes, and of what holds data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops.diff.difference import Danger
from gitops.diff.leaves import same
from gitops.diff.pairs import Pair, Pairs
from gitops.diff.quantity import quantity
from gitops.policy.finding import Subject, safe
from gitops.policy.objects import Object, at, mappings, text

_REMOVED = {
    "NetworkPolicy": ("network-policy-removed", "is removed: what it held back is let through"),
    "PodDisruptionBudget": ("pdb-removed", "is removed: a drained node may take all copies at once"),
    "PersistentVolumeClaim": ("storage-removed", "is removed, and its data with it unless its class retains them"),
    "PersistentVolume": ("storage-removed", "is removed: nothing finds its data any more"),
    "StatefulSet": ("storage-removed", "is removed: its pods go, and nothing uses their volumes any more"),
    "Namespace": ("namespace-removed", "is removed, and everything in it"),
    "CustomResourceDefinition": ("crd-removed", "is removed, and every object of its kind in the whole cluster"),
}
_STATEFUL = (
    ("updateStrategy", "rolls out in another way"),
    ("persistentVolumeClaimRetentionPolicy", "keeps or deletes its volumes otherwise than before"),
)


def removed(pairs: Pairs) -> Iterator[Danger]:
    """What is not rendered any more: Argo CD prunes it. Hooks come and go by themselves."""
    for pair in pairs.pairs:
        if pair.new or pair.hook:
            continue
        name, sentence = _REMOVED.get(pair.one.kind, ("removed", "is removed: Argo CD prunes it after the merge"))
        if pair.kept:
            sentence = "is no more in git, but stays in the cluster (Prune=false): nobody manages it from then on"
        yield Danger(name, pair.object, sentence)


def storage(pairs: Pairs) -> Iterator[Danger]:
    """What holds data changes: a claim, a StatefulSet outside of its pods, the claims that pods use."""
    for pair in pairs.both:
        old, new = pair.sides
        if old.kind == "PersistentVolumeClaim":
            before, after = (each.get("spec", "resources", "requests", "storage") for each in (old, new))
            if not same(before, after) and _grows(before, after):
                yield _changed(pair, f"grows from {safe(before)} to {safe(after)}: it cannot shrink again")
        if old.kind == "StatefulSet":
            for key, sentence in _STATEFUL:
                if not same(old.get("spec", key), new.get("spec", key)):
                    yield _changed(pair, sentence)
        if lost := sorted(_claims(old) - _claims(new)):
            yield _changed(pair, f"does not use the claim {', '.join(map(safe, lost))} any more")


def _changed(pair: Pair, sentence: str) -> Danger:
    return Danger("storage-changed", pair.object, sentence)


def _grows(before: Any, after: Any) -> bool:
    one, other = quantity(before), quantity(after)
    return one is not None and other is not None and other > one


def _claims(each: Object) -> set[str]:
    """The claims that the pods of an object use by name."""
    volumes = (volume for pod in Subject((each,)).pods for _, volume in mappings(pod.spec.get("volumes")))
    return {text(at(volume, "persistentVolumeClaim", "claimName")) for volume in volumes} - {""}
