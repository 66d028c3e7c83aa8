"""The four small ports to where pull requests live, in our own words; each forge returns our own values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from generator.errors import Problem, ShiplaneError

if TYPE_CHECKING:  # 15 ms, and whoever only looks for credentials comes through here
    from gitops.commits import Compared
    from gitops.model import Draft
    from gitops.protection import Protection
    from gitops.pull_request import PullRequest
    from gitops.queue import Entry

COMPARED = 250
"""Commits of a comparison that are read at most: what one page of GitHub's holds."""


class NoSuchPullRequest(ShiplaneError):
    """No pull request into the default branch has that number."""

    def __init__(self, number: int, url: str) -> None:
        super().__init__(Problem(f"#{number}", f"no such pull request in {url}", "gitops prs"))


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pull request cannot be merged: these paths changed on both sides."""

    number: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parked:
    """A pull request that nobody judges now, on whose head a good word of verify's still stands."""

    number: int
    head: str
    url: str


class PullRequests(Protocol):
    """Opens, updates, closes and merges pull requests. None means: another writer was first, plan again."""

    def me(self, who: str | None = None) -> str:
        """Who acts, as this forge names people: whoever it has let in, or `who` where it takes anybody's word for it.

        Raises ShiplaneError for `who` where the forge itself knows who acts, and for a name that is none.
        """
        ...

    def find(self, branches: Sequence[str], pins: Sequence[tuple[str, str]] = ()) -> dict[str, PullRequest]:
        """The open pull request of each of `branches` that has one.

        What has set `pins`, each a service and an environment, is read along: `last` then knows it without asking.
        """
        ...

    def put(self, drafts: Sequence[tuple[Draft, PullRequest | None]], actor: str) -> list[PullRequest] | None:
        """Open each draft, or update the open pull request beside it; merge at once where the draft asks so."""
        ...

    def close(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Close without merging; the branch is deleted."""
        ...

    def merge(self, request: PullRequest, actor: str) -> PullRequest | Conflict | None:
        """Merge `request` if its head is still the one that `request` names."""
        ...


class Facts(Protocol):
    """What a forge knows about pull requests, in batched reads."""

    def get(self, number: int) -> PullRequest:
        """The pull request with this number, with its body and all that a judgement asks of it.

        Raises NoSuchPullRequest where there is none, ShiplaneError where nobody can tell who had a hand in it.
        """
        ...

    def open(self) -> list[PullRequest]:
        """Every open pull request, oldest first, with its reviews: for a list. Who had a hand in one, `get` tells."""
        ...

    def parked(self) -> list[Parked]:
        """Those pull requests that were closed, or led to another branch, and still bear the word that lets one merge.

        Of the hundred in which something happened last.
        """
        ...

    def merged(self, environments: Sequence[str], *, health: bool = False) -> dict[tuple[str, str], PullRequest]:
        """The pull request that last set the pin of (service, environment), for every service of `environments`.

        With `health` each tells since when what it brought is known to run well, too.
        """
        ...

    def last(self, service: str, environment: str) -> PullRequest | None:
        """The pull request that last set a pin; a forge may leave its health out."""
        ...

    def history(self, service: str, environment: str, last: int | None = None) -> list[PullRequest]:
        """The pull requests that have set a pin, the newest first; only the `last` so many."""
        ...

    def compare(self, source: str, old: str, new: str) -> Compared | None:
        """The commits of the repository `source` (owner/name) that `new` has and `old` lacks; `missing`: the reverse.

        Of many the newest `COMPARED`, each with its whole message: what breaks is ours to tell (gitops/commits.py).
        None where nobody can read it: no such repository, no permission, a commit that it does not know.
        """
        ...

    def result(self, request: PullRequest, on: str = "") -> str | Conflict | None:
        """The tree that merging `request` into the commit `on`, the tip unless named, would leave.

        None when its head has moved.
        """
        ...

    def queue(self) -> list[Entry]:
        """Every branch of the merge queue into the default branch, as anybody may have pushed it; none without one."""
        ...

    def teams(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The people of those of `names` that the forge itself knows as teams, by names as `person` gives them."""
        ...


class Reviews(Protocol):
    """What is said of a pull request. None means: another writer was first, plan again."""

    def approve(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Record `actor`'s approval of the present head; refused where people approve on the forge itself."""
        ...

    def approval(self, request: PullRequest) -> str:
        """What a person does to approve `request`: the way out where approvals are missing."""
        ...

    def healthy(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Record that what `request` has brought is healthy; refused where that is the forge's own to know."""
        ...

    def report(self, request: PullRequest, state: str, summary: str, text: str) -> None:
        """Say on the forge what verify says of the present head: a verdict's `state`, one line, and all of it.

        A forge that asks verify itself, at each merge, needs no such word and keeps none.
        """
        ...

    def mark(self, commit: str, state: str, summary: str, url: str) -> None:
        """Say on `commit` itself what verify says of it, as `report` does on a head; `url` is where more is told."""
        ...


class Guards(Protocol):
    """How a forge itself guards the default branch, besides the gates."""

    def protection(self, request: PullRequest | None = None) -> Protection | None:
        """Its rules, settings and what the token may do, and where an open `request` stands with them.

        None for a forge that has no rules of its own: a merge there asks the gates, and nothing else.
        """
        ...


class Forge(PullRequests, Facts, Reviews, Guards, Protocol):
    """A whole forge."""
