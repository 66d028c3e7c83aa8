"""What may be open to the outside: with TLS, and with a word on who authenticates."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.gitops.manifests import findings, made, put, service, told

HOST = "wallet.acme.example"
SAID = {"shiplane.dev/authentication": "service"}
ALB, NGINX, TRAEFIK = "alb.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/", "traefik.ingress.kubernetes.io/"
TLS, AUTHENTICATION = "exposed-tls", "exposed-authentication"
HTTP = {"name": "http", "protocol": "HTTP", "port": 80}
HTTPS = {"name": "https", "protocol": "HTTPS", "port": 443, "tls": {"certificateRefs": [{"name": "wallet-tls"}]}}
REDIRECT = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}


def ingress(annotations: dict[str, str], tls: Any = (), host: str = HOST) -> dict[str, Any]:
    rule = {"host": host, "http": {"paths": []}} if host else {"http": {"paths": []}}
    spec = {"tls": [{"hosts": [HOST], "secretName": "wallet-tls"}] if tls == () else tls, "rules": [rule]}
    made_one = made("Ingress", "networking.k8s.io/v1", spec=spec)
    made_one["metadata"]["annotations"] = annotations
    return made_one


def rules(*objects: dict[str, Any]) -> set[str]:
    return {each.rule for each in findings({**service(), **{str(key): each for key, each in enumerate(objects)}})}


@pytest.mark.parametrize(
    "annotations",
    [
        SAID,
        {"shiplane.dev/authentication": "controller"},
        {f"{NGINX}auth-url": "https://login.acme.example/check"},
        {f"{NGINX}auth-type": "basic", f"{NGINX}auth-secret": "users"},
        {f"{NGINX}auth-tls-secret": "wallet/ca"},
        {f"{NGINX}auth-tls-secret": "wallet/ca", f"{NGINX}auth-tls-verify-client": "on"},
        {f"{ALB}auth-type": "oidc"},
        {f"{ALB}auth-type": "cognito"},
        {f"{ALB}mutual-authentication": '[{"port": 443, "mode": "verify", "trustStore": "x"}]'},
        {f"{TRAEFIK}router.middlewares": "wallet-strip@kubernetescrd,wallet-auth@kubernetescrd"},
        {"haproxy-ingress.github.io/auth-url": "https://login.acme.example/check"},
    ],
)
def test_who_authenticates_is_said(annotations: dict[str, str]) -> None:
    assert rules(ingress(annotations)) == set()


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {"shiplane.dev/authentication": "nobody"},
        {"shiplane.dev/authentication": ""},
        {f"{NGINX}auth-signin": "https://login.acme.example"},
        {f"{NGINX}auth-url": ""},
        {f"{NGINX}auth-tls-secret": "wallet/ca", f"{NGINX}auth-tls-verify-client": "off"},
        {f"{NGINX}auth-tls-secret": "wallet/ca", f"{NGINX}auth-tls-verify-client": "optional_no_ca"},
        {f"{ALB}auth-type": "none"},
        {f"{ALB}mutual-authentication": '[{"port": 443, "mode": "verify"}, {"port": 80, "mode": "off"}]'},
        {f"{ALB}mutual-authentication": "["},
        {f"{TRAEFIK}router.middlewares": "wallet-strip@kubernetescrd"},
    ],
)
def test_who_authenticates_is_not_said(annotations: dict[str, str]) -> None:
    assert rules(ingress(annotations)) == {AUTHENTICATION}


@pytest.mark.parametrize(("spec", "expected"), [({"stripPrefix": {}}, {AUTHENTICATION}), ({"forwardAuth": {}}, set())])
def test_a_middleware_that_is_here_is_looked_into(spec: dict[str, Any], expected: set[str]) -> None:
    middleware = made("Middleware", "traefik.io/v1alpha1", spec=spec)
    put(middleware, "metadata.name", "auth")

    assert rules(ingress({f"{TRAEFIK}router.middlewares": "wallet-auth@kubernetescrd"}), middleware) == expected


@pytest.mark.parametrize(
    ("annotations", "tls", "host"),
    [
        ({}, [], HOST),
        ({}, None, HOST),
        ({}, [{"hosts": ["other.acme.example"]}], HOST),
        ({}, [{"hosts": ["*.acme.example"]}], "a.wallet.acme.example"),
        ({}, [{"hosts": [HOST]}], ""),
        ({f"{NGINX}ssl-redirect": "false"}, (), HOST),
        ({f"{ALB}listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]'}, (), HOST),
    ],
)
def test_an_ingress_without_tls(annotations: dict[str, str], tls: Any, host: str) -> None:
    assert rules(ingress({**SAID, **annotations}, tls, host)) == {TLS}


@pytest.mark.parametrize(
    ("annotations", "tls"),
    [
        ({}, [{"hosts": ["*.acme.example"], "secretName": "x"}]),
        ({}, [{"secretName": "x"}]),
        ({f"{ALB}certificate-arn": "arn:aws:acm:eu-west-1:123456789012:certificate/x"}, []),
        ({f"{ALB}listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', f"{ALB}ssl-redirect": "443"}, ()),
        ({f"{NGINX}ssl-redirect": "false", f"{NGINX}force-ssl-redirect": "true"}, ()),
        ({f"{TRAEFIK}router.tls": "true"}, []),
    ],
)
def test_an_ingress_with_tls(annotations: dict[str, str], tls: Any) -> None:
    assert rules(ingress({**SAID, **annotations}, tls)) == set()


def gateway(*listeners: dict[str, Any]) -> dict[str, Any]:
    return made("Gateway", "gateway.networking.k8s.io/v1", spec={"listeners": list(listeners)})


def route(*rows: dict[str, Any], section: str | None = None, annotations: Any = SAID) -> dict[str, Any]:
    parent = {"name": "wallet", **({"sectionName": section} if section else {})}
    one = made("HTTPRoute", "gateway.networking.k8s.io/v1", spec={"parentRefs": [parent], "rules": list(rows)})
    one["metadata"]["annotations"] = copy.deepcopy(annotations)
    return one


@pytest.mark.parametrize(
    ("listeners", "routes", "expected"),
    [
        pytest.param([HTTPS], [route({})], set(), id="https"),
        pytest.param([HTTP], [route({})], {TLS}, id="http"),
        pytest.param(
            [HTTP, HTTPS], [route({}, section="https"), route(REDIRECT, section="http")], set(), id="redirect"
        ),
        pytest.param([HTTP, HTTPS], [route({}, section="https")], {TLS}, id="http-without-a-route"),
        pytest.param([HTTP, HTTPS], [route(REDIRECT, {}, section="http")], {TLS}, id="redirects-in-part"),
        pytest.param([HTTP, HTTPS], [route({}), route(REDIRECT, section="http")], {TLS}, id="a-route-on-both"),
        pytest.param([{**HTTPS, "tls": {}}], [], {TLS}, id="https-without-a-certificate"),
        pytest.param([{**HTTPS, "tls": {"options": {"x/certificate": "y"}}}], [], set(), id="https-by-an-option"),
        pytest.param([{"name": "x", "protocol": "TLS", "tls": {"mode": "Passthrough"}}], [], set(), id="passthrough"),
        pytest.param([{"name": "x", "protocol": "TCP", "port": 5432}], [], {TLS}, id="tcp"),
        pytest.param([HTTPS], [route({}, annotations={})], {AUTHENTICATION}, id="no-word"),
        pytest.param([HTTPS], [route(REDIRECT, annotations={})], set(), id="redirect-needs-none"),
        pytest.param(
            [HTTPS], [route({"filters": [{"type": "ExternalAuth"}]}, annotations={})], set(), id="external-auth"
        ),
    ],
)
def test_a_gateway(listeners: list[Any], routes: list[Any], expected: set[str]) -> None:
    assert rules(gateway(*listeners), *routes) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"targetRefs": [{"kind": "HTTPRoute", "name": "wallet"}], "oidc": {"provider": {}}}, set()),
        ({"targetRef": {"kind": "HTTPRoute", "name": "wallet"}, "jwt": {"providers": []}}, set()),
        ({"targetRefs": [{"kind": "HTTPRoute", "name": "wallet"}], "cors": {"x": 1}}, {AUTHENTICATION}),
        ({"targetRefs": [{"kind": "HTTPRoute", "name": "other"}], "oidc": {"provider": {}}}, {AUTHENTICATION}),
    ],
)
def test_a_security_policy_of_envoy_gateway(spec: dict[str, Any], expected: set[str]) -> None:
    policy = made("SecurityPolicy", "gateway.envoyproxy.io/v1alpha1", spec=spec)

    assert rules(route({}, annotations={}), policy) == expected


def test_a_route_of_another_namespace_redirects_for_its_own_gateway() -> None:
    away = route(REDIRECT, section="http")
    put(away, "spec.parentRefs.0.namespace", "other")

    assert rules(gateway(HTTP, HTTPS), away) == {TLS}


def test_each_finding_is_placed_where_it_is_mended() -> None:
    objects = {**service(), "it": ingress({}, [])}
    put(objects["Service"], "spec.type", "NodePort")
    found = told(findings({**objects, "gateway": gateway(HTTP), "route": route({}, annotations={})}))

    assert found == {
        (TLS, "spec.type"),
        (TLS, "spec.tls"),
        (TLS, "spec.listeners[0]"),
        (AUTHENTICATION, "metadata.annotations"),
    }


def test_a_load_balancer_with_a_certificate_and_a_word() -> None:
    objects = service()
    put(objects["Service"], "spec.type", "LoadBalancer")
    certificate = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"
    objects["Service"]["metadata"]["annotations"] = {certificate: "arn:aws:acm:x", **SAID}

    assert findings(objects) == []


def test_a_service_of_knative_is_no_service_of_kubernetes() -> None:
    assert rules(made("Service", "serving.knative.dev/v1", spec={"type": "LoadBalancer"})) == set()
