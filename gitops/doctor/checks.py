"""Why the statuses and checks that the rules ask for are not there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops.doctor import settings
from gitops.doctor.finding import WAITING, Finding
from gitops.gates.judge import Judgement
from gitops.protection import FAILED, PASSED, RUN, RUNNING, VERIFY, Protection, Standing, Word
from gitops.pull_request import PullRequest

_ACTIONS = "github-actions"
_HELD = "action_required"
"""The conclusion of a suite whose runs wait for somebody to approve them."""


def findings(request: PullRequest, judgement: Judgement | None, found: Protection, at: Standing) -> Iterator[Finding]:
    """What is missing, runs, has failed, or comes from another App than the rules name."""
    if at.words is None or found.rules is None:
        return
    words = {each.context: each for each in at.words}
    required = found.required()
    missing = [context for context in required if context not in words]
    off = [*verify(found)]
    if VERIFY in missing:
        yield from off or [_silent(request)]
    yield from _never(request, found, at, [each for each in missing if each != VERIFY])
    for context, apps in required.items():
        word = words.get(context)
        if word and context == VERIFY:
            yield from _verified(request, judgement, word, off)
            yield from _from_another(word, apps)
        elif word:
            yield from _said(request, word, apps)


def verify(found: Protection) -> Iterator[Finding]:
    """Whether the workflow that posts verify's status is there, is on, and does not fail."""
    if found.verify == "":
        why = f".github/workflows/verify.yaml is not on the default branch: nobody posts {VERIFY}"
        yield Finding("verify-off", why, "write it, as gitops init does, or run gitops sweep --post by a schedule")
    elif found.verify not in (None, "active"):
        why = f"the workflow verify.yaml is switched off ({found.verify}): nobody posts {VERIFY}"
        yield Finding("verify-off", why, f"gh workflow enable verify.yaml --repo {found.repo}")
    elif found.failed:
        why = f"the last run of verify.yaml has failed: {VERIFY} is not posted"
        yield Finding("verify-fails", why, f"read why: {found.failed}")


def _silent(request: PullRequest) -> Finding:
    why = f"{VERIFY} has said nothing of {request.head[:7]} yet, and no merge is let through without it"
    mend = (
        f"wait for the next run of verify.yaml, ten minutes at most\ngitops verify {request.number} --post, as the App"
    )
    return Finding("verify-silent", why, mend, state=WAITING)


def _never(request: PullRequest, found: Protection, at: Standing, missing: list[str]) -> Iterator[Finding]:
    """Required checks that nobody has begun: held, never to start by themselves, or just not there."""
    if not (missing or found.of("workflows")):
        return
    evidence = tuple(f"{each}: required, and not there" for each in missing)
    suites = [conclusion for app, conclusion in at.suites or () if app == _ACTIONS]
    by_run = RUN in (request.author, *request.committers)
    again = f"gh pr close {request.number} && gh pr reopen {request.number}, as a person"
    if _HELD in suites:
        why = "its workflows wait for somebody who may write to approve that they run"
        if by_run:
            why += f", since {RUN} has opened or pushed it"
        mend = f"{request.url}: Approve workflows to run\n{again}\n{settings.APP}"
        yield Finding("checks-awaiting-approval", why, mend, evidence)
    elif missing and by_run and not suites and at.suites is not None:
        why = f"its checks will never start: {RUN} has opened or pushed it, and what that does starts no workflow"
        yield Finding("checks-never-start", why, f"{again}\n{settings.APP}", (*evidence, "no check suite on its head"))
    elif missing:
        why = f"nobody has reported {', '.join(missing)} on {request.head[:7]}"
        mend = (
            "look whether a workflow of that name runs for pull requests; if none does, take the name out of the rules"
        )
        yield Finding("check-missing", why, f"{mend}\n{again}")


def _verified(
    request: PullRequest, judgement: Judgement | None, word: Word, off: Sequence[Finding]
) -> Iterator[Finding]:
    """What verify says is older than what it would say now; what it refuses the gates themselves tell."""
    if word.state == PASSED or judgement is None or not judgement.passed:
        return
    why = f"{VERIFY} has last said that it does not pass, and now nothing stands against it"
    mend = (
        f"wait for the next run of verify.yaml, ten minutes at most\ngitops verify {request.number} --post, as the App"
    )
    yield from off or [Finding("verify-outdated", why, mend, (f"said by {word.by}",), state=WAITING)]


def _said(request: PullRequest, word: Word, apps: frozenset[int]) -> Iterator[Finding]:
    by = (f"said by {word.by}",) if word.by else ()
    if word.state == RUNNING:
        yield Finding("check-running", f"{word.context} is not done yet", "wait for it", by, state=WAITING)
    elif word.state == FAILED:
        mend = f"{request.url}/checks: read why, then run it again"
        yield Finding("check-failed", f"{word.context} has failed", mend, by)
    else:
        yield from _from_another(word, apps)


def _from_another(word: Word, apps: frozenset[int]) -> Iterator[Finding]:
    """Whether it has passed by the word of somebody from whom the rules do not take it: an App, or a person."""
    person = word.by and not word.app and not word.by.endswith("[bot]")
    if word.state != PASSED or 0 in apps or word.app in apps or not (word.app or person):
        return
    named = ", ".join(map(str, sorted(apps)))
    by = f"App {word.app}" if word.app else f"{word.by}, a person"
    why = f"{word.context} comes from {by}, and the rules take it from App {named} alone"
    mend = "have that App say it, or, where it is the wrong one, name the right one: Settings, Rules"
    yield Finding("check-of-another-app", why, mend, (f"said by {word.by}",))
