"""Whatever stands in a manifest, it is judged or refused: nothing raises, and nothing is passed over in silence."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ShiplaneError
from gitops.policy import judge
from gitops.policy.finding import Context
from gitops.policy.objects import Object
from gitops.policy.reading import read
from tests.gitops.manifests import service

_TEXT = """
kind apiVersion metadata name namespace labels annotations spec template jobTemplate containers initContainers
ephemeralContainers image resources requests limits cpu memory livenessProbe readinessProbe httpGet exec port
host securityContext privileged capabilities drop add seccompProfile type sysctls seLinuxOptions volumes
selector matchLabels matchExpressions key operator values policyTypes podSelector ingress egress to from
ipBlock cidr ports endPort endpoints namespaceSelector any matchNames rules verbs subjects roleRef tls hosts
listeners parentRefs filters requestRedirect scheme items data stringData binaryData env value targetRefs sops
os ports hostPort Pod v1 Deployment CronJob Service Ingress NetworkPolicy Secret ConfigMap Role RoleBinding
ServiceMonitor PodMonitor Gateway HTTPRoute SecurityPolicy Middleware ServiceAccount List apps/v1
networking.k8s.io/v1 gateway.networking.k8s.io/v1 rbac.authorization.k8s.io/v1 batch/v1 LoadBalancer windows
alb.ingress.kubernetes.io/listen-ports
"""
_WORDS = st.sampled_from(_TEXT.split())
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
_VALUES = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(_WORDS | st.text(), below, max_size=6),
    max_leaves=40,
)


@given(st.lists(st.dictionaries(_WORDS | st.text() | st.integers() | st.none(), _VALUES, max_size=8), max_size=4))
@settings(max_examples=200, deadline=None)
def test_judging_never_raises(data: list[dict[Any, Any]]) -> None:
    known = Context("wallet", "dev", "wallet", "registry.acme.example", "payments")
    for found in judge([Object(each) for each in data], known):
        assert found.message
        assert found.place.field.isprintable()


_KINDS = st.sampled_from(
    [
        ("v1", "Pod"), ("apps/v1", "Deployment"), ("batch/v1", "CronJob"), ("v1", "Service"), ("v1", "Secret"),
        ("v1", "ConfigMap"), ("v1", "ServiceAccount"), ("networking.k8s.io/v1", "Ingress"),
        ("networking.k8s.io/v1", "NetworkPolicy"), ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"), ("monitoring.coreos.com/v1", "ServiceMonitor"),
        ("monitoring.coreos.com/v1", "PodMonitor"), ("gateway.networking.k8s.io/v1", "Gateway"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"), ("x/v1", "Middleware"), ("x/v1", "SecurityPolicy"),
    ]
)  # fmt: skip


def _shaken(data: Any, draw: Any) -> Any:
    """`data` with some of its values put to something else."""
    if draw(st.integers(0, 11)) == 0:
        return draw(_VALUES)
    if isinstance(data, dict):
        return {key: _shaken(value, draw) for key, value in data.items()}
    return [_shaken(each, draw) for each in data] if isinstance(data, list) else data


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_judging_never_raises_on_what_is_nearly_right(data: st.DataObject) -> None:
    shaken = [_shaken(each, data.draw) for each in service().values()]
    objects = [Object(each) for each in shaken if isinstance(each, dict)]
    objects += [
        Object({"apiVersion": version, "kind": kind, "metadata": data.draw(_VALUES), "spec": data.draw(_VALUES)})
        for version, kind in data.draw(st.lists(_KINDS, max_size=3))
    ]

    assert all(each.rule for each in judge(objects, Context(namespace="wallet", owner="payments")))


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_reading_gives_objects_or_a_refusal(data: bytes) -> None:
    try:
        found, refused = read(data, "x.yaml"), []
    except ShiplaneError as error:
        found, refused = [], [each.place for each in error.problems]
    assert all(each.kind for each in found)
    assert all(place.startswith("x.yaml") for place in refused)
