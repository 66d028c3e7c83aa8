"""What Shiplane never lets through, judged on the objects that Kubernetes gets: one pure function for each rule."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.policy import accounts, exposure, images, probes, resources, routes, secrets, security
from gitops.policy.finding import Context, Finding, Rule, Subject, found
from gitops.policy.objects import Object

RULES: tuple[Rule, ...] = (
    Rule("pod-spec", "error", images.pod_spec, "list its containers as Kubernetes' API has them"),
    Rule("image-latest", "error", images.image_latest, "name the release: its full commit SHA as the tag"),
    Rule("image-digest", "error", images.image_digest, "name it by its digest: repository:tag@sha256:..."),
    Rule("image-registry", "error", images.image_registry, "copy the image into the environment's registry"),
    Rule("requests", "error", resources.requests, "set resources.requests.cpu and .memory to its usual use"),
    Rule("limits", "error", resources.limits, "set resources.limits.memory above its highest use"),
    Rule("cpu-limit", "warning", resources.cpu_limit, "set resources.limits.cpu well above its request"),
    Rule("liveness", "error", probes.liveness, "add a livenessProbe that depends on nothing outside"),
    Rule("readiness", "error", probes.readiness, "add a readinessProbe that asks whether it can work now"),
    Rule("probes-differ", "warning", probes.probes_differ, "let liveness depend on nothing outside the container"),
    Rule("deadline", "error", probes.deadline, "set activeDeadlineSeconds"),
    Rule("privileged", "error", security.privileged, "take the switch out; ask for what it needs one by one"),
    Rule("host-access", "error", security.host_access, "take it out; a Service is the way to a pod"),
    Rule("volume-types", "error", security.volume_types, "use emptyDir, configMap, secret, csi or a claim"),
    Rule("run-as-non-root", "error", security.run_as_non_root, "securityContext: runAsNonRoot: true, runAsUser: 10001"),
    Rule(
        "privilege-escalation", "error", security.privilege_escalation,
        "securityContext.allowPrivilegeEscalation: false",
    ),
    Rule("capabilities", "error", security.capabilities, "securityContext.capabilities.drop: [ALL], and add none"),
    Rule("seccomp", "error", security.seccomp, "securityContext.seccompProfile.type: RuntimeDefault, for the pod"),
    Rule("kernel-settings", "error", security.kernel_settings, "take it out; the defaults are safe"),
    Rule(
        "read-only-root", "warning", security.read_only_root,
        "securityContext.readOnlyRootFilesystem: true, and an emptyDir where it has to write",
    ),
    Rule("secret-object", "error", secrets.secret_object, "keep the values in a store; name them in an ExternalSecret"),
    Rule("plaintext-secret", "error", secrets.plaintext_secret, "revoke it, then name it in an ExternalSecret instead"),
    Rule(
        "network-policy", "error", routes.network_policy,
        "select the pods by a NetworkPolicy with policyTypes: [Ingress, Egress], and name who and where",
    ),
    Rule("exposed-tls", "error", exposure.exposed_tls, "use an Ingress or a Gateway with a certificate for its host"),
    Rule(
        "exposed-authentication", "error", exposure.exposed_authentication,
        f"have the controller authenticate, or say who does: {exposure.AUTHENTICATION}: service",
    ),
    Rule("service-account", "error", accounts.service_account, "give it a ServiceAccount: serviceAccountName"),
    Rule("service-account-token", "error", accounts.service_account_token, "automountServiceAccountToken: false"),
    Rule("rbac-wildcard", "error", accounts.rbac_wildcard, "list the groups, resources and verbs that it uses"),
    Rule("own-namespace", "error", accounts.own_namespace, "give the service a namespace, and put all of it there"),
    Rule("namespace-unset", "warning", accounts.namespace_unset, "set metadata.namespace"),
    Rule(
        "monitoring", "error", routes.monitoring,
        "add a ServiceMonitor (or a PodMonitor, where there is no Service) whose selector takes it",
    ),
    Rule("owner-label", "error", accounts.owner_label, "label the pod's template with the team that owns the service"),
)  # fmt: skip
"""All rules, in the order in which they are explained."""


def judge(objects: Iterable[Object], context: Context | None = None) -> list[Finding]:
    """What the rules find in `objects`, which are applied together; whatever stands in them, nothing is raised."""
    known = context or Context()
    subject = Subject(tuple(objects), known)
    return [found(rule, mark, known) for rule in RULES for mark in rule.check(subject)]
