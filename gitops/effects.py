"""The gates that look beyond git: what helm makes of the result, the policy on that, and the image's registry."""

from __future__ import annotations

from collections.abc import Iterator

from generator.errors import ShiplaneError
from gitops import proof
from gitops.check.rendering import inside_of
from gitops.check.repository import context_of
from gitops.gates import pinning
from gitops.gates.case import Case
from gitops.gates.verdict import Verdict, passed, refused
from gitops.policy import judge
from gitops.policy.exceptions import excepted
from gitops.policy.finding import Finding
from gitops.policy.reading import read
from gitops.registry import gate
from gitops.registry.facts import Identity
from gitops.registry.read import read as read_image
from gitops.result import rendering

_TOLD = 3
"""Findings of the policy that are told; the rest is counted."""
_CHART = "chart"


def rendered(case: Case) -> list[Verdict]:
    """Whether the result renders and, where the environment asks, what the policy says of what is rendered.

    helm sees only what may be carried: nothing in it can lead out of the copy that is written for it.
    """
    if not case.config.layout.own:
        return [*_unrendered(case)]
    if not pinning.tree(case).passed:
        return [refused("renders", "helm is not shown a tree that is refused", case.folder)]
    chart = case.head.files(f"{case.folder}/{_CHART}")
    try:
        result = rendering(case.head, case.config, case.to, case.service.name, (), chart)
        text = proof.render(result) if result else b""
    except ShiplaneError as error:
        return [refused("renders", " ".join(error.problems[0].rule.split()), case.folder)]
    found = passed("renders", f"by helm, with {case.to.name}'s settings as they will be")
    return [found, _policy(case, text)] if case.to.gates.policy else [found]


def _unrendered(case: Case) -> Iterator[Verdict]:
    """Of another layout nothing is rendered here: that is said, and a policy that is asked for cannot be judged."""
    yield passed("renders", "not proved: what this layout renders lies elsewhere")
    if case.to.gates.policy:
        rule = f"cannot be judged, since this layout is not rendered here: say policy: false for {case.to.name}"
        yield refused("policy", rule, case.folder)


def _policy(case: Case, text: bytes) -> Verdict:
    """All rules over all objects; exceptions are the default branch's, and end with their day."""
    try:
        objects = read(text, "what helm renders", _CHART)
    except ShiplaneError as error:
        first = error.problems[0]
        return refused("policy", f"cannot be judged: {first.place}: {first.rule}", case.folder)
    context = context_of(case.config, case.to.name, case.service.name, case.service)
    findings = inside_of(f"{case.folder}/{_CHART}", judge(objects, context))
    heard = excepted(findings, case.config.exceptions, case.now.date())
    errors = [each for each in heard.left if each.severity == "error"]
    if errors:
        more = f"; and {len(errors) - _TOLD} more: gitops check" if len(errors) > _TOLD else ""
        told = "; ".join(map(_sentence, errors[:_TOLD]))
        return refused("policy", f"{told}{more}", *dict.fromkeys(each.place.file for each in errors))
    warnings = f"{len(heard.left)} warning{'' if len(heard.left) == 1 else 's'}"
    beside = "".join(
        f", {words}"
        for words, said in ((warnings, heard.left), (f"{len(heard.covered)} excepted", heard.covered))
        if said
    )
    return passed("policy", f"{len(objects)} objects keep every rule{beside}")


def _sentence(finding: Finding) -> str:
    place = finding.place
    who = f"{place.object}, container {place.container}" if place.container else place.object
    return f"{finding.rule}: {who}: {finding.message}"


def image(case: Case) -> list[Verdict]:
    """Whether the registry has the image that is pinned and, where the environment asks, whose signature it bears."""
    gates = case.to.gates
    if not gates.registry:
        return []
    try:
        after = case.after()
    except ShiplaneError as error:
        return [refused("image", f"cannot be judged: {error.problems[0].place}: {error.problems[0].rule}")]
    if after is None:
        return []
    release = after.release
    if not release.digest:
        return [refused("image", "this layout pins no digest: the registry may give another image any day")]
    asked = Identity(case.service.source) if gates.signature else None
    name = f"{case.to.registry}/{case.service.image}"
    state, why, evidence = gate.verdict(read_image(name, release.tag, release.digest, want_signature=asked))
    warnings = [line.removeprefix("warning: ") for line in evidence if line.startswith("warning: ")]
    return [Verdict("image", state, "; ".join([why, *warnings]))]
