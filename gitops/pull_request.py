"""A pull request as a forge knows it, and whose word on it counts. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitops.model import Move, Override


@dataclass(frozen=True, slots=True)
class Review:
    """An approval: by whom, of which head, when."""

    who: str
    head: str
    at: datetime


@dataclass(frozen=True)
class PullRequest:
    """A pull request as a forge knows it. People are named as the forge names them (embedded: by e-mail address).

    An empty `requester` is not known: then nobody's approval counts. `merging`: the forge merges it by itself once
    nothing stands against it. `unlabelled` are labels that shiplane.yaml wants on it and that it lacks.
    """

    number: int
    url: str
    state: str
    title: str
    body: str
    branch: str
    base: str
    head: str
    fingerprint: str
    author: str
    requester: str
    opened: datetime
    move: Move | None = None
    committers: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    merged: datetime | None = None
    merge: str = ""
    overrides: tuple[Override, ...] = ()
    healthy: datetime | None = None
    merging: bool = False
    beside: tuple[Move, ...] = ()
    unlabelled: tuple[str, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every pin that it sets."""
        return (*([self.move] if self.move else []), *self.beside)

    def barred(self, who: str) -> str:
        """Why an approval by `who` does not count; empty when it does."""
        name = person(who)
        if not name or name.split("@")[0].endswith("[bot]"):
            return "is no person"
        if not self.requester:
            return "may have asked for it: nobody has recorded who did"
        roles = (("author", [self.author]), ("requester", [self.requester]), ("committer", self.committers))
        mine = [role for role, people in roles if name in map(person, people)]
        return f"is its {' and '.join(mine)}" if mine else ""

    def approvers(self) -> tuple[str, ...]:
        """Who approved the present head and is not barred, each once."""
        counted = (person(r.who) for r in self.reviews if r.head == self.head and not self.barred(r.who))
        return tuple(dict.fromkeys(counted))


def person(who: str) -> str:
    """A person's name as names are compared: forges and git keep the case in which it was typed."""
    return who.strip().casefold()
