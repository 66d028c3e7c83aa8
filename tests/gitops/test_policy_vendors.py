"""Kinds of other vendors: Traefik's, Contour's and Istio's routes and gateways, Cilium's policies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gitops.manifests import findings, made, put, service, told

SAID = {"shiplane.dev/authentication": "service"}
TLS, AUTHENTICATION = "exposed-tls", "exposed-authentication"
TRAEFIK, CONTOUR, ISTIO = "traefik.io/v1alpha1", "projectcontour.io/v1", "networking.istio.io/v1"
FORWARD = {"kind": "Rule", "match": "Host(`wallet.acme.example`)", "middlewares": [{"name": "login"}]}
PLAIN = {"kind": "Rule", "match": "Host(`wallet.acme.example`)"}
SENDS = {**PLAIN, "middlewares": [{"name": "to-https"}]}


def rules(*objects: dict[str, Any]) -> set[str]:
    return {each.rule for each in findings({**service(), **{str(key): each for key, each in enumerate(objects)}})}


def named(one: dict[str, Any], name: str, annotations: Any = None) -> dict[str, Any]:
    put(one, "metadata.name", name)
    one["metadata"]["annotations"] = dict(annotations or {})
    return one


def middleware(name: str, spec: Any) -> dict[str, Any]:
    return named(made("Middleware", TRAEFIK, spec=spec), name)


LOGIN, TO_HTTPS = (
    middleware("login", {"forwardAuth": {}}),
    middleware("to-https", {"redirectScheme": {"scheme": "https"}}),
)


def traefik(*routes: Any, tls: Any = None, kind: str = "IngressRoute", said: Any = None) -> dict[str, Any]:
    return named(
        made(kind, TRAEFIK, spec={"routes": list(routes), **({} if tls is None else {"tls": tls})}), "web", said
    )


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(traefik(FORWARD, tls={}), set(), id="closed"),
        pytest.param(traefik(FORWARD, tls={"secretName": "x"}), set(), id="by-a-secret"),
        pytest.param(traefik(PLAIN, tls={}, said=SAID), set(), id="by-a-word"),
        pytest.param(traefik(FORWARD), {TLS}, id="plain"),
        pytest.param(traefik(PLAIN, tls={}), {AUTHENTICATION}, id="strangers"),
        pytest.param(traefik(FORWARD, PLAIN, tls={}), {AUTHENTICATION}, id="strangers-in-part"),
        pytest.param(traefik(tls={}), {AUTHENTICATION}, id="no-route"),
        pytest.param(traefik(SENDS), set(), id="sends-on"),
        pytest.param(traefik(SENDS, PLAIN), {TLS, AUTHENTICATION}, id="sends-on-in-part"),
        pytest.param(traefik(PLAIN, kind="IngressRouteTCP"), {TLS, AUTHENTICATION}, id="tcp"),
        pytest.param(
            traefik(PLAIN, kind="IngressRouteTCP", tls={"passthrough": True}, said=SAID), set(), id="tcp-through"
        ),
        pytest.param(traefik(PLAIN, kind="IngressRouteUDP", said=SAID), {TLS}, id="udp"),
    ],
)
def test_traefik(route: dict[str, Any], expected: set[str]) -> None:
    assert rules(route, LOGIN, TO_HTTPS) == expected


def contour(host: Any, *routes: Any, said: Any = None) -> dict[str, Any]:
    return named(made("HTTPProxy", CONTOUR, spec={"virtualhost": host, "routes": list(routes)}), "web", said)


HOST = {"fqdn": "wallet.acme.example", "tls": {"secretName": "wallet"}}


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        pytest.param(contour(HOST, said=SAID), set(), id="closed"),
        pytest.param(contour({**HOST, "tls": {"passthrough": True}}, said=SAID), set(), id="passthrough"),
        pytest.param(contour({"fqdn": "wallet.acme.example"}, said=SAID), {TLS}, id="plain"),
        pytest.param(contour({**HOST, "tls": {}}, said=SAID), {TLS}, id="no-certificate"),
        pytest.param(contour(HOST, {"permitInsecure": True}, said=SAID), {TLS}, id="plain-too"),
        pytest.param(contour(HOST), {AUTHENTICATION}, id="strangers"),
        pytest.param(contour({**HOST, "authorization": {"extensionRef": {"name": "x"}}}), set(), id="external"),
        pytest.param(
            contour({**HOST, "authorization": {"extensionRef": {"name": "x"}, "authPolicy": {"disabled": True}}}),
            {AUTHENTICATION},
            id="external-switched-off",
        ),
        pytest.param(contour({**HOST, "jwtProviders": [{"name": "a", "default": True}]}), set(), id="tokens"),
        pytest.param(contour({**HOST, "jwtProviders": [{"name": "a"}]}), {AUTHENTICATION}, id="tokens-where-asked"),
        pytest.param(
            contour({**HOST, "tls": {"secretName": "x", "clientValidation": {"caSecret": "ca"}}}),
            set(),
            id="certificates",
        ),
        pytest.param(
            contour(
                {
                    **HOST,
                    "tls": {
                        "secretName": "x",
                        "clientValidation": {"caSecret": "ca", "optionalClientCertificate": True},
                    },
                }
            ),
            {AUTHENTICATION},
            id="certificates-if-any",
        ),
        pytest.param(named(made("HTTPProxy", CONTOUR, spec={"routes": [{}]}), "part"), set(), id="included"),
    ],
)
def test_contour(proxy: dict[str, Any], expected: set[str]) -> None:
    assert rules(proxy) == expected


def server(protocol: str, **tls: Any) -> dict[str, Any]:
    return {"port": {"number": 443, "protocol": protocol}, "hosts": ["*"], **({"tls": tls} if tls else {})}


def gateway(*servers: Any) -> dict[str, Any]:
    return named(made("Gateway", ISTIO, spec={"servers": list(servers)}), "edge")


def virtual(gateways: list[str], http: Any = ({"route": []},), said: Any = None, **more: Any) -> dict[str, Any]:
    return named(made("VirtualService", ISTIO, spec={"gateways": gateways, "http": list(http), **more}), "web", said)


def authorized(action: str | None, *rows: Any) -> dict[str, Any]:
    spec = {"rules": list(rows), **({"action": action} if action else {})}
    return named(made("AuthorizationPolicy", "security.istio.io/v1", spec=spec), "who")


WHO = {"from": [{"source": {"requestPrincipals": ["*"]}}]}
SIMPLE, MUTUAL = server("HTTPS", mode="SIMPLE", credentialName="x"), server("HTTPS", mode="MUTUAL", credentialName="x")


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param([gateway(SIMPLE)], set(), id="tls"),
        pytest.param([gateway(server("HTTP", httpsRedirect=True), SIMPLE)], set(), id="sends-on"),
        pytest.param([gateway(server("HTTP"), SIMPLE)], {TLS}, id="plain-too"),
        pytest.param([gateway(server("TCP"))], {TLS}, id="tcp"),
        pytest.param([gateway(server("HTTPS"))], {TLS}, id="https-without-a-certificate"),
        pytest.param([gateway(SIMPLE), virtual(["edge"])], {AUTHENTICATION}, id="strangers"),
        pytest.param([gateway(SIMPLE), virtual(["edge"], said=SAID)], set(), id="by-a-word"),
        pytest.param([virtual(["mesh"])], set(), id="in-the-mesh"),
        pytest.param([virtual([])], set(), id="in-the-mesh-by-default"),
        pytest.param([virtual(["mesh", "infra/edge"])], {AUTHENTICATION}, id="in-the-mesh-and-outside"),
        pytest.param([gateway(MUTUAL), virtual(["edge"])], set(), id="certificates"),
        pytest.param([gateway(MUTUAL), virtual(["wallet/edge"])], set(), id="certificates-by-namespace"),
        pytest.param([gateway(MUTUAL), virtual(["edge", "other"])], {AUTHENTICATION}, id="another-gateway-too"),
        pytest.param([gateway(MUTUAL, SIMPLE), virtual(["edge"])], {AUTHENTICATION}, id="certificates-in-part"),
        pytest.param(
            [gateway(server("HTTPS", mode="OPTIONAL_MUTUAL")), virtual(["edge"])], {AUTHENTICATION}, id="if-any"
        ),
        pytest.param([virtual(["x"], [{"redirect": {"scheme": "https"}}])], set(), id="redirects"),
        pytest.param(
            [virtual(["x"], [{"redirect": {"scheme": "https"}}], tcp=[{"route": []}])],
            {AUTHENTICATION},
            id="tcp-beside",
        ),
        pytest.param([virtual(["x"]), authorized(None, WHO)], set(), id="who"),
        pytest.param([virtual(["x"]), authorized("CUSTOM", {})], set(), id="asks-somebody"),
        pytest.param([virtual(["x"]), authorized("DENY", WHO)], {AUTHENTICATION}, id="denies"),
        pytest.param([virtual(["x"]), authorized("ALLOW", WHO, {})], {AUTHENTICATION}, id="anybody-too"),
        pytest.param(
            [virtual(["x"]), authorized("ALLOW", {"from": [{"source": {"namespaces": ["a"]}}]})],
            {AUTHENTICATION},
            id="by-namespace",
        ),
    ],
)
def test_istio(objects: list[Any], expected: set[str]) -> None:
    assert rules(*objects) == expected


def test_the_same_names_of_other_groups_are_something_else() -> None:
    assert (
        rules(
            made("IngressRoute", "acme.example/v1"), made("VirtualService", "acme.example/v1", spec={"gateways": ["x"]})
        )
        == set()
    )


def test_each_is_placed_where_it_is_mended() -> None:
    objects = {
        **service(),
        "a": traefik(PLAIN),
        "b": contour({"fqdn": "x"}, {"permitInsecure": True}),
        "c": gateway(server("HTTP")),
    }

    assert told(findings(objects)) == {
        (TLS, "spec"),
        (TLS, "spec.virtualhost"),
        (TLS, "spec.routes[0].permitInsecure"),
        (TLS, "spec.servers[0]"),
        (AUTHENTICATION, "metadata.annotations"),
    }


SELECTOR = {"matchLabels": {"k8s:shiplane.dev/service": "wallet"}}
BOTH: dict[str, Any] = {"ingress": [{"fromEndpoints": [{}]}], "egress": [{"toCIDR": ["10.0.0.0/16"]}]}


def cilium(spec: Any = None, **rest: Any) -> dict[str, Any]:
    return made("CiliumNetworkPolicy", "cilium.io/v2", **({} if spec is None else {"spec": spec}), **rest)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(cilium({"endpointSelector": SELECTOR, **BOTH}), set(), id="both"),
        pytest.param(cilium(specs=[{"endpointSelector": SELECTOR, **BOTH}]), set(), id="specs"),
        pytest.param(cilium({"endpointSelector": {}, **BOTH}), set(), id="every-pod"),
        pytest.param(
            cilium({"endpointSelector": {"matchLabels": {"x": "y"}}, **BOTH}), {"no NetworkPolicy"}, id="others"
        ),
        pytest.param(cilium({"nodeSelector": {}, **BOTH}), {"no NetworkPolicy"}, id="nodes"),
        pytest.param(
            cilium({"endpointSelector": SELECTOR, "ingress": [{}]}), {"no NetworkPolicy restricts"}, id="ingress-alone"
        ),
        pytest.param(
            cilium({"endpointSelector": SELECTOR, "ingress": [{}], "egress": [{}]}), set(), id="empty-rules-deny"
        ),
        pytest.param(
            cilium({"endpointSelector": SELECTOR, **BOTH, "enableDefaultDeny": {"egress": False}}),
            {"no NetworkPolicy restricts"},
            id="no-default-deny",
        ),
        pytest.param(
            cilium({"endpointSelector": SELECTOR, **BOTH, "ingress": [{"fromEntities": ["world"]}]}),
            {"lets everything reach"},
            id="the-world",
        ),
        pytest.param(
            cilium(
                {
                    "endpointSelector": SELECTOR,
                    **BOTH,
                    "ingress": [{"fromEntities": ["world"], "toPorts": [{"ports": []}]}],
                }
            ),
            set(),
            id="the-world-at-a-port",
        ),
        pytest.param(
            cilium({"endpointSelector": SELECTOR, **BOTH, "egress": [{"toCIDRSet": [{"cidr": "0.0.0.0/0"}]}]}),
            {"lets everything be reached"},
            id="every-address",
        ),
        pytest.param(
            cilium(
                {
                    "endpointSelector": SELECTOR,
                    **BOTH,
                    "egress": [{"toCIDRSet": [{"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}]}],
                }
            ),
            set(),
            id="every-address-but",
        ),
    ],
)
def test_a_policy_of_cilium(policy: dict[str, Any], expected: set[str]) -> None:
    objects = service()
    del objects["NetworkPolicy"]
    found = [each for each in findings({**objects, "policy": policy}) if each.rule == "network-policy"]

    assert {next(words for words in SAYINGS if each.message.startswith(words)) for each in found} == expected


SAYINGS = (
    "no NetworkPolicy restricts",
    "no NetworkPolicy",
    "lets everything reach",
    "lets everything be reached",
)


def test_beside_kubernetes_own_policy_one_of_cilium_only_adds() -> None:
    assert rules(cilium({"endpointSelector": SELECTOR, "egress": [{"toEntities": ["all"]}]})) == {"network-policy"}
