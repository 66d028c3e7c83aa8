"""Write docs/policy.md from the policy's rules themselves; `--check` only tells whether they agree."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gitops.check.told import REASONS as OF_REPOSITORIES  # noqa: E402 # the checkout's, wherever this is started
from gitops.policy import RULES  # noqa: E402 # the same
from gitops.policy.exceptions import REASONS as OF_EXCEPTIONS  # noqa: E402 # the same
from gitops.policy.exposure import AUTHENTICATION  # noqa: E402 # the same
from gitops.policy.finding import OWNER_LABEL  # noqa: E402 # the same

PAGE = ROOT / "docs" / "policy.md"
TEXT = """\
# Policy

What Shiplane never lets through, judged on the objects that Kubernetes would get. `gitops check` judges what lies on
disk:

```sh
gitops check                          # the GitOps repository around you: every service in every environment
gitops check chart/                   # a chart, rendered with its own values
gitops check manifests/ --format json
kustomize build overlays/prod | gitops check -
gitops check --format github          # in a workflow: annotations on the files
```

It ends with 1 where a rule finds an error, where something cannot be read or rendered, and where there is nothing to
judge. Warnings alone end with 0. No finding repeats a credential.

All objects of one rendered service, one chart or one folder are judged together: a NetworkPolicy in one file counts for
the pods of another. Where several environments lie in one folder, judge them one by one.

What is not known is not judged: the registry, the namespace and the owner of a service are known in a GitOps repository
alone, from `shiplane.yaml` and the catalog.

## Rules

This page is made from the rules themselves (`scripts/policy_page.py`).

{rules}

Pods are judged wherever they stand: in a Pod, PodTemplate, Deployment, StatefulSet, DaemonSet, ReplicaSet,
ReplicationController, Job, CronJob, Argo Rollout, and in any other kind that has `spec.template` as these have. Init
containers, sidecars (`restartPolicy: Always`) and ephemeral containers are containers too; only resources, which
Kubernetes refuses for ephemeral ones, and probes, which end with what runs to an end, are not asked of all of them.

### Who authenticates

An Ingress, a route of the Gateway API and a Service that is open by itself say who makes sure that callers are known:
by annotations that the controller heeds (`auth-url`, `auth-type` and `auth-tls-secret` of nginx, HAProxy and the AWS
load balancer, the latter's `mutual-authentication`, Traefik's middlewares), by a filter or a SecurityPolicy of the
Gateway, or in a word:

```yaml
metadata:
  annotations:
    {authentication}: service      # or controller
```

## The repository's own rules

| rule | why |
|---|---|
{repository}

## Exceptions

A rule can be excepted in `shiplane.yaml`, which changes by its owners' review:

```yaml
exceptions:
  - rule: image-digest
    service: wallet              # "*": every service
    environment: dev             # "*": every environment
    object: Deployment/wallet    # may be left out
    owner: payments
    reason: the vendor publishes no digests before May
    expires: 2027-05-31          # the last day on which it counts (UTC)
```

An exception covers findings of the rules above in a service's objects; the repository's own rules have none. These
warnings keep the list short:

| warning | why |
|---|---|
{exceptions}

## Settings

`policy: {{owner_label: acme.example/team}}` in `shiplane.yaml` names another label than `{owner}` for the owner.

## What is not judged

- Other ways to the outside than Service, Ingress and the Gateway API: Istio's, Traefik's and Contour's own kinds.
- Policies of Cilium or Calico: a pod that only they hold back needs an exception from `network-policy`.
- Pods inside other shapes than those above (Argo Workflows, SparkApplication), and what operators make of their kinds.
- Whether a number is right: a request, a limit, a deadline is only asked for.
"""


def page() -> str:
    """The text of docs/policy.md."""
    rows = ["| rule | | why | way out |", "|---|---|---|---|"]
    rows += [f"| `{rule.id}` | {rule.severity} | {_cell(rule.reason)} | {_cell(rule.fix)} |" for rule in RULES]
    return TEXT.format(
        rules="\n".join(rows),
        repository=_reasons(OF_REPOSITORIES.items()),
        exceptions=_reasons(OF_EXCEPTIONS.items()),
        authentication=AUTHENTICATION,
        owner=OWNER_LABEL,
    )


def _reasons(reasons: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"| `{rule}` | {_cell(why)} |" for rule, why in reasons)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page, or with `--check` compare it."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what the rules say: run scripts/policy_page.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
