"""Steps become drafts: what helm, the policy, registries and the forge know of each is found out, once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops import facts
from gitops.forge import Forge
from gitops.model import Draft, Nothing
from gitops.proof import Rendered
from gitops.pull_request import PullRequest
from gitops.result import together
from gitops.step import Step, Told

Plan = Step | Draft | Nothing
"""What a request leads to: a step is looked at before it becomes a draft."""


def drafts(
    forge: Forge,
    plans: Sequence[Plan],
    known: Mapping[str, PullRequest],
    texts: dict[Hashable, Rendered],
    *,
    dry_run: bool,
    as_one: bool = False,
) -> list[Draft | Nothing]:
    """The draft of each plan, in order; one of all steps, after the rest, where asked `as_one`.

    `texts` is what helm has made so far: the same is not rendered again. The forge is asked only about what is to be
    written: for no dry run, and not where a pull request is open with exactly this. Raises ShiplaneError, with exit
    code 3, where a result does not render or a gate refuses it for good.
    """
    from gitops import effects  # 60 ms, with those of messages: time in which git waits for the server
    from gitops.draft import drafted

    steps = [plan for plan in plans if isinstance(plan, Step)]
    pairs = list(zip(steps, effects.looked(steps, texts), strict=True))
    if stands := effects.against(pairs):
        raise ShiplaneError(stands, REFUSED)

    def whole(told: Sequence[Told]) -> Draft:
        draft = drafted(told, as_one=as_one)
        if dry_run or same(draft, known.get(draft.branch)):
            return draft
        return drafted([(step, facts.told(forge, step, seen)) for step, seen in told], as_one=as_one)

    if as_one:
        others: list[Draft | Nothing] = [plan for plan in plans if not isinstance(plan, Step)]
        return [*others, whole(pairs)] if pairs else others
    left = iter(pairs)
    return [whole([next(left)]) if isinstance(plan, Step) else plan for plan in plans]


def apart(plans: Sequence[Plan], known: Mapping[str, PullRequest], *, as_one: bool) -> None:
    """One open pull request for one pin: raises ShiplaneError where another one than is asked for sets it already.

    And where several that merge by themselves set theirs in one file: the last would undo the others.
    """
    problems = [] if as_one else [*_meeting(plans)]
    for step in (plan for plan in plans if isinstance(plan, Step)):
        other = known.get(step.branch if as_one else together(step.to.name))
        if other and any((each.service, each.environment) == step.case.place for each in other.moves):
            rule = f"{'together with others' if other.beside else 'by itself'} carries {step.service} already"
            problems.append(Problem(other.url, rule, f"merge it, or close it: gitops close {other.number}"))
    if problems:
        raise ShiplaneError(problems)


def _meeting(plans: Sequence[Plan]) -> Iterator[Problem]:
    files: dict[str, list[Step]] = {}
    for step in (plan for plan in plans if isinstance(plan, Step) and plan.to.merge):
        for path in {each.path for each in step.changes}:
            files.setdefault(path, []).append(step)
    for path, steps in files.items():
        if len(steps) > 1:
            names = " and ".join(each.service for each in steps)
            rule = f"holds {names}, and {steps[0].to.name} merges by itself: each would undo the other"
            yield Problem(path, rule, f"promote {' '.join(each.service for each in steps)} ... --together")


def branches(plans: Sequence[Plan]) -> list[str]:
    """The branches to ask a forge about, all at once: each plan's own, and that of all that goes there together."""
    own = [plan.branch for plan in plans if plan.branch]
    shared = [together(plan.to.name) for plan in plans if isinstance(plan, Step)]
    return list(dict.fromkeys([*own, *shared]))


def carried_on(plans: Sequence[Plan]) -> list[tuple[str, str]]:
    """The pins that are carried on: service and environment of each."""
    return [(plan.service, plan.source.name) for plan in plans if isinstance(plan, Step) and plan.source]


def same(draft: Draft, request: PullRequest | None) -> bool:
    """Whether `request` makes exactly the change of `draft`, on the same state, and nothing is left to do about it."""
    if request is None or request.fingerprint != draft.fingerprint:
        return False
    return bool(request.requester) and request.merging == draft.merge and not request.unlabelled
