"""What a reviewer must not miss in a change, named; the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops.diff import access, capacity, immutable, removal
from gitops.diff.difference import Danger
from gitops.diff.pairs import Pairs
from gitops.policy import RULES
from gitops.policy.finding import Context, Finding, Subject, found

_LOOSENED = {
    **dict.fromkeys(
        (
            "privileged", "host-access", "volume-types", "run-as-non-root", "privilege-escalation", "capabilities",
            "seccomp", "kernel-settings", "read-only-root",
        ),
        "security-loosened",
    ),
    "network-policy": "network-policy-loosened",
    "exposed-tls": "exposure-unguarded",
    "exposed-authentication": "exposure-unguarded",
    "service-account-token": "token-mounted",
}  # fmt: skip
"""Rules of the policy, and the danger that a finding of theirs is which was not there before."""


def loosened(pairs: Pairs) -> Iterator[Danger]:
    """What the policy finds now and did not find before: a restriction is gone, or something new never had it.

    Nothing before a first release: all of it is new, and the policy's own gate judges it.
    """
    if not pairs.before.objects:
        return
    known = {_identity(each) for each in _findings(pairs.before)}
    for each in _findings(pairs.after):
        if _identity(each) not in known:
            who = f"container {each.place.container}: " if each.place.container else ""
            yield Danger(_LOOSENED[each.rule], each.place.object, f"{who}{each.message}")


RISKS: tuple[Callable[[Pairs], Iterator[Danger]], ...] = (
    immutable.immutable, removal.removed, removal.storage, access.exposure, access.rbac, access.cloud_role,
    access.network, loosened, capacity.probes, capacity.replicas, capacity.resources, capacity.disruption,
)  # fmt: skip
"""What looks for dangers, in the order in which they are told."""


def dangers(pairs: Pairs) -> list[Danger]:
    """Every danger in a change, once."""
    return list(dict.fromkeys(danger for risk in RISKS for danger in risk(pairs)))


def _findings(subject: Subject) -> Iterator[Finding]:
    for rule in RULES:
        if rule.id in _LOOSENED:
            yield from (found(rule, mark, Context()) for mark in rule.check(subject))


def _identity(each: Finding) -> tuple[str, ...]:
    return each.rule, each.place.object, each.place.container, each.message
