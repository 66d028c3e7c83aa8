"""The security rules beside Pod Security's level `restricted`: what Kubernetes refuses there is found, and no more.

Each row was put to Kubernetes' own evaluator (k8s.io/pod-security-admission 0.34, policy version 1.34) once, as were
40,000 random pods; `read-only-root` asks for more than the level and is left out.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gitops.policy import judge
from gitops.policy.objects import Object
from tests.gitops.manifests import GONE, put

RULES = {
    "privileged", "host-access", "volume-types", "run-as-non-root", "privilege-escalation", "capabilities", "seccomp",
    "kernel-settings",
}  # fmt: skip
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
        ],
    },
}
ONE, OWN, WHOLE = "spec.containers.0", "spec.containers.0.securityContext", "spec.securityContext"
APPARMOR = "metadata.annotations.container~apparmor~security~beta~kubernetes~io/a"


def found(*changes: tuple[str, Any]) -> set[str]:
    pod = copy.deepcopy(POD)
    for path, value in changes:
        put(pod, path, value)
    return {each.rule for each in judge([Object(pod)])} & RULES


def test_the_least_that_is_restricted_passes() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("privileged", f"{OWN}.privileged", True),
        ("privileged", f"{OWN}.windowsOptions", {"hostProcess": True}),
        ("privileged", f"{WHOLE}.windowsOptions", {"hostProcess": True}),
        ("host-access", "spec.hostNetwork", True),
        ("host-access", "spec.hostPID", True),
        ("host-access", "spec.hostIPC", True),
        ("host-access", f"{ONE}.ports", [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]),
        ("host-access", f"{ONE}.livenessProbe", {"httpGet": {"port": 80, "host": "x"}}),
        ("host-access", f"{ONE}.readinessProbe", {"tcpSocket": {"port": 80, "host": "x"}}),
        ("host-access", f"{ONE}.startupProbe", {"tcpSocket": {"port": 80, "host": "x"}}),
        ("host-access", f"{ONE}.lifecycle", {"preStop": {"httpGet": {"port": 80, "host": "x"}}}),
        ("host-access", f"{ONE}.lifecycle", {"postStart": {"httpGet": {"port": 80, "host": "x"}}}),
        ("volume-types", "spec.volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
        ("volume-types", "spec.volumes", [{"name": "x", "nfs": {"server": "x", "path": "/"}}]),
        ("volume-types", "spec.volumes", [{"name": "y", "emptyDir": {}}, {"name": "x", "gitRepo": {}}]),
        ("run-as-non-root", f"{WHOLE}.runAsNonRoot", GONE),
        ("run-as-non-root", f"{WHOLE}.runAsNonRoot", False),
        ("run-as-non-root", f"{OWN}.runAsNonRoot", False),
        ("run-as-non-root", f"{WHOLE}.runAsUser", 0),
        ("run-as-non-root", f"{OWN}.runAsUser", 0),
        ("privilege-escalation", f"{OWN}.allowPrivilegeEscalation", True),
        ("privilege-escalation", f"{OWN}.allowPrivilegeEscalation", GONE),
        ("capabilities", f"{OWN}.capabilities", GONE),
        ("capabilities", f"{OWN}.capabilities.drop", ["NET_RAW"]),
        ("capabilities", f"{OWN}.capabilities.add", ["NET_BIND_SERVICE", "CHOWN"]),
        ("seccomp", f"{WHOLE}.seccompProfile", GONE),
        ("seccomp", f"{WHOLE}.seccompProfile", {}),
        ("seccomp", f"{WHOLE}.seccompProfile.type", "Unconfined"),
        ("seccomp", f"{OWN}.seccompProfile", {"type": "Unconfined"}),
        ("kernel-settings", f"{WHOLE}.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
        ("kernel-settings", f"{WHOLE}.seLinuxOptions", {"type": "spc_t"}),
        ("kernel-settings", f"{OWN}.seLinuxOptions", {"user": "x"}),
        ("kernel-settings", f"{OWN}.seLinuxOptions", {"role": "x"}),
        ("kernel-settings", f"{WHOLE}.appArmorProfile", {"type": "Unconfined"}),
        ("kernel-settings", f"{OWN}.appArmorProfile", {}),
        ("kernel-settings", APPARMOR, "unconfined"),
        ("kernel-settings", f"{OWN}.procMount", "Unmasked"),
    ],
)
def test_what_the_level_refuses(rule: str, path: str, value: Any) -> None:
    assert found((path, value)) == {rule}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{OWN}.privileged", False),
        (f"{OWN}.windowsOptions", {"hostProcess": False}),
        ("spec.hostNetwork", False),
        (f"{ONE}.ports", [{"containerPort": 80, "hostPort": 0}]),
        (f"{ONE}.livenessProbe", {"httpGet": {"port": 80, "host": ""}}),
        (f"{ONE}.lifecycle", {"preStop": {"exec": {"command": ["x"]}}}),
        *(
            ("spec.volumes", [{"name": "x", kind: {}}])
            for kind in ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "projected", "secret")
        ),
        ("spec.volumes", [{"name": "x", "persistentVolumeClaim": {"claimName": "x"}}]),
        (f"{OWN}.runAsNonRoot", True),
        (f"{OWN}.runAsUser", 1),
        (f"{OWN}.capabilities.add", ["NET_BIND_SERVICE"]),
        (f"{OWN}.seccompProfile", {"type": "Localhost"}),
        (f"{WHOLE}.sysctls", [{"name": "net.ipv4.tcp_rmem", "value": "1"}]),
        (f"{WHOLE}.seLinuxOptions", {"level": "s0", "type": "container_t"}),
        (f"{OWN}.seLinuxOptions", {"user": "", "role": ""}),
        (f"{OWN}.appArmorProfile", {"type": "Localhost"}),
        (APPARMOR, "runtime/default"),
        (APPARMOR, "localhost/wallet"),
        (f"{OWN}.procMount", "Default"),
    ],
)
def test_what_the_level_allows(path: str, value: Any) -> None:
    assert found((path, value)) == set()


def test_a_container_may_be_stricter_than_its_pod() -> None:
    own = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    assert found((WHOLE, GONE), *((f"{OWN}.{key}", value) for key, value in own.items())) == set()


@pytest.mark.parametrize("key", ["initContainers", "ephemeralContainers"])
def test_every_container_is_held_to_it(key: str) -> None:
    assert found((f"spec.{key}", [{"name": "b"}])) == {"privilege-escalation", "capabilities"}


def test_windows_has_no_linux_settings() -> None:
    assert found(("spec.os", {"name": "windows"}), (OWN, GONE), (f"{WHOLE}.seccompProfile", GONE)) == set()
    assert found(("spec.os", {"name": "windows"}), (f"{WHOLE}.runAsNonRoot", GONE)) == {"run-as-non-root"}
