"""Cilium's NetworkPolicies, as the rule on network policies asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitops.policy.finding import Subject
from gitops.policy.objects import Object, Path, at, listed, mapping, mappings, selects, text
from gitops.policy.pods import Pod

_GROUP = "cilium.io"
_SOURCES = ("k8s:", "any:")
_EVERYBODY = ("all", "world", "cluster")
_PEERS = {"Ingress": "from", "Egress": "to"}
_WIDEST = 8  # bits, as for Kubernetes' own policies


@dataclass(frozen=True, eq=False)
class Spec:
    """One of the specs of a policy that selects a pod, and where it stands."""

    policy: Object
    path: Path

    def decides(self, kind: str) -> bool:
        """Whether it restricts a direction, `Ingress` or `Egress`: it has rules for it, and does not say otherwise.

        An empty rule lets nobody in, as Cilium has it ("Ingress Default Deny").
        """
        data, key = self.policy.get(*self.path), kind.lower()
        rules = [*listed(at(data, key)), *listed(at(data, f"{key}Deny"))]
        return bool(rules) and at(data, "enableDefaultDeny", key) is not False

    def open(self, kind: str) -> Iterator[Path]:
        """Where a rule lets everybody through, at every port."""
        key = kind.lower()
        for index, rule in mappings(self.policy.get(*self.path, key)):
            if not listed(rule.get("toPorts")) and _everybody(rule, _PEERS[kind]):
                yield *self.path, key, index


def specs(subject: Subject, pod: Pod) -> Iterator[Spec]:
    """The specs of Cilium's policies that select `pod`: `spec`, and each of `specs`."""
    for policy in subject.of("CiliumNetworkPolicy", _GROUP):
        if not subject.together(policy.namespace, pod.owner.namespace):
            continue
        paths: list[Path] = [("spec",), *(("specs", index) for index, _ in mappings(policy.data.get("specs")))]
        for path in paths:
            selector = policy.get(*path, "endpointSelector")
            if isinstance(selector, Mapping) and selects(_plain(selector), pod.labels):
                yield Spec(policy, path)


def _plain(selector: Mapping[object, object]) -> dict[str, object]:
    """The selector without the words that say where a label comes from."""
    wanted = {_name(key): value for key, value in mapping(selector.get("matchLabels")).items()}
    rows = [{**each, "key": _name(each.get("key"))} for _, each in mappings(selector.get("matchExpressions"))]
    return {"matchLabels": wanted, "matchExpressions": rows}


def _name(key: object) -> str:
    name = text(key)
    return next((name.removeprefix(each) for each in _SOURCES if name.startswith(each)), name)


def _everybody(rule: object, peers: str) -> bool:
    if {text(each) for each in listed(at(rule, f"{peers}Entities"))}.intersection(_EVERYBODY):
        return True
    ranges = [text(each) for each in listed(at(rule, f"{peers}CIDR"))]
    ranges += [
        text(each.get("cidr")) for _, each in mappings(at(rule, f"{peers}CIDRSet")) if not listed(each.get("except"))
    ]
    return any(bits.isdecimal() and int(bits) < _WIDEST for _, _, bits in (each.partition("/") for each in ranges))
