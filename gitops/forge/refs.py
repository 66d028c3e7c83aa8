"""The refs in which the embedded forge keeps its pull requests: read whole, moved together, and never fought over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generator.errors import REFUSED, Problem, ShiplaneError
from gitops.forge.record import parsed
from gitops.pull_request import PullRequest
from gitops.repo import Repository, Update
from gitops.repo.past import lineage, messages

ROOT = "refs/shiplane"
LAST = f"{ROOT}/last"
_READS = 20  # of one record: each writer who comes between two of them costs another


def numbered(number: int) -> str:
    """The ref of a pull request, for ever."""
    return f"{ROOT}/pr/{number}"


def opened(branch: str) -> str:
    """The ref of the pull request from `branch` while it is open."""
    return f"{ROOT}/open/{branch}"


def pinned(branch: str) -> str:
    """The ref of the last merge from `branch`."""
    return f"{ROOT}/pinned/{branch}"


def patterns(*branches: str) -> list[str]:
    """The refspecs by which `Refs.fetch_about` asks for what is known of `branches`."""
    return [_pattern(prefix) for prefix in (LAST, *_about(branches))]


def _about(branches: Sequence[str]) -> list[str]:
    return [kind(branch) for branch in branches for kind in (opened, pinned)]


def _pattern(prefix: str) -> str:
    return f"+{prefix}*:{prefix}*"


class Refs:
    """What one process has seen of these refs: `known` holds each with the record that it names.

    `about` are the branches that were asked about: what is not in `known` of these is not there.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._heads: set[str] = set()
        self._texts: dict[str, str] = {}
        self.about: set[str] = set()
        self.known: dict[str, str] = {}

    def fetch(self, *prefixes: str, exactly: str = "") -> None:
        """Read all refs that start with one of `prefixes`, in one request; `exactly` is one that must be there."""
        one = [f"+{exactly}:{exactly}"] if exactly else []
        self._repository.fetch(*one, *map(_pattern, prefixes))
        self.known = self._repository.refs(f"{ROOT}/")

    def fetch_about(self, *branches: str, exactly: str = "") -> None:
        """Read what is known of `branches`, and where the numbers stand."""
        self.fetch(LAST, *_about(branches), exactly=exactly)
        self.about.update(branches)

    def all(self, *prefixes: str) -> list[PullRequest]:
        """The record of every ref that starts with one of `prefixes`."""
        self.fetch(*prefixes)
        oids = [oid for ref, oid in self.known.items() if ref.startswith(prefixes)]
        return [self.read(oid) for oid in oids]

    def read(self, oid: str) -> PullRequest:
        """The record `oid`, without its body; with the first, all that are known are read."""
        if oid not in self._texts:
            self._texts |= messages(self._repository, {oid, *self.known.values()} - self._texts.keys())
        return parsed(self._texts[oid], self._repository.url, oid)

    def chain(self, oid: str | None) -> Iterator[PullRequest]:
        """The pull requests that have set a pin, from the record `oid` of the last one back."""
        if oid is None:
            return
        request = self.read(oid)
        yield request
        behind = lineage(self._repository, oid)
        known = {each: parsed(text, self._repository.url, each) for each, (_, text) in behind.items()}
        while oid is not None:
            # a merge's record stands on the one before it; what was found healthy later, on that merge's
            parents = [each for each in behind[oid][0] if known[each].state == "merged"]
            oid = next(iter(parents), None)
            if oid is not None and known[oid].number != request.number:
                request = known[oid]
                yield request

    def settled(self, number: int) -> tuple[str, PullRequest] | None:
        """The newest record of a number, once two reads in a row agree; None where there is none.

        It takes two: the number leads to the record, and the record to its branch, whose refs a push must find as read.
        """
        ref = numbered(number)
        if not self._repository.fetch_one(ref):
            return None
        oid = self._repository.refs(ref)[ref]
        for _ in range(_READS):
            request = self.read(oid)
            self.fetch_about(request.branch, exactly=ref)
            before, oid = oid, self.known[ref]
            if before == oid and (self.known.get(opened(request.branch)) == oid) == (request.state == "open"):
                return oid, request
        raise _astray(ref, f"look at it, in a mirror clone: git log {ref}")

    def has_head(self, request: PullRequest) -> bool:
        """Whether the branch still is at the head; brings it, with the commit that it stands on.

        Raises ShiplaneError when the branch has moved and the record has not: no writer of ours does that.
        """
        if request.head in self._heads or self._head(request.branch) == request.head:
            return True
        record = opened(request.branch)
        known = self.known.get(record)
        self.fetch_about(request.branch)
        if self.known.get(record) != known:
            return False
        if self._head(request.branch) == request.head:
            return True
        raise _astray(f"refs/heads/{request.branch}", way_out(request))

    def moved(self, updates: Sequence[Update], requests: Mapping[str, PullRequest | None]) -> bool:
        """Whether all refs have moved; False when another writer was first.

        Every writer of ours moves the default branch, the newest record or an open one. Where only others are not as
        they were, something else has moved them, and trying again would never help: raises ShiplaneError. `requests`
        are the pull requests that were known, by branch.
        """
        lost = self.lost(updates)
        if not lost or any(self._contended(ref) for ref in lost):
            return not lost
        ref = min(lost)
        branch = ref.removeprefix("refs/heads/")
        request = requests.get(branch)
        delete = f"look at what it holds, then: git push {self._repository.url} --delete {branch}"
        raise _astray(ref, way_out(request) if request else delete)

    def lost(self, updates: Sequence[Update]) -> frozenset[str]:
        """As `Repository.push`; a push that is just being done shows some of its refs before others: look twice."""
        lost = self._repository.push(updates)
        return lost if not lost or any(self._contended(ref) for ref in lost) else self._repository.push(updates)

    def _contended(self, ref: str) -> bool:
        return ref in (f"refs/heads/{self._repository.branch}", LAST) or ref.startswith(f"{ROOT}/open/")

    def _head(self, branch: str) -> str | None:
        ref = f"refs/heads/{branch}"
        if not self._repository.fetch_one(ref, depth=2):
            return None
        head = self._repository.refs(ref)[ref]
        self._heads.add(head)
        return head


def _astray(ref: str, mend: str) -> ShiplaneError:
    return ShiplaneError(Problem(ref.removeprefix("refs/heads/"), "was moved or deleted by other means", mend))


def require_one_commit(request: PullRequest, parents: Sequence[str]) -> None:
    """Raises ShiplaneError where a head is not one commit on its base, as every one of ours is.

    What lies between them would not be in this copy.
    """
    if [*parents] != [request.base]:
        rule = f"its head {request.head[:7]} is not one commit on {request.base[:7]}, which it was planned on"
        raise ShiplaneError(Problem(request.url, rule, way_out(request)), REFUSED)


def way_out(request: PullRequest) -> str:
    """What to do about a pull request whose branch is not as its record says."""
    return f"gitops close {request.number} (its branch stays), and open it again"
