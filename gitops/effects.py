"""The gates that look beyond git: what is rendered of the result, the policy on that, and the image's registry."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops import built, carried, diff, keyed, proof
from gitops.check.rendering import inside_of
from gitops.check.repository import context_of
from gitops.diff.difference import Field
from gitops.diff.noise import between
from gitops.gates import pinning
from gitops.gates.case import Case
from gitops.gates.judge import standing
from gitops.gates.verdict import Verdict, passed, refused, unjudged
from gitops.model import Rendering, Unrendered
from gitops.policy import judge
from gitops.policy.exceptions import excepted
from gitops.policy.finding import Finding
from gitops.policy.objects import Object
from gitops.policy.reading import read
from gitops.proof import Rendered, key
from gitops.result import rendering
from gitops.step import Seen, Step, Told

_TOLD = 3
"""Findings of the policy that are told; the rest is counted."""
_CHART = "chart"
_WAITING = 8  # registries that are asked at once: they are waited for, not worked with


def looked(steps: Sequence[Step], known: dict[Hashable, Rendered]) -> list[Seen]:
    """What is rendered of each step, what the policy and the registries say, and what it changes in the cluster.

    All renderings at once, those in `known` not again. Raises ShiplaneError, with exit code 3, where a result does not
    render. What is there now is only compared with: that it does not render stops nobody from mending it.
    """
    sides = [(proof.possible(step.after), _before(step)) for step in steps]
    wanted = [each for pair in sides for each in pair if isinstance(each, Rendering) and key(each) not in known]
    found: list[Seen] = []
    problems: list[Problem] = []
    with proof.ahead(wanted) as text, ThreadPoolExecutor(max_workers=_WAITING) as pool:
        images = pool.map(image, [step.case for step in steps])
        for step, (new, old), verdicts in zip(steps, sides, images, strict=True):
            for each in (new, old):
                if isinstance(each, Rendering) and key(each) not in known:
                    known[key(each)] = text(each)
            after = known[key(new)] if isinstance(new, Rendering) else new
            before = known[key(old)] if isinstance(old, Rendering) else old
            if isinstance(after, ShiplaneError):
                problems += after.problems
            elif not problems:  # nobody is shown one of several that are refused
                found.append(_seen(step, after, before, verdicts))
    if problems:
        raise ShiplaneError(problems, REFUSED)
    return found


def _before(step: Step) -> Rendering | Unrendered | ShiplaneError | None:
    """What is there now; an error where helm is not to see it, since it must not be carried either."""
    place = f"{step.case.folder}/{_CHART}"
    try:
        found = step.before
    except ShiplaneError as error:
        return error
    if found is None or not step.case.config.layout.own:
        return proof.possible(found) if found else None
    wrong = carried.check(step.case.base.files(place), place)
    return ShiplaneError(wrong) if wrong else found


def _seen(
    step: Step, after: bytes | Unrendered, before: Rendered | Unrendered | None, images: Iterable[Verdict]
) -> Seen:
    seen = Seen((*rendered(step.case, after), *images), settings=_settings(step), beside=_beside(step))
    if isinstance(after, Unrendered):
        return replace(seen, untold=f"nothing is rendered here: {after.why}")
    if isinstance(before, Unrendered):
        return replace(seen, untold=f"what {step.to.name} has now is not rendered here: {before.why}")
    if isinstance(before, ShiplaneError):
        told = _one_line(before.problems[0].rule)
        return replace(seen, untold=f"what {step.to.name} has of {step.service} now cannot be rendered: {told}")
    releases = between(step.old.release if step.old else None, step.new.release)
    try:
        return replace(seen, difference=diff.compared(before, after, step.to.namespace_of(step.service), releases))
    except ShiplaneError as error:
        return replace(seen, untold=f"{error.problems[0].place}: {_one_line(error.problems[0].rule)}")


def _settings(step: Step) -> tuple[Field, ...]:
    """In what the settings that go with it are not as before."""
    if not step.settings:
        return ()
    before, after = (each.data(step.settings) or b"" for each in (step.case.base, step.case.head))
    try:
        return diff.settings(before, after)
    except ShiplaneError:  # what nobody can read is replaced whole
        return diff.settings(b"", after)


def _beside(step: Step) -> tuple[Field, ...]:
    """In what else that is carried differs, in a layout of somebody else's: no rendering has to tell it."""
    layout, place = step.case.config.layout, step.case.place
    if layout.own:
        return ()
    before, after = (
        keyed.beside(layout, place, step.case.identity(each, step.to.name)) for each in (step.case.base, step.case.head)
    )
    return diff.values(before, after)


def against(pairs: Iterable[Told]) -> list[Problem]:
    """What the gates that look beyond git refuse for good, but for what a break-glass team is asked to open."""
    return [problem for step, seen in pairs for problem in standing(step.case, seen.verdicts, step.overrides)]


def rendered(case: Case, text: Rendered | Unrendered | None = None) -> list[Verdict]:
    """Whether the result renders and, where the environment asks, what the policy says of what is rendered.

    helm sees only what may be carried: nothing in it can lead out of the copy that is written for it. `text` is what
    was made of the result, where it was asked already.
    """
    if not pinning.tree(case).passed:
        return [refused("renders", "helm is not shown a tree that is refused", case.folder)]
    text = _rendered(case) if text is None else text
    if isinstance(text, Unrendered):
        return _unrendered(case, text.why)
    place = built.place(case.config, *reversed(case.place))
    if isinstance(text, ShiplaneError):
        return [refused("renders", _one_line(text.problems[0].rule), place)]
    recipe = case.config.layout.render
    by = "kustomize" if recipe and recipe.kustomize else "helm"
    try:
        objects = read(text, f"what {by} renders", _CHART)
    except ShiplaneError as error:
        first = error.problems[0]
        return [refused("renders", f"cannot be read: {first.place}: {first.rule}", place)]
    whose = "files" if by == "kustomize" else "settings"
    found = passed("renders", f"by {by}, with {case.to.name}'s {whose} as they will be")
    return [found, _policy(case, objects, place)] if case.to.gates.policy else [found]


def _unrendered(case: Case, why: str) -> list[Verdict]:
    """That nothing is proved is said, and a policy that is asked for cannot be judged."""
    told = unjudged("renders", f"not rendered: {_one_line(why)}")
    if not case.to.gates.policy:
        return [told]
    rule = f"cannot be judged, since nothing is rendered here: say policy: false for {case.to.name}, or mend that"
    return [told, refused("policy", f"{rule}: {_one_line(why)}", case.folder)]


def _rendered(case: Case) -> Rendered | Unrendered:
    chart = case.head.files(f"{case.folder}/{_CHART}") if case.config.layout.own else {}
    try:
        result = rendering(case.head, case.config, case.to, case.service.name, (), chart)
    except ShiplaneError as refusal:
        return refusal
    result = proof.possible(result)
    if not isinstance(result, Rendering):
        return result
    return proof.rendered([result], {})[key(result)]


def _policy(case: Case, objects: list[Object], place: str) -> Verdict:
    """All rules over all objects; exceptions are the default branch's, and end with their day."""
    context = context_of(case.config, case.to.name, case.service.name, case.service)
    findings = inside_of(place, judge(objects, context))
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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _sentence(finding: Finding) -> str:
    place = finding.place
    who = f"{place.object}, container {place.container}" if place.container else place.object
    return f"{finding.rule}: {who}: {finding.message}"


def image(case: Case) -> list[Verdict]:
    """Whether the registry has the image that is pinned and, where the environment asks, whose signature it bears."""
    gates = case.to.gates
    if not gates.registry:
        return []
    from gitops.registry import gate  # 15 ms, and most lanes ask no registry
    from gitops.registry.facts import Identity
    from gitops.registry.read import read as read_image

    try:
        after = case.after()
    except ShiplaneError as error:
        return [refused("image", f"cannot be judged: {error.problems[0].place}: {error.problems[0].rule}")]
    if after is None:
        return []
    release = after.release
    if not release.digest:
        kind = keyed.kind(case.config.layout, case.place, case.head)
        return [refused("image", f"this layout pins no digest: the registry may give another {kind} any day")]
    service = case.service
    asked = (
        Identity(service.source, workflows=gates.workflows, source_id=service.source_id) if gates.signature else None
    )
    name = f"{case.to.registry}/{case.service.image}"
    state, why, evidence = gate.verdict(read_image(name, release.tag, release.digest, want_signature=asked))
    warnings = [line.removeprefix("warning: ") for line in evidence if line.startswith("warning: ")]
    return [Verdict("image", state, "; ".join([why, *warnings]))]
