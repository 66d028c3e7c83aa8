"""Steps become drafts: what helm, the policy, registries and the forge know of each is found out, once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops import effects, facts
from gitops.draft import drafted
from gitops.forge import Forge
from gitops.model import Draft, Nothing
from gitops.proof import Rendered
from gitops.pull_request import PullRequest
from gitops.result import together
from gitops.step import NOTHING_SEEN, Step, Told

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

    `texts` is what helm has made so far: the same is not rendered again.

    A step whose pull request is open with exactly this is not looked at. Raises ShiplaneError, with exit code 3, where
    a result does not render or a gate refuses it for good.
    """
    if as_one:
        return _as_one(forge, plans, known, texts, dry_run=dry_run)
    found = [drafted([(plan, NOTHING_SEEN)]) if isinstance(plan, Step) else plan for plan in plans]
    fresh = {
        index: plan
        for index, (plan, draft) in enumerate(zip(plans, found, strict=True))
        if isinstance(plan, Step) and isinstance(draft, Draft) and not same(draft, known.get(draft.branch))
    }
    told = looked(forge, list(fresh.values()), texts, dry_run=dry_run)
    for index, pair in zip(fresh, told, strict=True):
        found[index] = drafted([pair])
    return found


def _as_one(
    forge: Forge,
    plans: Sequence[Plan],
    known: Mapping[str, PullRequest],
    texts: dict[Hashable, Rendered],
    *,
    dry_run: bool,
) -> list[Draft | Nothing]:
    found: list[Draft | Nothing] = [plan for plan in plans if not isinstance(plan, Step)]
    steps = [plan for plan in plans if isinstance(plan, Step)]
    if steps:
        draft = drafted([(step, NOTHING_SEEN) for step in steps], as_one=True)
        if not same(draft, known.get(draft.branch)):
            draft = drafted(looked(forge, steps, texts, dry_run=dry_run), as_one=True)
        found.append(draft)
    return found


def apart(plans: Sequence[Plan], known: Mapping[str, PullRequest], *, as_one: bool) -> None:
    """One open pull request for one pin: raises ShiplaneError where another one than is asked for sets it already."""
    problems = []
    for step in (plan for plan in plans if isinstance(plan, Step)):
        other = known.get(step.branch if as_one else together(step.to.name))
        if other and any((each.service, each.environment) == step.case.place for each in other.moves):
            rule = f"{'by itself' if not other.beside else 'together with others'} carries {step.service} already"
            problems.append(Problem(other.url, rule, f"merge it, or close it: gitops close {other.number}"))
    if problems:
        raise ShiplaneError(dict.fromkeys(problems))


def branches(plans: Sequence[Plan]) -> list[str]:
    """The branches whose open pull requests matter: each plan's own, and that of all that goes there together."""
    own = [plan.branch for plan in plans if plan.branch]
    shared = [together(plan.to.name) for plan in plans if isinstance(plan, Step)]
    return list(dict.fromkeys([*own, *shared]))


def looked(forge: Forge, steps: Sequence[Step], texts: dict[Hashable, Rendered], *, dry_run: bool) -> list[Told]:
    """Each step with what was found out about it; raises ShiplaneError, with exit code 3, for what is refused."""
    pairs = list(zip(steps, effects.looked(steps, texts), strict=True))
    if stands := effects.against(pairs):
        raise ShiplaneError(stands, REFUSED)
    return pairs if dry_run else [(step, facts.told(forge, step, seen)) for step, seen in pairs]


def same(draft: Draft, request: PullRequest | None) -> bool:
    """Whether `request` makes exactly the change of `draft`, on the same state, and nothing is left to do about it."""
    if request is None or request.fingerprint != draft.fingerprint:
        return False
    return bool(request.requester) and request.merging == draft.merge
