"""The forge that needs no server: pull requests inside the git repository itself.

A pull request is its branch and a record, a commit whose message holds the facts and whose tree holds the body. Four
kinds of refs, moved together with the branch or the default branch by one atomic push, so that there is one kill point:

    refs/shiplane/pr/<number>      every pull request, for ever; its history is the audit trail
    refs/shiplane/open/<branch>    the same record while it is open: finding one reads one ref, however many there were
    refs/shiplane/pinned/<branch>  the record of the last merge from that branch: since when a pin holds, by which one
    refs/shiplane/last             the newest record: where the next number comes from
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from gitops import clock
from gitops.commits import Compared
from gitops.forge import COMPARED, Conflict, NoSuchPullRequest, Parked, updates
from gitops.forge.record import address, written
from gitops.forge.refs import LAST, ROOT, Refs, numbered, opened, pinned, require_one_commit
from gitops.messages import commit_message
from gitops.model import Draft
from gitops.pull_request import PullRequest, Review
from gitops.queue import Entry
from gitops.repo import Repository, Update
from gitops.repo.merge import merged
from gitops.repo.source import compared
from gitops.result import branch_of, shared


class Embedded:
    """The embedded forge of an opened repository; it answers all ports."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._refs = Refs(repository)

    def me(self, who: str | None = None) -> str:
        """`who`, else git's own e-mail address: this forge authenticates nobody."""
        return self._repository.me() if who is None else address(who)

    def find(self, branches: Sequence[str], pins: Sequence[tuple[str, str]] = ()) -> dict[str, PullRequest]:
        """The open pull request of each of `branches` that has one; what has set `pins` is read along."""
        self._refs.fetch_about(*branches, *(branch_of(environment, service) for service, environment in pins))
        records = {branch: self._refs.known.get(opened(branch)) for branch in branches}
        return {branch: self._refs.read(oid) for branch, oid in records.items() if oid}

    def open(self) -> list[PullRequest]:
        """Every open pull request, oldest first."""
        return sorted(self._refs.all(f"{ROOT}/open/"), key=lambda request: request.number)

    def merged(self, environments: Sequence[str], *, health: bool = False) -> dict[tuple[str, str], PullRequest]:
        """The pull request that last set each pin of `environments`; a record always tells of health."""
        requests = self._refs.all(*(pinned(branch_of(each, "")) for each in environments))
        return {(r.move.service, r.move.environment): r for r in requests if r.move}

    def last(self, service: str, environment: str) -> PullRequest | None:
        """The pull request that last set a pin."""
        return next(iter(self.history(service, environment, 1)), None)

    def history(self, service: str, environment: str, last: int | None = None) -> list[PullRequest]:
        """The pull requests that have set a pin, the newest first; only the `last` so many."""
        branch = branch_of(environment, service)
        if last is None or branch not in self._refs.about:  # the last one may have come with what `find` has read
            self._refs.fetch_about(branch)
        return list(islice(self._refs.chain(self._refs.known.get(pinned(branch))), last))

    def compare(self, source: str, old: str, new: str) -> Compared | None:
        """The commits of a service's source, from a clone on this disk: see `compared`."""
        return compared(source, old, new, COMPARED)

    def get(self, number: int) -> PullRequest:
        """The pull request with this number, with its body; raises ShiplaneError where there is none."""
        found = self._refs.settled(number)
        if found is None:
            raise NoSuchPullRequest(number, self._repository.url)
        oid, request = found
        body = self._repository.snapshot(["body.md"], oid).data("body.md") or b""
        return replace(request, body=body.decode("utf-8", "replace"))

    def put(self, drafts: Sequence[tuple[Draft, PullRequest | None]], actor: str) -> list[PullRequest] | None:
        """Open or update each draft, in one push; None when another writer was first."""
        tip = self._repository.tip
        moves: list[Update] = []
        requests = []
        asked = [draft for draft, _ in drafts]
        self._repository.build(each for draft in asked for each in ((draft.changes, tip), updates.body(draft.body)))
        last = self._refs.known.get(LAST)
        number = self._refs.read(last).number if last else 0
        for draft, existing in drafts:
            if existing is None:
                number += 1
            request = self._proposed(draft, existing, existing.number if existing else number, tip, actor)
            if draft.merge:
                request = self._landed(request, tip, self._repository.tree_of(request.head))
                tip = request.merge
            record = updates.record(
                self._repository, self._refs, request, "updated" if existing else "opened", actor, existing
            )
            moves += updates.moves(self._repository, self._refs, request, record, existing)
            last = last if existing else record
            requests.append(request)
        if last != self._refs.known.get(LAST):
            moves.append(Update(LAST, self._refs.known.get(LAST), last))
        # where main stays it is a guard: what was planned on an older tip must not replace what is newer
        moves.append(Update(f"refs/heads/{self._repository.branch}", self._repository.tip, tip))
        return requests if self._refs.moved(moves, {draft.branch: existing for draft, existing in drafts}) else None

    def approve(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Record `actor`'s approval of the present head; None when another writer was first."""
        if any((review.who, review.head) == (actor, request.head) for review in request.reviews):
            return request
        review = Review(actor, request.head, clock.now())
        return self._replaced(request, replace(request, reviews=(*request.reviews, review)), "approved", actor)

    def approval(self, request: PullRequest) -> str:
        """The desk's own command, and who may not give it."""
        return f"gitops approve {request.number}, by somebody else than {request.requester}"

    def close(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Close without merging; the branch is deleted, unless somebody else has moved it: those commits are theirs."""
        after = replace(request, state="closed")
        record = updates.record(self._repository, self._refs, after, "closed", actor, request)
        moves = updates.moves(self._repository, self._refs, after, record, request)
        branch = f"refs/heads/{request.branch}"
        lost = self._refs.lost(moves)
        if lost == {branch}:
            lost = self._refs.lost([each for each in moves if each.ref != branch])
        return None if lost else after

    def merge(self, request: PullRequest, actor: str) -> PullRequest | Conflict | None:
        """Merge `request` if its head is still the one that `request` names; conflicts come with their paths."""
        tree = self.result(request)
        if not isinstance(tree, str):
            return tree
        if shared(request) and not self._has_read_pins(request):
            return None
        landed = self._landed(request, self._repository.tip, tree)
        main = Update(f"refs/heads/{self._repository.branch}", self._repository.tip, landed.merge)
        return self._replaced(request, landed, "merged", actor, main)

    def healthy(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Record that what `request`, the last merge from its branch, has brought is healthy; the first time counts."""
        ref, number = pinned(request.branch), numbered(request.number)
        self._refs.fetch(ref, exactly=number)
        found = self._refs.known.get(ref)
        if found is None or self._refs.read(found).number != request.number:
            return None
        if request.healthy:
            return request
        after = replace(request, healthy=clock.now())
        tree = self._repository.tree_of(found)
        message = written(after, f"#{request.number} found healthy by {actor}")
        record = self._repository.commit([found], message, tree)
        moves = [Update(each, found, record) for each in (number, ref) if self._refs.known.get(each) == found]
        return None if self._refs.lost(moves) else after

    def report(self, request: PullRequest, state: str, summary: str, text: str) -> None:
        """Nothing: a merge here asks verify itself, and a stored word could only be older."""

    def mark(self, commit: str, state: str, summary: str, url: str) -> None:
        """Nothing, as `report`."""

    def parked(self) -> list[Parked]:
        """None: no word is stored, and a merge is judged when it is made."""
        return []

    def queue(self) -> list[Entry]:
        """None: a merge here is one push, and needs no queue."""
        return []

    def teams(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """None: shiplane.yaml says who is in which."""
        return {}

    def protection(self, request: PullRequest | None = None) -> None:
        """None: a merge here asks the gates, and there are no rules besides."""

    def _has_read_pins(self, request: PullRequest) -> bool:
        """Read the records of all pins that `request` sets; False where its own record has moved meanwhile."""
        before = self._refs.known.get(opened(request.branch))
        places = [branch_of(move.environment, move.service) for move in request.moves]
        self._refs.fetch_about(request.branch, *places)
        return self._refs.known.get(opened(request.branch)) == before

    def result(self, request: PullRequest, on: str = "") -> str | Conflict | None:
        """The tree that merging `request` would leave; None when its head has moved. See `require_one_commit`."""
        if not self._refs.has_head(request):
            return None
        require_one_commit(request, self._repository.parents(request.head))
        tree, conflicts = merged(self._repository, on or self._repository.tip, request.head, request.base)
        return Conflict(request.number, conflicts) if conflicts else tree

    def _proposed(self, draft: Draft, existing: PullRequest | None, number: int, tip: str, actor: str) -> PullRequest:
        tree = self._repository.edited(tip, draft.changes)
        head = self._repository.commit([tip], commit_message(draft), tree)
        before = existing.committers if existing else ()
        return PullRequest(
            number=number,
            url=f"{self._repository.url}#{number}",
            state="open",
            title=draft.title,
            body=draft.body,
            branch=draft.branch,
            base=tip,
            head=head,
            fingerprint=draft.fingerprint,
            author=existing.author if existing else actor,
            requester=actor,
            committers=tuple(dict.fromkeys([*before, *self._repository.us(head)])),
            opened=existing.opened if existing else clock.now(),
            move=draft.move,
            beside=draft.beside,
            reviews=existing.reviews if existing else (),
            overrides=draft.overrides,
        )

    def _landed(self, request: PullRequest, tip: str, tree: str) -> PullRequest:
        message = f"Merge #{request.number}: {request.title}\n"
        merge = self._repository.commit([tip, request.head], message, tree)
        return replace(request, state="merged", merged=clock.now(), merge=merge)

    def _replaced(
        self, before: PullRequest, after: PullRequest, event: str, actor: str, *others: Update
    ) -> PullRequest | None:
        record = updates.record(self._repository, self._refs, after, event, actor, before)
        moves = [*updates.moves(self._repository, self._refs, after, record, before), *others]
        return after if self._refs.moved(moves, {before.branch: before}) else None
