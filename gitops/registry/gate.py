"""The image gate: what was read of an image, judged. A pure function; what could not be read never passes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops.registry.facts import ImageFacts, is_commit
from gitops.registry.manifest import LABEL

PASSED, WAITING, REFUSED = "passed", "waiting", "refused"
_NAMES_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SHOWN = len("sha256:") + 12

Judged = tuple[str, str, tuple[str, ...]]


def verdict(facts: ImageFacts, platforms: Sequence[str] = ("linux/amd64",)) -> Judged:
    """`(state, why, evidence)`: `passed`, `waiting` or `refused`, one sentence, and what it rests on, line by line.

    `platforms` are those that the environment's nodes need. Waiting is only what may pass by itself: a registry that
    does not answer. Evidence that starts with `warning:` does not refuse.
    """
    evidence = _evidence(facts)
    if facts.unread:
        return (WAITING if facts.unread.passing else REFUSED), facts.unread.why, evidence
    refusal = _mismatch(facts) or _unfit(facts, platforms) or _unsigned(facts)
    if refusal:
        return REFUSED, refusal, evidence
    by = f", signed by {facts.wanted.source}" if facts.wanted else ""
    return PASSED, f"{facts.image}:{facts.tag} is {_short(facts.digest)}{by}", evidence


def _mismatch(facts: ImageFacts) -> str:
    """The tag is there and is the digest."""
    if not facts.repository:
        return f"{facts.image}: there is no such repository; create it, or name another in the catalog"
    if facts.resolved is None:
        beside = f", though {_short(facts.digest)} is there without it" if facts.exists else ""
        return f"{facts.image} has no tag {facts.tag}{beside}; push it there, or wait for its replication"
    if facts.resolved != facts.digest:
        pinned = f"the pinned {_short(facts.digest)}" + ("" if facts.exists else ", which is not there at all")
        return f"{facts.image}:{facts.tag} is {_short(facts.resolved)}, not {pinned}"
    return ""


def _unfit(facts: ImageFacts, platforms: Sequence[str]) -> str:
    """It runs where it is to run, and is the commit that its tag says."""
    lacking = [wanted for wanted in platforms if not any(_runs(had, wanted) for had in facts.platforms)]
    if lacking:
        had = ", ".join(facts.platforms) or "no platform that it names"
        return f"{facts.image}:{facts.tag} is built for {had}, not for {', '.join(lacking)}"
    if is_commit(facts.tag) and _commit(facts) and not facts.tag.startswith(_commit(facts)):
        return f"{facts.image}:{facts.tag} says that it was built from {facts.revision} (its label {LABEL})"
    return ""


def _runs(had: str, wanted: str) -> bool:
    """A variant (`linux/arm64/v8`) runs where no variant is asked for."""
    return had == wanted or had.startswith(f"{wanted}/")


def _unsigned(facts: ImageFacts) -> str:
    """Signed by whom the environment asks for; one good signature is enough, whatever else lies beside it."""
    if facts.wanted is None:
        return ""
    objections = [facts.wanted.objection(signature, facts.tag) for signature in facts.signatures]
    if "" in objections:
        return ""
    told = [*objections, *facts.dismissed] or ["no signature"]
    others = f" ({len(told) - 1} more told in the evidence)" if len(told) > 1 else ""
    return f"{facts.image}@{_short(facts.digest)} is not signed by {facts.wanted.source}: {told[0]}{others}"


def _evidence(facts: ImageFacts) -> tuple[str, ...]:
    if facts.unread or not facts.repository:
        return ()
    lines = [f"tag {facts.tag} resolves to {facts.resolved or 'nothing'}"]
    if facts.immutable is not None:
        lines.append("its tag cannot be moved" if facts.immutable else "warning: the registry lets tags be moved")
    if facts.platforms:
        lines.append(f"platforms: {', '.join(facts.platforms)}")
    if facts.resolved == facts.digest:
        said = "names no commit" if facts.revision is None else f"has {facts.revision}, which is no commit"
        named = f"built from {facts.revision}, says its label {LABEL}"
        lines.append(named if _commit(facts) else f"warning: the label {LABEL} {said}")
    if facts.wanted:
        lines += [
            f"not counted: {objection}" if objection else f"signed by {signature.workflow}, commit {signature.commit}"
            for signature in facts.signatures
            for objection in [facts.wanted.objection(signature, facts.tag)]
        ]
        lines += [f"not counted: {reason}" for reason in facts.dismissed]
    return tuple(lines)


def _commit(facts: ImageFacts) -> str:
    """The commit that the label names, whole or cut; empty where it names none."""
    named = (facts.revision or "").lower()
    return named if _NAMES_COMMIT.fullmatch(named) else ""


def _short(digest: str) -> str:
    return f"{digest[:_SHOWN]}…"
