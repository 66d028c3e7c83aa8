"""The forge of a repository on GitHub: what it knows (`known`), and what is done there."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from generator.errors import REFUSED, Problem, ShiplaneError, given
from gitops import clock
from gitops.forge import Conflict
from gitops.forge.github import comments, people, queries, reading, write
from gitops.forge.github.known import Known
from gitops.forge.github.wire import Refused
from gitops.labels import labels
from gitops.model import Draft
from gitops.pull_request import PullRequest

_AT_ONCE = ("clean status", "unstable status", "auto merge is not allowed", "protected branch rules not configured")
"""What auto-merge answers where there is nothing to wait for, or where it is off: then it is merged now."""
_QUEUE = "merge queue"
"""What a merge answers where it has to be made by the queue: "Changes must be made through the merge queue"."""
_TRIES = 6  # of a merge, while GitHub is still finding out whether there is a conflict
_PAUSE = 0.4  # seconds before the second one; it doubles


class GitHub(Known):
    """The forge of an opened repository; it answers all ports."""

    def me(self, who: str | None = None) -> str:
        """The login behind the token; for an App, and for the token of a run of GitHub Actions, the run's actor."""
        if who is not None:
            rule = "GitHub knows who acts, by the token"
            raise ShiplaneError(Problem(given("--as", who), rule, "leave it out, or log in as somebody else"))
        login = self._login()
        return os.environ.get("GITHUB_ACTOR") or login if login.endswith("[bot]") else login

    def _login(self) -> str:
        if not self._me:
            self._me = str(self._wire.graphql(queries.VIEWER, {})["viewer"]["login"])
        return self._me

    def put(self, drafts: Sequence[tuple[Draft, PullRequest | None]], actor: str) -> list[PullRequest] | None:
        """Open or update each draft; what an interrupted run has left is completed. None when another was first.

        Branches move all or none; then each pull request is opened or told. Killed in between and run again, it finds
        a branch of ours without a pull request, or one whose head is as planned, and goes on from there.
        """
        self._spare_strangers(drafts)
        fresh = [
            (draft, self._heads.get(draft.branch, ("", ""))[0] or None)
            for draft, existing in drafts
            if existing is None or existing.fingerprint != draft.fingerprint
        ]
        heads = self._written(fresh) if fresh else {}
        if heads is None:
            return None
        done = []
        for draft, existing in drafts:
            request = self._told(draft, existing, heads.get(draft.branch), actor)
            if request is None:
                return None
            if draft.merge and not request.merging:
                request = self._landing(request)
            elif request.merging and not draft.merge:  # a gate has a word against it now
                self._wire.graphql(queries.NO_AUTO_MERGE, {"pull": self._ids[request.number]})
                request = replace(request, merging=False)
            done.append(self._labelled(request, draft, existing))
        return done

    def _labelled(self, request: PullRequest, draft: Draft, existing: PullRequest | None) -> PullRequest:
        """`request` with the labels that shiplane.yaml wants and it lacks; one that GitHub does not know is made.

        They come last: that one cannot be put keeps nothing from being opened or merged.
        """
        wanted = existing.unlabelled if existing else labels(self._config.labels, draft.moves)
        if wanted:
            path = f"/repos/{self._slug}/issues/{request.number}/labels"
            self._wire.rest("POST", path, {"labels": list(wanted)})
        return replace(request, unlabelled=())

    def _written(self, fresh: write.Wanted) -> dict[str, str] | None:
        keyed = not self._config.layout.own
        if not self._login().endswith("[bot]"):
            return write.by_git(self._repository, fresh, keyed=keyed)
        return write.by_api(self._wire, self._slug, self._id, self._repository, fresh, keyed=keyed)

    def _spare_strangers(self, drafts: Sequence[tuple[Draft, PullRequest | None]]) -> None:
        """A branch that a run of ours has left behind is taken up; one with somebody's own commit on it is not."""
        for draft, existing in drafts:
            oid, message = self._heads.get(draft.branch, ("", ""))
            if oid and existing is None and not reading.fingerprint(message):
                mend = f"look at it, then: git push {self._repository.url} --delete {draft.branch}"
                raise ShiplaneError(Problem(draft.branch, "is there, without a pull request, and is not ours", mend))

    def _told(self, draft: Draft, existing: PullRequest | None, head: str | None, actor: str) -> PullRequest | None:
        """The pull request of a draft whose branch is written; None when somebody else has opened it meanwhile."""
        requester = actor
        if self._me.endswith("[bot]") and (head or (existing and not existing.requester)):
            requester = people.record(
                self._wire, self._slug, head or (existing.head if existing else ""), self._me, actor
            )
        if existing and not head:
            return replace(existing, requester=existing.requester or requester)
        body = {"title": draft.title, "body": draft.body}
        pulls = f"/repos/{self._slug}/pulls"
        try:
            if existing:
                told = self._wire.rest("PATCH", f"{pulls}/{existing.number}", body)
            else:
                told = self._wire.rest("POST", pulls, {**body, "head": draft.branch, "base": self._repository.branch})
        except Refused as refusal:
            if refusal.status == 422 and any(w in refusal.message for w in ("already exists", "No commits between")):
                return None
            raise
        self._ids[told["number"]] = told["node_id"]
        author = told["user"]["login"]
        return PullRequest(
            number=told["number"],
            url=told["html_url"],
            state="open",
            title=draft.title,
            body=draft.body,
            branch=draft.branch,
            base=self._repository.tip,
            head=head or "",
            fingerprint=draft.fingerprint,
            author=author,
            requester=requester if self._me.endswith("[bot]") else author,
            opened=reading.moment(told["created_at"]),
            move=draft.move,
            beside=draft.beside,
            committers=tuple(dict.fromkeys([*(existing.committers if existing else ()), self._me])),
            overrides=draft.overrides,
            merging=told.get("auto_merge") is not None,
        )

    def _landing(self, request: PullRequest) -> PullRequest:
        """`request` with auto-merge on, or merged where nothing is left to wait for; as it is where rules refuse."""
        asked = {"pull": self._ids[request.number], "head": request.head}
        try:
            self._wire.graphql(queries.AUTO_MERGE, asked)
            return replace(request, merging=True)
        except Refused as refusal:
            if not any(words in refusal.message.lower() for words in _AT_ONCE):
                raise
        try:
            landed = self._merged(request)
        except ShiplaneError as error:
            if error.exit_code != REFUSED:
                raise
            return request
        return request if isinstance(landed, Conflict) or landed is None else landed

    def close(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Close without merging; the branch is deleted, unless somebody else has moved it: those commits are theirs."""
        told = self._wire.rest("PATCH", f"/repos/{self._slug}/pulls/{request.number}", {"state": "closed"})
        if told["merged"]:
            return None
        self._delete(request)
        return replace(request, state="closed")

    def merge(self, request: PullRequest, actor: str) -> PullRequest | Conflict | None:
        """Merge `request` if its head is still the one that `request` names; conflicts come with their paths.

        Where GitHub merges by a queue it is put into that, and comes back open, and merging.
        """
        landed = self._merged(request)
        return self.get(request.number) if isinstance(landed, PullRequest) and not landed.merging else landed

    def _merged(self, request: PullRequest) -> PullRequest | Conflict | None:
        """Merged by GitHub, at the expected head. Raises ShiplaneError, with exit code 3, where its rules refuse."""
        body = {"sha": request.head, "merge_method": "merge"}
        for attempt in range(_TRIES):
            try:
                told = self._wire.rest("PUT", f"/repos/{self._slug}/pulls/{request.number}/merge", body)
            except Refused as refusal:
                if refusal.status == 409:  # "Head branch was modified"
                    return None
                if refusal.status != 405:
                    raise
                said = refusal.message
                if _QUEUE in said.lower():
                    self._wire.graphql(queries.ENQUEUE, {"pull": self._ids[request.number], "head": request.head})
                    return replace(request, merging=True)
            else:
                self._delete(request)
                return replace(request, state="merged", merged=clock.now(), merge=told["sha"], merging=False)
            if "not mergeable" in said.lower() and isinstance(found := self.result(request), Conflict):
                return found
            if not any(words in said.lower() for words in ("base branch was modified", "not mergeable")):
                rule = f"GitHub's rules: {said}"
                raise ShiplaneError(Problem(request.url, rule, f"gitops doctor {request.number}"), REFUSED)
            time.sleep(_PAUSE * 2**attempt)
        return None

    def _delete(self, request: PullRequest) -> None:
        """Take the branch away if it is as it was; GitHub may have done so by itself."""
        self._id = self._id or self._wire.graphql(queries.REPOSITORY, self._at)["repository"]["id"]
        write.move(self._wire, self._slug, self._id, [(request.branch, request.head, None)])

    def approve(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Refused: people approve on GitHub, which knows who they are."""
        raise ShiplaneError(Problem(request.url, "is approved on GitHub itself", self.approval(request)))

    def approval(self, request: PullRequest) -> str:
        """A review there, by somebody who has had no hand in it; none counts where nobody knows who asked for it."""
        if not request.requester:
            return f"gitops close {request.number}, and ask for it again as a person, or as an App of your own"
        hands = " or ".join(dict.fromkeys(filter(None, (request.author, request.requester))))
        return f"review it there, as somebody else than {hands}: {request.url}/files"

    def healthy(self, request: PullRequest, actor: str) -> PullRequest | None:
        """Refused: Argo CD's notifications say it, by a status that nobody else can set."""
        rule = "is found healthy by Argo CD's notifications, on the commit that it was merged by"
        raise ShiplaneError(Problem(request.url, rule, "docs/github.md, as gitops init writes it: Health"))

    def report(self, request: PullRequest, state: str, summary: str, text: str) -> None:
        """Say what verify says of the present head: by a commit status, and in one comment, kept up to date."""
        comments.report(self._wire, self._slug, request, self._login(), state, summary, text)

    def mark(self, commit: str, state: str, summary: str, url: str) -> None:
        """Say what verify says of a commit, by a commit status."""
        comments.mark(self._wire, self._slug, commit, self._login(), state, summary, url)
