"""Dangers of more: who may do more than before, who can be reached from further away, who is held back less."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from gitops.diff.difference import Danger
from gitops.diff.leaves import canonical, same
from gitops.diff.pairs import Pairs
from gitops.policy.finding import safe
from gitops.policy.objects import Object, at, listed, mapping, mappings, text

_RBAC = "rbac.authorization.k8s.io"
_MOST = 1000  # grants of one role that are told apart; of more, rules are compared whole
_TOLD = 4
_CLOUD = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id")
_SCHEMES = ("alb.ingress.kubernetes.io/scheme", "service.beta.kubernetes.io/aws-load-balancer-scheme")
Grant = tuple[str, ...]


def rbac(pairs: Pairs) -> Iterator[Danger]:
    """Roles that allow more, bindings that give to more, and both where they are new."""
    for pair in pairs.pairs:
        new = pair.new
        if new is None or new.group != _RBAC:
            continue
        if new.kind in ("Role", "ClusterRole"):
            more = [_granted(each) for each in _more(pair.old, new)]
            if more:
                yield Danger("rbac-widened", pair.object, f"allows more than before: {_few(more)}")
        elif new.kind in ("RoleBinding", "ClusterRoleBinding"):
            known = set(_subjects(pair.old)) if pair.old else set()
            if given := [each for each in _subjects(new) if each not in known]:
                role = f"{safe(new.get('roleRef', 'kind'))}/{safe(new.get('roleRef', 'name'))}"
                yield Danger("rbac-widened", pair.object, f"gives {role} to {_few(given)}")


def cloud_role(pairs: Pairs) -> Iterator[Danger]:
    """A ServiceAccount that acts in the cloud as somebody else."""
    for pair in pairs.pairs:
        if pair.new is None or pair.new.kind != "ServiceAccount":
            continue
        for key in _CLOUD:
            before, after = (each.annotations.get(key, "") if each else "" for each in (pair.old, pair.new))
            if after and before != after:
                was = f", and not as {safe(before)} any more" if before else ""
                yield Danger("cloud-role-changed", pair.object, f"acts in the cloud as {safe(after)}{was}")


def network(pairs: Pairs) -> Iterator[Danger]:
    """NetworkPolicies that let more through: rules that were not there, directions that they decide no more."""
    for pair in pairs.both:
        old, new = pair.sides
        if new.kind != "NetworkPolicy":
            continue
        for key, told in (("ingress", "in"), ("egress", "out")):
            before = {canonical(each) for each in listed(old.get("spec", key))}
            more = [each for each in listed(new.get("spec", key)) if canonical(each) not in before]
            if more:
                yield Danger("network-policy-loosened", pair.object, f"lets {told} by a rule that it did not have")
        if not same(old.get("spec", "podSelector"), new.get("spec", "podSelector")):
            yield Danger("network-policy-loosened", pair.object, "is about other pods than before")
        if lost := [safe(each) for each in listed(old.get("spec", "policyTypes")) if each not in _types(new)]:
            yield Danger("network-policy-loosened", pair.object, f"decides no more on {', '.join(lost)}")


def exposure(pairs: Pairs) -> Iterator[Danger]:
    """Ways in from outside the cluster that were not there: hosts, paths, ports, load balancers."""
    for pair in pairs.pairs:
        if pair.new is None:
            continue
        before = set(_doors(pair.old)) if pair.old else set()
        if more := [each for each in dict.fromkeys(_doors(pair.new)) if each not in before]:
            yield Danger("exposed", pair.object, f"can be reached from outside in a new way: {_few(more)}")


def _doors(each: Object) -> Iterator[str]:
    """Each way in that an object opens, in words."""
    spec = mapping(each.get("spec"))
    kind = each.kind
    internet = any(each.annotations.get(key) == "internet-facing" for key in _SCHEMES)
    if kind == "Service" and each.group == "":
        yield from _ports(spec, each)
    elif kind == "Ingress":
        for _, rule in mappings(spec.get("rules")):
            paths = [text(path.get("path")) or "/" for _, path in mappings(at(rule, "http", "paths"))] or ["/"]
            yield from (f"{safe(rule.get('host') or '*')}{safe(path)}" for path in paths)
        yield from ("*/" for key in ("defaultBackend", "backend") if spec.get(key))
    elif kind == "Gateway":
        for _, one in mappings(spec.get("listeners") or spec.get("servers")):
            port = mapping(one.get("port"))  # Istio's is a mapping, with the protocol in it
            protocol, number = one.get("protocol") or port.get("protocol"), port.get("number") or one.get("port")
            yield f"{safe(protocol)} {safe(one.get('hostname') or '*')}:{safe(number)}"
    elif kind.endswith("Route") or kind in ("VirtualService", "HTTPProxy"):
        hosts = [host for key in ("hostnames", "hosts") for host in listed(spec.get(key))]
        hosts += [spec.get("host"), at(spec, "virtualhost", "fqdn")]
        hosts += [route.get("match") for _, route in mappings(spec.get("routes"))]
        named = [safe(host) for host in hosts if host]
        yield from named or ["*"]
    else:
        return
    if internet:
        yield "the internet"


def _ports(spec: Any, service: Object) -> Iterator[str]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort"):
        yield from (f"{kind} port {safe(port.get('port'))}" for _, port in mappings(spec.get("ports")))
        ranges = listed(spec.get("loadBalancerSourceRanges"))
        if kind == "LoadBalancer":
            yield from (f"from {safe(each)}" for each in ranges or ["anywhere"])
    yield from (f"external address {safe(each)}" for each in listed(spec.get("externalIPs")))


def _more(old: Object | None, new: Object) -> list[Grant]:
    """What `new` allows and `old` does not; of roles that allow too much to list, the rules that differ."""
    before, after = ([rule for _, rule in mappings(each.get("rules") if each else None)] for each in (old, new))
    if any(sum(map(_size, rules)) > _MOST for rules in (before, after)):
        known = {canonical(rule) for rule in before}
        return [("a rule of", f"{_size(rule)} grants") for rule in after if canonical(rule) not in known]
    grants, wanted = (dict.fromkeys(grant for rule in rules for grant in _grants(rule)) for rules in (before, after))
    wide = [each for each in grants if "*" in each]
    return [each for each in wanted if each not in grants and not any(_covers(one, each) for one in wide)]


def _lists(rule: Any) -> tuple[list[list[str]], list[list[str]]]:
    """What a rule multiplies: verb, API group, resource, name; and verb, URL."""
    verbs, names = _texts(rule.get("verbs")), _texts(rule.get("resourceNames")) or ["*"]
    named = [verbs, _texts(rule.get("apiGroups")), _texts(rule.get("resources")), names]
    return named, [verbs, _texts(rule.get("nonResourceURLs"))]


def _size(rule: Any) -> int:
    return sum(math.prod(map(len, lists)) for lists in _lists(rule))


def _grants(rule: Any) -> Iterator[Grant]:
    for lists in _lists(rule):
        yield from product(*lists)


def _covers(old: Grant, new: Grant) -> bool:
    return len(old) == len(new) and all(one in ("*", other) for one, other in zip(old, new, strict=True))


def _granted(grant: Grant) -> str:
    if len(grant) == 2:
        return f"{safe(grant[0])} {safe(grant[1])}"
    verb, group, resource, name = map(safe, grant)
    return f"{verb} {resource}{f'.{group}' if group else ''}{f'/{name}' if name != '*' else ''}"


def _subjects(binding: Object) -> list[str]:
    return [
        "/".join(safe(who.get(key)) for key in ("kind", "namespace", "name") if who.get(key))
        for _, who in mappings(binding.get("subjects"))
    ]


def _types(policy: Object) -> list[Any]:
    """What a policy decides on; where it does not say, Ingress, and Egress if it has such rules (NetworkPolicySpec)."""
    said = listed(policy.get("spec", "policyTypes"))
    return said or ["Ingress", *(["Egress"] if listed(policy.get("spec", "egress")) else [])]


def _texts(value: object) -> list[str]:
    return [each for each in listed(value) if isinstance(each, str)]


def _few(names: Iterable[str]) -> str:
    listed_ = list(names)
    more = f" and {len(listed_) - _TOLD} more" if len(listed_) > _TOLD else ""
    return f"{', '.join(listed_[:_TOLD])}{more}"
