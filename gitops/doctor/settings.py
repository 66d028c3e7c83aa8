"""What the settings of a repository, and the rights of the token, keep from being done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops.doctor.finding import Finding
from gitops.protection import RUN, Protection

APP = (
    "an App of your own opens it: SHIPLANE_GITHUB_APP_ID and SHIPLANE_GITHUB_APP_KEY_FILE, docs/github.md as gitops "
    "init writes it"
)
"""How to ask so that what is asked for starts workflows, and approvals of it count."""
_LACKS = {
    "contents": "no branch can be written, so no promotion can be opened",
    "pull_requests": "no pull request can be opened",
    "statuses": "who asked cannot be recorded, so nobody's approval will count",
}


def always(found: Protection) -> Iterator[Finding]:
    """What no pull request passes."""
    if found.archived:
        mend = found.gh("-X PATCH {} -F archived=false")
        yield Finding("archived", "the repository is archived: nothing can be written", mend)
    if not found.merge_commits:
        why = "the repository allows no merge commits, and a pin holds from its merge commit on"
        yield Finding("merge-commits-off", why, found.gh("-X PATCH {} -F allow_merge_commit=true"))


def token(found: Protection) -> Iterator[Finding]:
    """What this token cannot do that a promotion needs."""
    if found.lacks:
        evidence = tuple(f"{each}: {_LACKS[each.partition(':')[0]]}" for each in found.lacks)
        mend = "a person: write access to the repository\nan App: its settings, Permissions & events; then accept them"
        why = f"{found.me} may not do what a promotion needs: it lacks {', '.join(found.lacks)}"
        yield Finding("permission-missing", why, mend, evidence)
    elif found.me == RUN:
        why = f"this is the token of a run, {RUN}: what it opens starts no workflow, and nobody's approval of it counts"
        yield Finding("workflow-token", why, APP)


def auto_merge_off(found: Protection, environments: Sequence[str]) -> Finding:
    """`merge: auto` can only merge at once, where nothing is left to wait for."""
    names = " and ".join(dict.fromkeys(environments))
    why = f"auto-merge is off in the repository, and {names} merges by itself: what has to wait for a check stays open"
    return Finding("auto-merge-off", why, found.gh("-X PATCH {} -F allow_auto_merge=true"))
