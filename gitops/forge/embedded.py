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
from gitops.forge import COMPARED, Conflict, NoSuchPullRequest
from gitops.forge.record import address, written
from gitops.forge.refs import LAST, ROOT, Refs, numbered, opened, pinned, require_one_commit
from gitops.messages import commit_message
from gitops.model import FILE, Draft
from gitops.pull_request import PullRequest, Review
from gitops.queue import Entry
from gitops.repo import Repository, Update
from gitops.repo.source import compared
from gitops.result import branch_of, shared


class Embedded:
    """The embedded forge of an opened repository; it answers all three ports."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._refs = Refs(repository)

    def me(self, who: str | None = None) -> str:
        """`who`, else git's own e-mail address: this forge authenticates nobody."""
        return self._repository.me() if who is None else address(who)

    def find(self, branches: Sequence[str]) -> dict[str, PullRequest]:
        """The open pull request of each of `branches` that has one."""
        self._refs.fetch_about(*branches)
        records = {branch: self._refs.known.get(opened(branch)) for branch in branches}
        return {branch: self._refs.read(oid) for branch, oid in records.items() if oid}

    def open(self) -> list[PullRequest]:
        """Every open pull request, oldest first."""
        return sorted(self._refs.all(f"{ROOT}/open/"), key=lambda request: request.number)

    def merged(self, environments: Sequence[str]) -> dict[tuple[str, str], PullRequest]:
        """The pull request that last set each pin of `environments`."""
        requests = self._refs.all(*(pinned(branch_of(each, "")) for each in environments))
        return {(r.move.service, r.move.environment): r for r in requests if r.move}

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
        updates: list[Update] = []
        requests = []
        last = self._refs.known.get(LAST)
        number = self._refs.read(last).number if last else 0
        for draft, existing in drafts:
            if existing is None:
                number += 1
            request = self._proposed(draft, existing, existing.number if existing else number, tip, actor)
            if draft.merge:
                request = self._landed(request, tip, self._repository.tree_of(request.head))
                tip = request.merge
            record = self._record(request, "updated" if existing else "opened", actor, existing)
            updates += self._updates(request, record, existing)
            last = last if existing else record
            requests.append(request)
        if last != self._refs.known.get(LAST):
            updates.append(Update(LAST, self._refs.known.get(LAST), last))
        # where main stays it is a guard: what was planned on an older tip must not replace what is newer
        updates.append(Update(f"refs/heads/{self._repository.branch}", self._repository.tip, tip))
        return requests if self._refs.moved(updates, {draft.branch: existing for draft, existing in drafts}) else None

    def approve(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Record `actor`'s approval of the present head; None when another writer was first."""
        if any((review.who, review.head) == (actor, request.head) for review in request.reviews):
            return request
        review = Review(actor, request.head, clock.now())
        return self._replaced(request, replace(request, reviews=(*request.reviews, review)), "approved", actor)

    def close(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Close without merging; the branch is deleted, unless somebody else has moved it: those commits are theirs."""
        after = replace(request, state="closed")
        updates = self._updates(after, self._record(after, "closed", actor, request), request)
        branch = f"refs/heads/{request.branch}"
        lost = self._refs.lost(updates)
        if lost == {branch}:
            lost = self._refs.lost([update for update in updates if update.ref != branch])
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
        updates = [Update(each, found, record) for each in (number, ref) if self._refs.known.get(each) == found]
        return None if self._refs.lost(updates) else after

    def report(self, request: PullRequest, state: str, summary: str, text: str) -> None:
        """Nothing: a merge here asks verify itself, and a stored word could only be older."""

    def mark(self, commit: str, state: str, summary: str, url: str) -> None:
        """Nothing, as `report`."""

    def queue(self) -> list[Entry]:
        """None: a merge here is one push, and needs no queue."""
        return []

    def teams(self, names: Collection[str]) -> Mapping[str, frozenset[str]]:
        """None: shiplane.yaml says who is in which."""
        return {}

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
        tree, conflicts = self._repository.merged(on or self._repository.tip, request.head, request.base)
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
            committers=tuple(dict.fromkeys([*before, *self._repository.people(head)])),
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
        record = self._record(after, event, actor, before)
        updates = [*self._updates(after, record, before), *others]
        return after if self._refs.moved(updates, {before.branch: before}) else None

    def _updates(self, request: PullRequest, record: str, existing: PullRequest | None) -> list[Update]:
        """The refs of one pull request, from what they are to what `request` makes them."""
        is_open = request.state == "open"
        branch = request.branch
        old = self._refs.known[opened(branch)] if existing else None
        updates = [
            Update(numbered(request.number), old, record),
            Update(opened(branch), old, record if is_open else None),
            Update(f"refs/heads/{branch}", existing.head if existing else None, request.head if is_open else None),
        ]
        if request.state == "merged":
            updates += self._pins(request, record)
        return updates

    def _pins(self, request: PullRequest, record: str) -> list[Update]:
        """The records of the pins that were set; of several each has its own, and so a history of its own."""
        if not shared(request):
            ref = pinned(request.branch)
            return [Update(ref, self._refs.known.get(ref), record)] if request.move else []
        updates = []
        for move in request.moves:
            branch = branch_of(move.environment, move.service)
            before = self._refs.known.get(pinned(branch))
            alone = written(
                replace(request, branch=branch, move=move, beside=()),
                f"#{request.number} has set {move.service} in {move.environment}",
            )
            own = self._repository.commit([before] if before else [], alone, self._repository.tree_of(record))
            updates.append(Update(pinned(branch), before, own))
        return updates

    def _record(self, request: PullRequest, event: str, actor: str, existing: PullRequest | None) -> str:
        tree = self._repository.tree({"body.md": (FILE, request.body.encode())})
        parents = [self._refs.known[opened(request.branch)]] if existing else []
        if request.state == "merged" and not shared(request):
            before = self._refs.known.get(pinned(request.branch))
            parents += [before] if before else []  # a pin's history is a chain of the records that set it
        at_once = " and merged" if event != "merged" and request.state == "merged" else ""
        event = f"#{request.number} {event}{at_once} by {actor}"
        return self._repository.commit(parents, written(request, event), tree)
