"""What a pod is: its account and rights, its namespace, its owner."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.policy.finding import Mark, Subject, on, safe
from gitops.policy.objects import Object, listed, mappings, text
from gitops.policy.pods import Pod

_RBAC = "rbac.authorization.k8s.io"
_TAKEN = ("default", "kube-")
_WIDE = ("verbs", "resources", "apiGroups", "nonResourceURLs")


def service_account(subject: Subject) -> Iterator[Mark]:
    """Under `default` every pod of the namespace has the same rights, and the role in AWS that one was given."""
    for pod in subject.pods:
        if _account(pod) in ("", "default"):
            yield on(pod, "has no ServiceAccount of its own", "spec", "serviceAccountName")


def service_account_token(subject: Subject) -> Iterator[Mark]:
    """A token opens Kubernetes' API from inside the pod: where no role is bound, it serves only whoever breaks in."""
    for pod in subject.pods:
        if _mounted(subject, pod) and not _bound(subject, pod):
            told = "mounts a token of its ServiceAccount, which no role is bound to"
            yield on(pod, told, "spec", "automountServiceAccountToken")


def rbac_wildcard(subject: Subject) -> Iterator[Mark]:
    """`*` grants what does not exist yet: each operator that is installed later adds to these rights unseen."""
    for kind in ("Role", "ClusterRole"):
        for role in subject.of(kind, _RBAC):
            for index, rule in mappings(role.get("rules")):
                for key in _WIDE:
                    if any(text(each) == "*" or text(each).endswith("/*") for each in listed(rule.get(key))):
                        yield Mark(role, ("rules", index, key), f"grants * in {key}")
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in subject.of(kind, _RBAC):
            if binding.get("roleRef", "name") == "cluster-admin":
                yield Mark(binding, ("roleRef", "name"), "binds cluster-admin, which grants everything")


def own_namespace(subject: Subject) -> Iterator[Mark]:
    """Quotas, policies and rights go by namespace: what lies in another's, or in Kubernetes', has none."""
    expected = subject.context.namespace
    for each in subject.objects:
        if expected and each.namespace not in ("", expected):
            told = f"lies in {safe(each.namespace)}, and {subject.context.service or 'this'} has {safe(expected)}"
            yield Mark(each, ("metadata", "namespace"), told)
        elif _taken(each.namespace):
            yield Mark(each, ("metadata", "namespace"), f"lies in {safe(each.namespace)}")
    for pod in subject.pods if _taken(expected) else ():
        if not pod.owner.namespace:
            yield Mark(pod.owner, ("metadata", "namespace"), f"comes to lie in {safe(expected)}")


def namespace_unset(subject: Subject) -> Iterator[Mark]:
    """Without a namespace it lands wherever whoever applies it stands: mostly in `default`."""
    for pod in subject.pods if not subject.context.namespace else ():
        if not pod.owner.namespace:
            yield Mark(pod.owner, ("metadata", "namespace"), "says no namespace")


def owner_label(subject: Subject) -> Iterator[Mark]:
    """Alerts, costs and questions go by this label on the pods; without an owner they go to nobody."""
    key, owner = subject.context.owner_label, subject.context.owner
    for pod in subject.pods:
        said = pod.labels.get(key, "")
        if not said:
            yield on(pod, f"its pods have no label {safe(key)}", "metadata", "labels")
        elif owner and said != owner:
            told = f"its pods belong to {safe(said)}, and the catalog says {safe(owner)}"
            yield on(pod, told, "metadata", "labels", key)


def _account(pod: Pod) -> str:
    return text(pod.spec.get("serviceAccountName")) or text(pod.spec.get("serviceAccount"))


def _mounted(subject: Subject, pod: Pod) -> bool:
    """What the pod says, else what its account says; Kubernetes mounts it where neither says no."""
    said = [pod.spec.get("automountServiceAccountToken")]
    said += [each.data.get("automountServiceAccountToken") for each in _accounts(subject, pod)]
    return next((each for each in said if each is not None), True) is not False


def _accounts(subject: Subject, pod: Pod) -> Iterator[Object]:
    name = _account(pod) or "default"
    for each in subject.of("ServiceAccount", ""):
        if each.name == name and subject.together(each.namespace, pod.owner.namespace):
            yield each


def _bound(subject: Subject, pod: Pod) -> bool:
    """Whether a binding, here, names the pod's account."""
    bindings = [*subject.of("RoleBinding", _RBAC), *subject.of("ClusterRoleBinding", _RBAC)]
    return any(
        who.get("kind") == "ServiceAccount"
        and who.get("name") == (_account(pod) or "default")
        and subject.together(text(who.get("namespace")) or each.namespace, pod.owner.namespace)
        for each in bindings
        for _, who in mappings(each.get("subjects"))
    )


def _taken(namespace: str) -> bool:
    """Kubernetes' own: `default`, and all that begins with kube-."""
    return namespace == _TAKEN[0] or namespace.startswith(_TAKEN[1])
