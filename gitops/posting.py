"""verify's judgement, said on the forge too: what cannot be judged must not keep an older word that lets it through."""

from __future__ import annotations

from datetime import datetime

from generator.errors import ShiplaneError
from gitops import notices, verify
from gitops.config import Config
from gitops.forge import Forge
from gitops.gates.judge import Judgement
from gitops.pull_request import PullRequest
from gitops.repo import Repository


def whole(forge: Forge, request: PullRequest, *, post: bool) -> PullRequest:
    """`request`, which a list has shown, with everybody who had a hand in it: see `Facts.get`.

    With `post` the forge is told where that cannot be known: then nobody knows whose approval counts.
    """
    try:
        return forge.get(request.number)
    except Exception as error:
        _unjudged(forge, request, error, post=post)
        raise


def judged(
    repository: Repository, config: Config, forge: Forge, request: PullRequest, now: datetime, *, post: bool
) -> Judgement | None:
    """As `verify.judged`; with `post` the forge is told the verdict, or that there is none."""
    try:
        judgement = verify.judged(repository, config, forge, request, now)
    except Exception as error:
        _unjudged(forge, request, error, post=post)
        raise
    if judgement and post:
        forge.report(request, judgement.state, judgement.summary, notices.judged(request, judgement.verdicts))
    return judgement


def _unjudged(forge: Forge, request: PullRequest, error: Exception, *, post: bool) -> None:
    if post:
        told = error.problems[0].rule if isinstance(error, ShiplaneError) else "a bug of Shiplane's"
        forge.report(request, "error", f"cannot be judged: {told}", notices.unjudged(request, told))
