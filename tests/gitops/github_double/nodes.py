"""GitHub's GraphQL types, as far as our queries go: each field reads the world."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.gitops.github_double import rules
from tests.gitops.github_double.graphql import Failed
from tests.gitops.github_double.queue import enqueued
from tests.gitops.github_double.world import ANONYMOUS, Actor, Pull, Refusal, Review, World

# the names of fields and of their arguments are GitHub's

_TRAILERS = "%(trailers:key=Co-authored-by,valueonly,separator=%x0A)"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Connection:
    """Nodes, cut as they were asked for."""

    def __init__(
        self, nodes: Sequence[Any], first: int | None = None, last: int | None = None, after: str | None = None
    ):
        if (first is None) == (last is None) or not 0 < (first or last or 0) <= 100:
            raise Failed("`first` or `last` between 1 and 100 must be given")
        start = int(after) if after else 0
        self.totalCount = len(nodes)
        self.nodes = list(nodes)[start : start + first] if first else list(nodes)[-(last or 0) :]
        self.pageInfo = PageInfo(bool(first and start + first < len(nodes)), str(start + len(self.nodes)))


class PageInfo:
    def __init__(self, more: bool, end: str) -> None:
        self.hasNextPage, self.endCursor = more, end


class User:
    interfaces = ("Actor",)

    def __init__(self, actor: Actor) -> None:
        self.login = actor.login


class Bot:
    """In GraphQL a bot's login comes without its mark."""

    interfaces = ("Actor",)

    def __init__(self, actor: Actor) -> None:
        self.login = actor.login.removesuffix("[bot]")


def actor(who: Actor) -> User | Bot:
    return Bot(who) if who.is_bot else User(who)


class GitActor:
    def __init__(self, world: World, email: str) -> None:
        self.email = email
        found = next((p for p in world.people.values() if p.email == email and not p.is_bot), None)
        self.user = User(found) if found else None


class Blob:
    def __init__(self, world: World, oid: str) -> None:
        self.oid = oid
        data = world.lasting("cat-file", "blob", oid).stdout
        self.text = None if b"\0" in data else data.decode("utf-8", "replace")


class Tree:
    def __init__(self, world: World, oid: str) -> None:
        self.oid = oid


class TreeEntry:
    def __init__(self, world: World, oid: str) -> None:
        self.object = node(world, oid)


class StatusContext:
    def __init__(self, word: Any) -> None:
        self.state, self.description, self.creator = word.state.upper(), word.description, actor(word.creator)
        self.createdAt = _text(word.at)


class Status:
    def __init__(self, world: World, sha: str) -> None:
        self._world, self._sha = world, sha

    def context(self, name: str) -> Any:
        word = self._world.word(self._sha, name)
        return StatusContext(word) if word else None


class GpgSignature:
    interfaces = ("GitSignature",)
    isValid, state = True, "VALID"


class Commit:
    def __init__(self, world: World, oid: str) -> None:
        self._world = world
        self.oid = oid
        told = world.fact("log", "-1", f"--format=%cI%x00%ce%x00%P%x00%ae%n{_TRAILERS}%x00%B", oid)
        self.committedDate, self._committer, self._parents, self._authors, self.message = told.split("\0", 4)

    def signature(self) -> GpgSignature | None:
        return GpgSignature() if self._world.is_signed(self.oid) else None

    def parents(self, first: int) -> Connection:
        return Connection([Commit(self._world, oid) for oid in self._parents.split()], first)

    def status(self) -> Status | None:
        return Status(self._world, self.oid) if any(s.sha == self.oid for s in self._world.statuses) else None

    def authors(self, first: int) -> Connection:
        emails = [line.rpartition("<")[2].rstrip(">") for line in self._authors.splitlines() if line]
        return Connection([GitActor(self._world, email) for email in emails], first)

    def committer(self) -> GitActor:
        return GitActor(self._world, self._committer)

    def file(self, path: str) -> TreeEntry | None:
        done = self._world.lasting("rev-parse", "--verify", "--quiet", f"{self.oid}:{path}")
        return TreeEntry(self._world, done.stdout.decode().strip()) if done.returncode == 0 else None

    def history(
        self, first: int, path: str = "", since: str = "", until: str | None = None, after: str | None = None
    ) -> Connection:
        bounds = [f"--{name}={at}" for name, at in (("since", since), ("until", until)) if at]
        oids = self._world.fact("log", "--format=%H", *bounds, self.oid, *(["--", path] if path else [])).split()
        page = Connection(oids, first, after=after)
        page.nodes = [Commit(self._world, oid) for oid in page.nodes]
        return page

    def associatedPullRequests(self, first: int) -> Connection:
        found = [p for p in self._world.pulls if p.state == "merged" and self.oid in (*p.commits, p.merge)]
        return Connection([PullRequest(self._world, pull) for pull in found], first)


def node(world: World, expression: str) -> Any:
    ask = world.lasting if re.match(r"[0-9a-f]{40}(:|$)", expression) else world.tried  # else it names a ref
    done = ask("rev-parse", "--verify", "--quiet", expression)
    if done.returncode:
        return None
    oid = done.stdout.decode().strip()
    kind = world.fact("cat-file", "-t", oid)
    return {"blob": Blob, "tree": Tree, "commit": Commit}[kind](world, oid)


class PullRequestCommit:
    def __init__(self, world: World, oid: str) -> None:
        self.commit = Commit(world, oid)


class PullRequestReview:
    def __init__(self, world: World, review: Review) -> None:
        self.state, self.submittedAt, self.author = review.state, _text(review.at), actor(review.who)
        self.commit = Commit(world, review.head)


class AutoMergeRequest:
    def __init__(self, at: datetime) -> None:
        self.enabledAt = _text(at)


class ReviewRequest:
    """Who is asked is a union that a token without a team's permission does not see: it is not asked for."""

    asCodeOwner = True

    def __init__(self, who: str) -> None:
        self._who = who


class PullRequestReviewThread:
    def __init__(self, resolved: bool) -> None:
        self.isResolved = resolved


class Label:
    def __init__(self, name: str) -> None:
        self.name = name


class PullRequest:
    def __init__(self, world: World, pull: Pull) -> None:
        self._world, self._pull = world, pull
        self.id, self.number, self.title, self.body = pull.id, pull.number, pull.title, pull.body
        self.url = f"https://github.test/{world.owner}/{world.name}/pull/{pull.number}"
        self.state = pull.state.upper()
        self.headRefName, self.headRefOid, self.baseRefName = pull.branch, pull.head, pull.base
        self.isCrossRepository = pull.fork
        self.createdAt = _text(pull.opened)
        self.mergedAt = _text(pull.merged) if pull.merged else None
        self.author = actor(pull.author)
        self.mergeCommit = Commit(world, pull.merge) if pull.merge else None
        self.autoMergeRequest = AutoMergeRequest(pull.opened) if pull.auto else None

    def isDraft(self) -> bool:
        return self._pull.draft

    def mergeable(self) -> str:
        return "CONFLICTING" if rules.state(self._world, self._pull) == "DIRTY" else "MERGEABLE"

    def mergeStateStatus(self) -> str:
        return rules.state(self._world, self._pull)

    def reviewDecision(self) -> str | None:
        return rules.decision(self._world, self._pull)

    def reviewRequests(self, first: int) -> Connection:
        return Connection([ReviewRequest(each) for each in rules.pending(self._world, self._pull)], first)

    def reviewThreads(self, first: int) -> Connection:
        return Connection([PullRequestReviewThread(each) for each in self._pull.threads], first)

    def labels(self, first: int) -> Connection:
        return Connection([Label(each) for each in self._pull.labels], first)

    def latestOpinionatedReviews(self, first: int, writersOnly: bool = False) -> Connection:
        reviews = self._world.opinions(self._pull)
        return Connection([PullRequestReview(self._world, each) for each in reviews], first)

    def commits(self, first: int | None = None, last: int | None = None) -> Connection:
        oids = self._world.commits(self._pull)
        return Connection([PullRequestCommit(self._world, oid) for oid in oids], first, last)


class Ref:
    def __init__(self, world: World, oid: str) -> None:
        self.target = Commit(world, oid)


class Repository:
    def __init__(self, world: World, who: Actor) -> None:
        self._world = world
        self.id = f"R_{world.name}"
        self.autoMergeAllowed, self.mergeCommitAllowed = world.auto_merge, world.merge_commits
        self.isArchived = world.archived
        self.viewerPermission = None if who.is_bot else who.may.upper()

    def ref(self, qualifiedName: str) -> Ref | None:
        oid = self._world.head(qualifiedName.removeprefix("refs/heads/"))
        return Ref(self._world, oid) if oid else None

    def object(self, expression: str) -> Any:
        return node(self._world, expression)

    def pullRequest(self, number: int) -> PullRequest:
        try:
            return PullRequest(self._world, self._world.pull(number))
        except Refusal:
            raise Failed(f"Could not resolve to a PullRequest with the number of {number}.", "NOT_FOUND") from None

    def pullRequests(
        self,
        first: int,
        states: list[str] | None = None,
        headRefName: str | None = None,
        baseRefName: str | None = None,
        after: str | None = None,
        orderBy: dict[str, str] | None = None,
    ) -> Connection:
        assert orderBy in (None, {"field": "UPDATED_AT", "direction": "DESC"})
        found = [
            PullRequest(self._world, pull)
            for pull in self._world.pulls
            if (states is None or pull.state.upper() in states)
            and headRefName in (None, pull.branch)
            and baseRefName in (None, pull.base)
        ]
        return Connection(found[::-1] if orderBy else found, first, after=after)


class Query:
    def __init__(self, world: World, who: Actor) -> None:
        self._world, self._who = world, who
        self.viewer = actor(who) if not who.is_bot else User(who)  # the viewer's login has the mark

    def repository(self, owner: str, name: str) -> Repository:
        if (owner, name) != (self._world.owner, self._world.name) or not self._who.can("contents", "read"):
            raise Failed(f"Could not resolve to a Repository with the name '{owner}/{name}'.", "NOT_FOUND")
        return Repository(self._world, self._who)


class EnablePullRequestAutoMergePayload:
    def __init__(self, pull: PullRequest) -> None:
        self.pullRequest = pull


class MergeQueueEntry:
    def __init__(self, branch: str) -> None:
        self.id = f"MQE_{branch}"


class EnqueuePullRequestPayload:
    def __init__(self, branch: str) -> None:
        self.mergeQueueEntry = MergeQueueEntry(branch)


class UpdateRefsPayload:
    clientMutationId = None


class Mutation:
    def __init__(self, world: World, who: Actor) -> None:
        self._world, self._who = world, who

    def enablePullRequestAutoMerge(self, input: dict[str, Any]) -> EnablePullRequestAutoMergePayload:
        self._may("pull_requests")
        pull = next(p for p in self._world.pulls if p.id == input["pullRequestId"])
        if not self._world.auto_merge:
            raise Failed("Pull request Auto merge is not allowed for this repository", "UNPROCESSABLE")
        if input.get("expectedHeadOid") not in (None, pull.head):
            raise Failed("Head sha didn't match expected oid", "UNPROCESSABLE")
        if not self._world.unmet(pull):
            raise Failed("Pull request Pull request is in clean status", "UNPROCESSABLE")
        pull.auto = True
        return EnablePullRequestAutoMergePayload(PullRequest(self._world, pull))

    def disablePullRequestAutoMerge(self, input: dict[str, Any]) -> EnablePullRequestAutoMergePayload:
        self._may("pull_requests")
        pull = next(p for p in self._world.pulls if p.id == input["pullRequestId"])
        if not pull.auto:
            raise Failed("Can't disable auto-merge for this pull request.", "UNPROCESSABLE")
        pull.auto = False
        return EnablePullRequestAutoMergePayload(PullRequest(self._world, pull))

    def enqueuePullRequest(self, input: dict[str, Any]) -> EnqueuePullRequestPayload:
        self._may("pull_requests")
        pull = next(p for p in self._world.pulls if p.id == input["pullRequestId"])
        if input.get("expectedHeadOid") not in (None, pull.head):
            raise Failed("Head sha didn't match expected oid", "UNPROCESSABLE")
        return EnqueuePullRequestPayload(enqueued(self._world, pull.number)[0])

    def updateRefs(self, input: dict[str, Any]) -> UpdateRefsPayload:
        self._may("contents")
        before = self._world.heads()
        lines = []
        for each in input["refUpdates"]:
            old, new = each.get("beforeOid"), each["afterOid"]
            if old is not None and before.get(each["name"], ANONYMOUS) != old:
                raise Failed(f"Could not update ref {each['name']}", "UNPROCESSABLE")
            if new != ANONYMOUS and self._world.fact("cat-file", "-t", new) != "commit":
                raise Failed("is no commit", "UNPROCESSABLE")
            lines.append(f"update {each['name']} {new} {before.get(each['name'], ANONYMOUS)}\n")
        self._world.git("update-ref", "--stdin", stdin="".join(lines).encode())
        self._world.moved(self._who, before)
        return UpdateRefsPayload()

    def _may(self, permission: str) -> None:
        if not self._who.can(permission):
            raise Failed("Resource not accessible by integration", "FORBIDDEN")
