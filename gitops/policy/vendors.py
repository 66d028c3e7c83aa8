"""What opens a service to the outside in kinds of other vendors: Traefik's, Contour's and Istio's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops.policy.finding import Mark, Subject, safe
from gitops.policy.objects import Object, at, listed, mapping, mappings, text

_TRAEFIK = ("traefik.io", "traefik.containo.us")
_CONTOUR = "projectcontour.io"
_ISTIO, _ISTIO_SECURITY = "networking.istio.io", "security.istio.io"
_MUTUAL = ("MUTUAL", "ISTIO_MUTUAL")  # OPTIONAL_MUTUAL lets in without a certificate
_PRINCIPALS = ("principals", "requestPrincipals")


def clear(subject: Subject) -> Iterator[Mark]:
    """Where they serve without TLS: a redirect to HTTPS alone serves nothing."""
    for kind in ("IngressRoute", "IngressRouteTCP"):
        for route in subject.of(kind, *_TRAEFIK):
            if route.get("spec", "tls") is None and not _sends_on(subject, route):
                yield Mark(route, ("spec",), "serves without TLS")
    for route in subject.of("IngressRouteUDP", *_TRAEFIK):
        yield Mark(route, ("spec",), "serves UDP, without TLS that is known")
    for proxy in _hosts(subject):
        tls = mapping(proxy.get("spec", "virtualhost", "tls"))
        if not (tls.get("secretName") or tls.get("passthrough")):
            yield Mark(proxy, ("spec", "virtualhost"), f"serves {safe(_fqdn(proxy))} without TLS")
        for index, rule in mappings(proxy.get("spec", "routes")):
            if rule.get("permitInsecure") is True:
                yield Mark(proxy, ("spec", "routes", index, "permitInsecure"), "answers plain HTTP too")
    for gateway in subject.of("Gateway", _ISTIO):
        for index, server in mappings(gateway.get("spec", "servers")):
            if not _encrypts(server):
                number, protocol = (safe(at(server, "port", key)) for key in ("number", "protocol"))
                told = f"its port {number} takes {protocol} without TLS"
                yield Mark(gateway, ("spec", "servers", index), told)


def strangers(subject: Subject, authenticating: Callable[[Subject, str], bool]) -> Iterator[Object]:
    """What answers callers whom nobody has asked who they are; of Traefik's middlewares `authenticating` tells it."""
    for kind in ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP"):
        for route in subject.of(kind, *_TRAEFIK):
            rules = [each for _, each in mappings(route.get("spec", "routes"))]
            asked = [any(authenticating(subject, name) for name in _middlewares(rule)) for rule in rules]
            if not (rules and all(asked)) and not _sends_on(subject, route):
                yield route
    for proxy in _hosts(subject):
        if not _contour_asks(proxy):
            yield proxy
    for service in subject.of("VirtualService", _ISTIO):
        gateways = [text(each) for each in listed(service.get("spec", "gateways"))]
        outside = [each for each in gateways if each != "mesh"]  # without any it is for the mesh alone
        if outside and not (
            _redirects(service) or _certified(subject, service, outside) or _authorized(subject, service)
        ):
            yield service


# ---- Traefik


def _middlewares(rule: object) -> list[str]:
    return [text(each.get("name")) for _, each in mappings(at(rule, "middlewares"))]


def _sends_on(subject: Subject, route: Object) -> bool:
    """Whether each of its rules has a middleware here that sends callers on to HTTPS."""
    to_https = {
        each.name
        for each in subject.of("Middleware", *_TRAEFIK)
        if at(each.get("spec", "redirectScheme"), "scheme") == "https"
    }
    rules = [each for _, each in mappings(route.get("spec", "routes"))]
    return bool(rules) and all(to_https.intersection(_middlewares(rule)) for rule in rules)


# ---- Contour


def _hosts(subject: Subject) -> Iterator[Object]:
    """The proxies that have a host; others are included by one of these."""
    return (each for each in subject.of("HTTPProxy", _CONTOUR) if each.get("spec", "virtualhost") is not None)


def _fqdn(proxy: Object) -> object:
    return proxy.get("spec", "virtualhost", "fqdn")


def _contour_asks(proxy: Object) -> bool:
    host = mapping(proxy.get("spec", "virtualhost"))
    external = mapping(host.get("authorization"))
    if external.get("extensionRef") and at(external, "authPolicy", "disabled") is not True:
        return True
    clients = mapping(at(host, "tls", "clientValidation"))
    certificates = bool(clients) and not (
        clients.get("skipClientCertValidation") or clients.get("optionalClientCertificate")
    )
    tokens = [each for _, each in mappings(host.get("jwtProviders"))]
    return certificates or any(each.get("default") is True for each in tokens)


# ---- Istio


def _encrypts(server: object) -> bool:
    if at(server, "port", "protocol") in ("HTTPS", "TLS"):
        return bool(mapping(at(server, "tls")))
    return at(server, "tls", "httpsRedirect") is True


def _redirects(service: Object) -> bool:
    rules = [each for _, each in mappings(service.get("spec", "http"))]
    others = listed(service.get("spec", "tcp")) or listed(service.get("spec", "tls"))
    return bool(rules) and not others and all(at(each, "redirect", "scheme") == "https" for each in rules)


def _certified(subject: Subject, service: Object, gateways: list[str]) -> bool:
    """Whether each gateway that it names is here and asks every caller for a certificate."""
    here = set()
    for each in subject.of("Gateway", _ISTIO):
        servers = [server for _, server in mappings(each.get("spec", "servers"))]
        closed = (at(s, "tls", "mode") in _MUTUAL or at(s, "tls", "httpsRedirect") is True for s in servers)
        if servers and all(closed):
            here.add(f"{each.namespace}/{each.name}")
            here |= {each.name} if subject.together(each.namespace, service.namespace) else set()
    return here.issuperset(gateways)


def _authorized(subject: Subject, service: Object) -> bool:
    """Whether an AuthorizationPolicy of its namespace lets in only who is known, or asks somebody."""
    for policy in subject.of("AuthorizationPolicy", _ISTIO_SECURITY):
        if not subject.together(policy.namespace, service.namespace):
            continue
        rules = [each for _, each in mappings(policy.get("spec", "rules"))]
        action = policy.get("spec", "action") or "ALLOW"
        if rules and (action == "CUSTOM" or (action == "ALLOW" and all(map(_names, rules)))):
            return True
    return False


def _names(rule: object) -> bool:
    """Whether a rule lets in only callers with a name."""
    sources = [mapping(each.get("source")) for _, each in mappings(at(rule, "from"))]
    return bool(sources) and all(any(listed(source.get(key)) for key in _PRINCIPALS) for source in sources)
