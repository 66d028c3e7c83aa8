"""What the service's pods may do in AWS and in Kubernetes: nothing that was not said."""

from __future__ import annotations

from typing import Any

import pytest

from generator.errors import ShiplaneError
from tests.charts.golden import Render, pod

ROLE = "arn:aws:iam::123456789012:role/exchange/wallet"
RULE = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["limits"], "verbs": ["get", "watch"]}


def test_without_a_word_it_may_do_nothing(render: Render) -> None:
    rendered = render()
    assert not {"Role", "RoleBinding"} & rendered.keys()
    assert "annotations" not in rendered["ServiceAccount"]["metadata"]
    assert pod(rendered)["automountServiceAccountToken"] is False


def test_an_aws_role_comes_by_irsa(render: Render) -> None:
    account = {"annotations": {"acme.example/note": "yes"}}
    rendered = render({"aws": {"roleArn": ROLE}, "serviceAccount": account})
    annotations = rendered["ServiceAccount"]["metadata"]["annotations"]
    assert annotations == {"eks.amazonaws.com/role-arn": ROLE, "acme.example/note": "yes"}
    assert pod(rendered)["serviceAccountName"] == rendered["ServiceAccount"]["metadata"]["name"]
    assert pod(rendered)["automountServiceAccountToken"] is False  # IRSA projects a token of its own


@pytest.mark.parametrize("enabled", [True, False])
def test_pod_identity_opens_the_way_to_its_agent(render: Render, enabled: bool) -> None:
    egress = render({"aws": {"podIdentity": enabled}})["NetworkPolicy"]["spec"]["egress"]
    agent = {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"port": 80, "protocol": "TCP"}]}
    assert (agent in egress) is enabled


def test_rules_make_a_role_of_its_own_and_a_token(render: Render) -> None:
    rendered = render({"serviceAccount": {"rules": [RULE]}})
    assert rendered["Role"]["rules"] == [RULE]
    binding = rendered["RoleBinding"]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "wallet"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "wallet", "namespace": "wallets"}]
    assert pod(rendered)["automountServiceAccountToken"] is True
    assert rendered["ServiceAccount"]["automountServiceAccountToken"] is False


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("two ways to one role", {"aws": {"roleArn": ROLE, "podIdentity": True}}),
    ("roleArn", {"aws": {"roleArn": "wallet"}}),
    *[
        (key, {"serviceAccount": {"rules": [{**RULE, key: value}]}})
        for key, value in [
            ("apiGroups", ["*"]),
            ("resources", ["*"]),
            ("resources", ["pods/*"]),
            ("verbs", ["*"]),
            ("verbs", ["escalate"]),
            ("verbs", []),
            ("nonResourceURLs", ["/"]),
        ]
    ],
]


@pytest.mark.parametrize(("said", "values"), WRONG, ids=[str(values) for _, values in WRONG])
def test_too_much_is_refused(render: Render, said: str, values: dict[str, Any]) -> None:
    with pytest.raises(ShiplaneError, match=said):
        render(values)
