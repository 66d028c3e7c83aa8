"""Pod Security's level `restricted` (Kubernetes: "Pod Security Standards", as of 1.34), a rule for each concern.

A namespace that enforces the level refuses such pods too; by then the release is merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops.policy.finding import Mark, Subject, on, safe
from gitops.policy.objects import at, listed, mapping, mappings
from gitops.policy.pods import Container, Pod

_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}  # fmt: skip
_SELINUX_TYPES = ("container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_PROFILES = ("RuntimeDefault", "Localhost")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECURITY = "securityContext"


def privileged(subject: Subject) -> Iterator[Mark]:
    """A privileged container is root on its node, and whoever takes it over has the node."""
    for where in _everywhere(subject):
        if _said(where.security.get("privileged")):
            yield on(where, "is privileged", *_at(where), "privileged")
        if _said(at(where.security, "windowsOptions", "hostProcess")):
            yield on(where, "is a process of its host", *_at(where), "windowsOptions", "hostProcess")


def host_access(subject: Subject) -> Iterator[Mark]:
    """In the node's own network, processes or ports a pod is past every NetworkPolicy, and sees what others do."""
    for pod in subject.pods:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if _said(pod.spec.get(key)):
                yield on(pod, f"shares its node's namespaces: {key}", "spec", key)
    for container in subject.containers:
        for index, port in mappings(container.spec.get("ports")):
            if port.get("hostPort") not in (None, 0):
                yield on(container, "takes a port of its node", "ports", index, "hostPort")
        for path, handler in _handlers(container):
            if handler.get("host") not in (None, ""):
                yield on(container, "has the node ask another host than the pod", *path, "host")


def volume_types(subject: Subject) -> Iterator[Mark]:
    """A volume of the node's disk, or of a kind that only the node's driver guards, leads out of the pod."""
    for pod in subject.pods:
        for index, volume in mappings(pod.spec.get("volumes")):
            odd = [key for key, value in volume.items() if value is not None and key not in ("name", *_VOLUMES)]
            if odd:
                yield on(pod, f"has a volume of {', '.join(map(safe, odd))}", "spec", "volumes", index)


def run_as_non_root(subject: Subject) -> Iterator[Mark]:
    """root in a container is root on the node as soon as a fault of the runtime lets it out."""
    for pod in subject.pods:
        if pod.security.get("runAsNonRoot") not in (None, True):
            yield on(pod, "says that it may run as root", "spec", _SECURITY, "runAsNonRoot")
    for container in subject.containers:
        own = container.security.get("runAsNonRoot")
        if (container.pod.security.get("runAsNonRoot") if own is None else own) is not True:
            yield on(container, "may run as root", _SECURITY, "runAsNonRoot")
    for where in _everywhere(subject):
        user = where.security.get("runAsUser")
        if user is not None and (not isinstance(user, int) or isinstance(user, bool) or user == 0):
            yield on(where, "runs as root: user 0", *_at(where), "runAsUser")


def privilege_escalation(subject: Subject) -> Iterator[Mark]:
    """A setuid program in the image turns a small hole into root, unless the kernel is told to refuse."""
    for container in _linux(subject):
        if container.security.get("allowPrivilegeEscalation") is not False:
            yield on(container, "may gain privileges", _SECURITY, "allowPrivilegeEscalation")


def capabilities(subject: Subject) -> Iterator[Mark]:
    """A runtime's default capabilities are more than a service needs; each is a way to more than it should have."""
    for container in _linux(subject):
        said = mapping(container.security.get("capabilities"))
        if "ALL" not in listed(said.get("drop")):
            yield on(container, "keeps capabilities", _SECURITY, "capabilities", "drop")
        more = [each for each in listed(said.get("add")) if each != "NET_BIND_SERVICE"]
        if more:
            told = f"adds the capabilities {', '.join(map(safe, more))}"
            yield on(container, told, _SECURITY, "capabilities", "add")


def seccomp(subject: Subject) -> Iterator[Mark]:
    """Without a seccomp profile a container may make every call that the kernel knows, the broken ones too."""
    for pod in subject.pods:
        profile = pod.security.get("seccompProfile")
        if not pod.windows and profile is not None and at(profile, "type") not in _PROFILES:
            yield on(pod, "has no seccomp profile that restricts", "spec", _SECURITY, "seccompProfile")
    for container in _linux(subject):
        own = container.security.get("seccompProfile")
        if at(container.pod.security.get("seccompProfile") if own is None else own, "type") not in _PROFILES:
            yield on(container, "has no seccomp profile", _SECURITY, "seccompProfile")


def kernel_settings(subject: Subject) -> Iterator[Mark]:
    """/proc, sysctls, SELinux and AppArmor guard the node; a pod that loosens them does so for all its neighbours."""
    for pod in subject.pods:
        for index, each in mappings(pod.security.get("sysctls")):
            if each.get("name") not in _SYSCTLS:
                yield on(pod, f"sets the sysctl {safe(each.get('name'))}", "spec", _SECURITY, "sysctls", index)
        for key, value in pod.annotations.items():
            if key.startswith(_APPARMOR) and value and not value.startswith(("runtime/default", "localhost/")):
                yield on(pod, f"has the AppArmor profile {safe(value)}", "metadata", "annotations", key)
    for where in _everywhere(subject):
        apparmor, selinux = where.security.get("appArmorProfile"), mapping(where.security.get("seLinuxOptions"))
        if apparmor is not None and at(apparmor, "type") not in _PROFILES:
            yield on(where, "has no AppArmor profile that restricts", *_at(where), "appArmorProfile")
        odd = [key for key in ("user", "role") if selinux.get(key) not in (None, "")]
        if odd or selinux.get("type") not in (None, "", *_SELINUX_TYPES):
            yield on(where, f"chooses its SELinux {odd[0] if odd else 'type'}", *_at(where), "seLinuxOptions")
        if where.security.get("procMount") not in (None, "Default"):
            yield on(where, "unmasks /proc", *_at(where), "procMount")


def read_only_root(subject: Subject) -> Iterator[Mark]:
    """What cannot write to its own file system cannot be made to keep a program there. (Not part of `restricted`.)"""
    for container in _linux(subject):
        if container.security.get("readOnlyRootFilesystem") is not True:
            yield on(container, "can write to its root file system", _SECURITY, "readOnlyRootFilesystem")


def _everywhere(subject: Subject) -> Iterator[Pod | Container]:
    yield from subject.pods
    yield from subject.containers


def _linux(subject: Subject) -> Iterator[Container]:
    return (each for each in subject.containers if not each.pod.windows)


def _at(where: Pod | Container) -> tuple[str, ...]:
    return (_SECURITY,) if isinstance(where, Container) else ("spec", _SECURITY)


def _said(value: object) -> bool:
    """Whether a switch is on: whatever is not plainly off."""
    return value not in (None, False)


def _handlers(container: Container) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """All that the kubelet asks or does over the network for a container."""
    places = [("livenessProbe",), ("readinessProbe",), ("startupProbe",)]
    for place in (*places, ("lifecycle", "postStart"), ("lifecycle", "preStop")):
        for key in ("httpGet", "tcpSocket"):
            yield (*place, key), mapping(at(container.spec, *place, key))
