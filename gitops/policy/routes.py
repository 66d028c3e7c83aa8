"""Who selects a pod: Services, policies, monitors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops.policy import cilium
from gitops.policy.finding import Mark, Subject, on
from gitops.policy.objects import Object, at, listed, selects, text, texts
from gitops.policy.pods import Pod

_POLICIES = ("networking.k8s.io", "extensions")
_DIRECTIONS = (("Ingress", "ingress", "from", "reach it"), ("Egress", "egress", "to", "be reached by it"))
_FEW = 8  # bits: a range that is wider than any honest network is everybody


def services(subject: Subject, pod: Pod) -> Iterator[Object]:
    """The Services that select `pod`; one without a selector selects nothing."""
    for service in subject.of("Service", ""):
        selector = texts(service.get("spec", "selector"))
        chosen = selector and selector.items() <= pod.labels.items()
        if chosen and subject.together(service.namespace, pod.owner.namespace):
            yield service


def routed(subject: Subject, pod: Pod) -> bool:
    """Whether a Service sends requests to `pod`."""
    return any(True for _ in services(subject, pod))


def monitoring(subject: Subject) -> Iterator[Mark]:
    """What nobody measures fails in silence: no error budget, no alert, no graph to look at in the night.

    What runs to an end is over before anybody asks it.
    """
    for pod in subject.pods:
        if not pod.ends and not any(True for _ in _monitors(subject, pod)):
            yield on(pod, "no ServiceMonitor or PodMonitor selects it", "metadata", "labels")


def network_policy(subject: Subject) -> Iterator[Mark]:
    """A pod that no policy selects reaches everything, and everything reaches it: one taken over takes the rest."""
    for pod in subject.pods:
        policies = [
            each
            for each in subject.of("NetworkPolicy", *_POLICIES)
            if selects(_selector(each), pod.labels) and subject.together(each.namespace, pod.owner.namespace)
        ]
        others = list(cilium.specs(subject, pod))
        if not policies and not others:
            yield on(pod, "no NetworkPolicy selects it", "metadata", "labels")
            continue
        for kind, key, peers, told in _DIRECTIONS:
            deciding = [each for each in policies if kind in _kinds(each)]
            if not deciding and not any(each.decides(kind) for each in others):
                yield on(pod, f"no NetworkPolicy restricts what may {told} ({kind})", "metadata", "labels")
            for policy in deciding:
                for index, rule in enumerate(listed(policy.get("spec", key))):
                    if _open(rule, peers):
                        yield Mark(policy, ("spec", key, index), f"lets everything {told} ({kind})")
            for spec in others:
                for path in spec.open(kind):
                    yield Mark(spec.policy, path, f"lets everything {told} ({kind})")


def _monitors(subject: Subject, pod: Pod) -> Iterator[Object]:
    for monitor in subject.of("PodMonitor"):
        endpoints = listed(monitor.get("spec", "podMetricsEndpoints"))
        chosen = endpoints and selects(monitor.get("spec", "selector"), pod.labels)
        if chosen and _watches(subject, monitor, pod.owner):
            yield monitor
    selecting = list(services(subject, pod))
    for monitor in subject.of("ServiceMonitor"):
        selector, endpoints = monitor.get("spec", "selector"), listed(monitor.get("spec", "endpoints"))
        if endpoints and any(selects(selector, s.labels) and _watches(subject, monitor, s) for s in selecting):
            yield monitor


def _watches(subject: Subject, monitor: Object, target: Object) -> bool:
    """Whether a monitor looks into the target's namespace: its own, unless it names others, or any."""
    if monitor.get("spec", "namespaceSelector", "any") is True:
        return True
    names = [text(each) for each in listed(monitor.get("spec", "namespaceSelector", "matchNames"))]
    return any(subject.together(name, target.namespace) for name in names or [monitor.namespace])


def _selector(policy: Object) -> object:
    """Whom a policy selects; one that does not say takes every pod (NetworkPolicySpec)."""
    said = policy.get("spec", "podSelector")
    return {} if said is None else said


def _kinds(policy: Object) -> list[str]:
    """What a policy decides on. Where it does not say: Ingress, and Egress if it has such rules (NetworkPolicySpec)."""
    said = [text(each) for each in listed(policy.get("spec", "policyTypes"))]
    return said or ["Ingress", *(["Egress"] if listed(policy.get("spec", "egress")) else [])]


def _open(rule: object, peers: str) -> bool:
    """Whether a rule holds nothing back: all ports, and all the world or all the cluster."""
    if not isinstance(rule, Mapping):
        return False
    ports, others = listed(rule.get("ports")), listed(rule.get(peers))
    return (not ports or any(map(_any_port, ports))) and (not others or any(map(_everybody, others)))


def _any_port(port: object) -> bool:
    first, last = at(port, "port"), at(port, "endPort")
    return first is None or (isinstance(first, int) and isinstance(last, int) and first <= 1 and last >= 65535)


def _everybody(peer: object) -> bool:
    block = at(peer, "ipBlock")
    if block is not None:
        _, _, bits = text(at(block, "cidr")).partition("/")
        return bits.isdecimal() and int(bits) < _FEW and not listed(at(block, "except"))
    return at(peer, "namespaceSelector") == {} and not at(peer, "podSelector")
