"""What can be called from outside the cluster: only over TLS, and only by callers who are known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from gitops.policy import vendors
from gitops.policy.finding import Mark, Subject, safe
from gitops.policy.objects import Object, at, listed, mapping, mappings, text

AUTHENTICATION = "shiplane.dev/authentication"
"""The annotation in which an exposing object says who makes sure that callers are known."""
BY = ("service", "controller")
_INGRESS = ("networking.k8s.io", "extensions")
_GATEWAY = "gateway.networking.k8s.io"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
_ALB, _NGINX, _TRAEFIK = "alb.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/", "traefik.ingress.kubernetes.io/"
_MIDDLEWARES = f"{_TRAEFIK}router.middlewares"
_NLB_CERTIFICATE = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
# what controllers call it: nginx, HAProxy and the ALB's by the end of the key
_KNOWN = re.compile(r".*/(?:auth-type|auth-url|auth-tls-secret)")
_ENVOY = ("jwt", "oidc", "basicAuth", "apiKeyAuth", "extAuth")
_VERIFY = re.compile(r"off|optional.*")  # nginx: then a caller without a certificate is let in
_OFF = ("", "none", "off", "false")


def exposed_tls(subject: Subject) -> Iterator[Mark]:
    """What leaves the cluster in the clear is read and changed on its way: sessions, keys, orders.

    A port that only sends callers on to HTTPS is no exposure. A route's TLS is its Gateway's, where that is known.
    """
    for service in _services(subject):
        if not text(service.annotations.get(_NLB_CERTIFICATE)):
            kind = safe(service.get("spec", "type") or "a Service with externalIPs")
            yield Mark(service, ("spec", "type"), f"{kind} is open to the outside without TLS that is known")
    for ingress in _ingresses(subject):
        yield from _clear(ingress)
    for gateway in subject.of("Gateway", _GATEWAY):
        for index, listener in mappings(gateway.get("spec", "listeners")):
            if not _encrypts(listener) and not _only_redirects(subject, gateway, text(listener.get("name"))):
                told = f"its listener {safe(listener.get('name'))} takes {safe(listener.get('protocol'))} without TLS"
                yield Mark(gateway, ("spec", "listeners", index), told)
    yield from vendors.clear(subject)


def exposed_authentication(subject: Subject) -> Iterator[Mark]:
    """What is open to the outside answers strangers, unless somebody asks who they are: the service, or its controller.

    A certificate keeps others from listening; it lets everybody in.
    """
    for each in _services(subject):
        if _statement(each) is None:
            yield Mark(each, ("metadata", "annotations"), "is open to the outside, and nothing says who authenticates")
    for each in _ingresses(subject):
        if _statement(each) is None and not _authenticates(subject, each):
            yield Mark(each, ("metadata", "annotations"), "is open to the outside, and nothing says who authenticates")
    for kind in _ROUTES:
        for each in subject.of(kind, _GATEWAY):
            known = _statement(each) is not None or _redirects(each) or _guarded(subject, each)
            if not known:
                yield Mark(each, ("metadata", "annotations"), "routes to a service, and nothing says who authenticates")
    for each in vendors.strangers(subject, _authenticating):
        if _statement(each) is None:
            yield Mark(each, ("metadata", "annotations"), "routes to a service, and nothing says who authenticates")


def _services(subject: Subject) -> Iterator[Object]:
    for service in subject.of("Service", ""):
        if service.get("spec", "type") in ("LoadBalancer", "NodePort") or listed(service.get("spec", "externalIPs")):
            yield service


def _ingresses(subject: Subject) -> Iterator[Object]:
    return (each for each in subject.of("Ingress") if each.group in _INGRESS)


def _statement(each: Object) -> str | None:
    """Who authenticates, where the object says so in a word that is known."""
    said = each.annotations.get(AUTHENTICATION, "")
    return said if said in BY else None


# ---- TLS


def _clear(ingress: Object) -> Iterator[Mark]:
    """Where an Ingress serves without TLS: a host that no certificate is for, or a plain port that stays open."""
    notes = ingress.annotations
    entries = [each for _, each in mappings(ingress.get("spec", "tls"))]
    hosts = {text(host) for each in entries for host in listed(each.get("hosts"))}
    whole = f"{_ALB}certificate-arn" in notes or notes.get(f"{_TRAEFIK}router.tls") == "true"
    whole = whole or any(not listed(each.get("hosts")) for each in entries)  # a certificate for whatever it names
    rules = [text(each.get("host")) for _, each in mappings(ingress.get("spec", "rules"))] or [""]
    for host in [] if whole else dict.fromkeys(rules):
        if not _covered(host, hosts):
            yield Mark(ingress, ("spec", "tls"), f"serves {safe(host) or 'every host'} without TLS")
    if "HTTP" in _ports(notes.get(f"{_ALB}listen-ports", "")) and f"{_ALB}ssl-redirect" not in notes:
        path = ("metadata", "annotations", f"{_ALB}listen-ports")
        yield Mark(ingress, path, "listens to plain HTTP too, without sending callers on")
    if notes.get(f"{_NGINX}ssl-redirect") == "false" and notes.get(f"{_NGINX}force-ssl-redirect") != "true":
        path = ("metadata", "annotations", f"{_NGINX}ssl-redirect")
        yield Mark(ingress, path, "answers plain HTTP too, without sending callers on")


def _covered(host: str, hosts: set[str]) -> bool:
    return bool(host) and (host in hosts or f"*.{host.partition('.')[2]}" in hosts)


def _ports(value: str) -> set[str]:
    """The protocols in the ALB's listen-ports, `[{"HTTP": 80}, {"HTTPS": 443}]`."""
    return {key for each in listed(_json(value)) for key in mapping(each)}


def _encrypts(listener: Any) -> bool:
    """Whether a Gateway's listener serves TLS: with a certificate, or passed through to the service."""
    tls = mapping(mapping(listener).get("tls"))
    certificates = listed(tls.get("certificateRefs")) or mapping(tls.get("options"))
    return mapping(listener).get("protocol") in ("HTTPS", "TLS") and (
        bool(certificates) or tls.get("mode") == "Passthrough"
    )


def _only_redirects(subject: Subject, gateway: Object, listener: str) -> bool:
    """Whether the routes here that name this listener do nothing but send callers on to HTTPS, and there is one."""
    named = [each for each in subject.of("HTTPRoute", _GATEWAY) if _attached(subject, each, gateway, listener)]
    return bool(named) and all(map(_redirects, named))


def _attached(subject: Subject, route: Object, gateway: Object, listener: str) -> bool:
    return any(
        parent.get("name") == gateway.name
        and parent.get("sectionName") in (None, listener)
        and subject.together(text(parent.get("namespace")) or route.namespace, gateway.namespace)
        for _, parent in mappings(route.get("spec", "parentRefs"))
    )


def _redirects(route: Object) -> bool:
    rules = [each for _, each in mappings(route.get("spec", "rules"))]
    return bool(rules) and all(
        any(at(each, "requestRedirect", "scheme") == "https" for each in listed(rule.get("filters"))) for rule in rules
    )


# ---- authentication


def _authenticates(subject: Subject, ingress: Object) -> bool:
    """Whether annotations that controllers know make them authenticate."""
    for key, value in ingress.annotations.items():
        optional = key.endswith("/auth-tls-secret") and _VERIFY.fullmatch(
            ingress.annotations.get(f"{_NGINX}auth-tls-verify-client", "on")
        )
        if _KNOWN.fullmatch(key) and value.strip().lower() not in _OFF and not optional:
            return True
    clients = listed(_json(ingress.annotations.get(f"{_ALB}mutual-authentication", "")))
    if clients and all(at(each, "mode") == "verify" for each in clients):
        return True
    named = [each.strip() for each in ingress.annotations.get(_MIDDLEWARES, "").split(",")]
    return any(_authenticating(subject, each.partition("@")[0]) for each in named if each)


def _authenticating(subject: Subject, middleware: str) -> bool:
    """Whether one of Traefik's middlewares, `namespace-name`, authenticates; of one that is not here its name tells."""
    here = [each for each in subject.of("Middleware") if f"-{middleware}".endswith(f"-{each.name}")]
    if here:
        return any("auth" in text(key).lower() for each in here for key in mapping(each.get("spec")))
    return "auth" in middleware.lower()


def _guarded(subject: Subject, route: Object) -> bool:
    """Whether a route's filters ask somebody, or a SecurityPolicy of Envoy Gateway is for it."""
    filters = [each for _, rule in mappings(route.get("spec", "rules")) for each in listed(rule.get("filters"))]
    if any(at(each, "type") == "ExternalAuth" for each in filters):
        return True
    for policy in subject.of("SecurityPolicy"):
        targets = [policy.get("spec", "targetRef"), *listed(policy.get("spec", "targetRefs"))]
        aimed = any((at(each, "kind"), at(each, "name")) == (route.kind, route.name) for each in targets)
        if aimed and any(mapping(policy.get("spec", key)) for key in _ENVOY):
            return True
    return False


def _json(value: str) -> Any:
    try:
        return json.loads(value) if value else None
    except (ValueError, RecursionError):
        return None
