"""The source of a release as its reviewer reads it: links, and the commits between two releases."""

from __future__ import annotations

from gitops.commits import Commit, Compared
from gitops.messages.words import code, count, shown
from gitops.model import Pin
from gitops.step import Seen, Step

MOST = 20
"""Commits that are listed; the rest is counted."""
_LONGEST = 120  # characters of a subject


def source_link(pin: Pin, server: str) -> str:
    """The commit that a release was built from, on `server` (see `Config`)."""
    source, release = pin.origin.source, pin.release
    at, below = (f"@{release.short}", f"/commit/{release.tag}") if release.commit else ("", "")
    return f"[{source}{at}]({server}/{source}{below})"


def compare_link(step: Step) -> str:
    """Where both releases are compared; empty where they are of different sources, or of one commit."""
    old, new = (step.new, step.old) if step.back else (step.old, step.new)
    if old is None or new is None or old.release.tag == new.release.tag or old.origin.source != new.origin.source:
        return ""
    if not (old.release.commit and new.release.commit):
        return ""
    return f"{step.case.config.server}/{new.origin.source}/compare/{old.release.tag}...{new.release.tag}"


def commits(step: Step, seen: Seen, most: int = MOST) -> str:
    """The section on the commits: those that break or migrate first. Empty where there is nothing to compare."""
    link = compare_link(step)
    if not link or step.old is None:
        return ""
    title = "What it takes back" if step.back else "What is in it"
    found = seen.compared
    if found is None:
        return f"### {title}\nIts commits could not be read here. Read them there: [compare]({link})"
    people = len({each.author for each in found.commits if each.author})
    by = f" by {people} {'person' if people == 1 else 'people'}" if people and len(found.commits) == found.total else ""
    lines = [f"### {title}: {count(found.total, 'commit')}{by}", *_missing(step, found, link)]
    ranked = sorted(found.commits, key=lambda each: (not each.breaking, not each.migration))
    where = f"{step.case.config.server}/{step.new.origin.source}"
    lines += [f"- {_line(each, where)}" for each in ranked[:most]]
    if found.total > len(ranked[:most]):
        lines.append(f"- and {found.total - len(ranked[:most])} more: [compare]({link})")
    return "\n".join(lines)


def counted(seen: Seen) -> str:
    """The commits in a word or two, for a link."""
    found = seen.compared
    if found is None:
        return "compare"
    breaking = sum(each.breaking for each in found.commits)
    missing = f", {found.missing} lost" if found.missing else ""
    return f"{count(found.total, 'commit')}{f', **{breaking} breaking**' if breaking else ''}{missing}"


def _missing(step: Step, found: Compared, link: str) -> list[str]:
    """Commits that run there now and would be gone: a fix in a hurry that nobody has brought back to the main line."""
    if not found.missing or step.back:
        return []
    old = step.old.release.short if step.old else ""
    what = f"{count(found.missing, 'commit')} of {old} {'is' if found.missing == 1 else 'are'} not in it"
    return [f"**{what}:** {step.to.name} would lose them. [compare]({link})"]


def _line(commit: Commit, where: str) -> str:
    """A commit of the repository at the address `where`."""
    marks = [word for word, marked in (("breaking", commit.breaking), ("migration", commit.migration)) if marked]
    mark = f"**{', '.join(marks)}** " if marks else ""
    author = f" — {code(commit.author)}" if commit.author else ""
    link = f"[`{shown(commit.sha, 7).rstrip('…')}`]({where}/commit/{shown(commit.sha)})"
    return f"{mark}{link} {code(commit.subject, _LONGEST)}{author}"
