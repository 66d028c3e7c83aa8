"""Steps become drafts: what helm, the policy, registries and the forge know of each is found out, once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from generator.errors import REFUSED, ShiplaneError
from gitops import effects, facts
from gitops.draft import drafted
from gitops.forge.embedded import Embedded
from gitops.model import Draft, Nothing, PullRequest
from gitops.proof import Rendered
from gitops.step import NOTHING_SEEN, Step, Told

Plan = Step | Draft | Nothing
"""What a request leads to: a step is looked at before it becomes a draft."""


def drafts(
    forge: Embedded,
    plans: Sequence[Plan],
    known: Mapping[str, PullRequest],
    texts: dict[Hashable, Rendered],
    *,
    dry_run: bool,
) -> list[Draft | Nothing]:
    """The draft of each plan, in order. `texts` is what helm has made so far: the same is not rendered again.

    A step whose pull request is open with exactly this is not looked at. Raises ShiplaneError, with exit code 3, where
    a result does not render or a gate refuses it for good.
    """
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


def looked(forge: Embedded, steps: Sequence[Step], texts: dict[Hashable, Rendered], *, dry_run: bool) -> list[Told]:
    """Each step with what was found out about it; raises ShiplaneError, with exit code 3, for what is refused."""
    pairs = list(zip(steps, effects.looked(steps, texts), strict=True))
    if stands := effects.against(pairs):
        raise ShiplaneError(stands, REFUSED)
    return pairs if dry_run else [(step, facts.told(forge, step, seen)) for step, seen in pairs]


def same(draft: Draft, request: PullRequest | None) -> bool:
    """Whether `request` makes exactly the change of `draft`, on the same state."""
    return request is not None and request.fingerprint == draft.fingerprint
