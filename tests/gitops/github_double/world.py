"""What GitHub knows: one repository, its pull requests, and the people and Apps that act on them."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.gitops.github_double import rules

ANONYMOUS = "0" * 40


class Refusal(Exception):
    """An answer of the API that is an error."""

    def __init__(
        self, status: int, message: str, errors: list[Any] | None = None, headers: dict[str, str] | None = None
    ):
        self.status, self.headers = status, headers or {}
        self.body: dict[str, Any] = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        if errors is not None:
            self.body["errors"] = errors
        super().__init__(message)


@dataclass(frozen=True)
class Actor:
    """A person, or an App's bot. `may` is what its token may do: `admin`, `write`, `read`, `none`; an App's by
    permission.
    """

    login: str
    email: str
    may: str = "write"
    permissions: dict[str, str] | None = None
    repositories: tuple[str, ...] | None = None

    @property
    def is_bot(self) -> bool:
        return self.login.endswith("[bot]")

    def can(self, permission: str, level: str = "write") -> bool:
        """Whether its token has a permission."""
        if self.permissions is not None:
            return self.permissions.get(permission) in (level, "write")
        return self.may in ("write", "admin") or (self.may == "read" and level == "read")


@dataclass
class Review:
    who: Actor
    state: str
    head: str
    at: datetime


@dataclass
class Pull:
    number: int
    title: str
    body: str
    branch: str
    base: str
    author: Actor
    opened: datetime
    head: str
    state: str = "open"
    merged: datetime | None = None
    merge: str = ""
    commits: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    auto: bool = False
    fork: bool = False
    draft: bool = False
    labels: list[str] = field(default_factory=list)
    threads: list[bool] = field(default_factory=list)
    """Conversations, and whether each is resolved."""

    @property
    def id(self) -> str:
        return f"PR_{self.number}"


@dataclass
class Status:
    sha: str
    context: str
    state: str
    description: str | None
    creator: Actor
    at: datetime


@dataclass
class Run:
    """A check run of an App on a commit."""

    sha: str
    name: str
    app: str
    conclusion: str | None = "success"


@dataclass
class Suite:
    """The check suite of an App on a commit; `action_required` waits for somebody's approval."""

    sha: str
    app: str
    conclusion: str | None = "success"


@dataclass(frozen=True)
class Seen:
    """One request, as the log has it."""

    verb: str
    path: str
    status: int
    login: str
    query: str = ""

    @property
    def kind(self) -> str:
        """`git`, `graphql` or `rest`."""
        return "graphql" if self.path == "/api/graphql" else "rest" if self.path.startswith("/api/") else "git"


@dataclass
class Fault:
    """An answer given once in the place of the true one; with `done`, after what was asked for has been done."""

    matches: Callable[[str, str], bool]
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    times: int = 1


class World:
    """One repository `owner/name` in a bare repository, and everything about it."""

    def __init__(self, repo: Path, owner: str = "acme", name: str = "gitops") -> None:
        self.repo, self.owner, self.name = repo, owner, name
        self.lock = threading.RLock()
        self.tokens: dict[str, Actor] = {}
        self.people: dict[str, Actor] = {}
        self.apps: dict[str, dict[str, Any]] = {}
        self.pulls: list[Pull] = []
        self.statuses: list[Status] = []
        self.comments: list[dict[str, Any]] = []
        self.activity: list[dict[str, Any]] = []
        self.teams: dict[str, list[str]] = {}
        self.events: dict[int, list[str]] = {}
        self.log: list[Seen] = []
        self.wrong: list[str] = []
        self.faults: list[Fault] = []
        self.auto_merge = True
        self.merge_commits = True
        self.archived = False
        self.rulesets: list[dict[str, Any]] = []
        self.app_ids = {"github-actions[bot]": 15368, "shiplane[bot]": 1234}
        self.verified: set[str] = set()
        self.suites: list[Suite] = []
        self.runs: list[Run] = []
        self.checks: list[str] = []
        """The checks that workflows of the repository run for a pull request, as soon as they are let."""
        self.held = True
        """Whether what a run's own token opens has runs that wait for an approval; else there are none at all."""
        self.workflow_states: dict[str, str] = {}
        self.workflow_runs: dict[str, list[str]] = {}
        """Conclusions of the runs of a workflow, the newest first."""
        self.required_reviews = 0
        self.required_contexts: list[str] = []
        self.queue = False
        self.most_writes = 80
        self.retry_after = 60
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0)
        self._told: dict[tuple[str, ...], subprocess.CompletedProcess[bytes]] = {}
        self._trials: dict[int, tuple[str, str]] = {}
        self._writes: list[float] = []
        self._ids = itertools.count(1)
        self._numbers = itertools.count(1)

    def person(self, login: str, token: str = "", may: str = "write", email: str = "") -> Actor:
        """Make somebody known, and let them in by a token."""
        actor = Actor(login, email or f"{login}@acme.example", may)
        self.people[login] = actor
        self.tokens[token or f"ghp_{login}"] = actor
        return actor

    def next_id(self) -> int:
        return next(self._ids)

    # git

    def git(self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        return _said(self.tried(*arguments, stdin=stdin, env=env))

    def tried(
        self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        whole = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            **(env or {}),
        }
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=self.repo, input=stdin, capture_output=True, env=whole, check=False)

    def lasting(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """As `tried`, where every object is named by its id: the answer is as lasting as they are, and asked for once.

        A failure is asked for again: what is not there may come.
        """
        known = self._told.get(arguments) or self.tried(*arguments)
        if known.returncode == 0:
            self._told[arguments] = known
        return known

    def fact(self, *arguments: str) -> str:
        """As `git`, of objects named by their ids: see `lasting`."""
        return _said(self.lasting(*arguments))

    def heads(self) -> dict[str, str]:
        """Each branch, and where it stands."""
        if (self.repo / "reftable").exists():
            out = self.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/")
            return dict(line.split(" ") for line in out.splitlines())
        return _heads(self.repo)

    def head(self, branch: str) -> str | None:
        return self.heads().get(f"refs/heads/{branch}")

    @property
    def default(self) -> str:
        told = (self.repo / "HEAD").read_text(encoding="utf-8").strip()
        if told == "ref: refs/heads/.invalid":  # what stands there where git keeps its refs in tables
            return self.git("symbolic-ref", "--short", "HEAD")
        return told.removeprefix("ref: refs/heads/")

    def moved(self, who: Actor, before: dict[str, str]) -> None:
        """Take note of what a push has moved: in the activity, and in the pull requests of those branches."""
        after = self.heads()
        for ref in sorted(before.keys() | after.keys()):
            old, new = before.get(ref, ANONYMOUS), after.get(ref, ANONYMOUS)
            if old != new:
                self.activity.insert(
                    0,
                    {"ref": ref, "before": old, "after": new, "actor": who, "at": self.now()}
                    | {"type": self._kind(old, new)},
                )
                self._follow(who, ref.removeprefix("refs/heads/"), new)
        self.trials()

    def _kind(self, old: str, new: str) -> str:
        if old == ANONYMOUS:
            return "branch_creation"
        if new == ANONYMOUS:
            return "branch_deletion"
        forward = self.tried("merge-base", "--is-ancestor", old, new).returncode == 0
        return "push" if forward else "force_push"

    def _follow(self, who: Actor, branch: str, head: str) -> None:
        for pull in self.pulls:
            if pull.branch == branch and pull.state == "open" and not pull.fork:
                if head == ANONYMOUS:  # GitHub closes it
                    pull.state = "closed"
                    self.events[pull.number].insert(0, f"#{pull.number} closed by {who.login}")
                else:
                    pull.head = head
                    self._started(who, head)
                    self.events[pull.number].insert(0, f"#{pull.number} updated by {who.login}")

    def trials(self) -> None:
        """refs/pull/<n>/head and, where it merges, /merge: GitHub's own trial merge, one for each pair of ends."""
        if not any(pull.state == "open" for pull in self.pulls):
            return
        tip = self.head(self.default)
        for pull in self.pulls:
            if pull.state != "open" or self._trials.get(pull.number) == (tip, pull.head):
                continue
            self.git("update-ref", f"refs/pull/{pull.number}/head", pull.head)
            made = self.merged(str(tip), pull.head, f"Merge {pull.head} into {tip}", self.people["github"])
            if made:
                self.git("update-ref", f"refs/pull/{pull.number}/merge", made)
            self._trials[pull.number] = str(tip), pull.head

    def merged(self, tip: str, head: str, message: str, who: Actor) -> str | None:
        """A merge commit, or None where there is a conflict."""
        done = self.lasting("merge-tree", "--write-tree", tip, head)
        if done.returncode:
            return None
        return self.commit(done.stdout.decode().split()[0], [tip, head], message, who)

    def merges(self, pull: Pull) -> bool:
        """Whether it would merge without a conflict."""
        return self.lasting("merge-tree", "--write-tree", str(self.head(pull.base)), pull.head).returncode == 0

    def commit(self, tree: str, parents: list[str], message: str, who: Actor) -> str:
        lineage = [word for parent in parents for word in ("-p", parent)]
        stamp = f"{int(self.now().timestamp())} +0000"
        env = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", who.login), ("EMAIL", who.email), ("DATE", stamp))
        }
        return self.git("commit-tree", tree, *lineage, stdin=message.encode(), env=env)

    # pull requests

    def pull(self, number: int) -> Pull:
        for each in self.pulls:
            if each.number == number:
                return each
        raise Refusal(404, "Not Found")

    def commits(self, pull: Pull) -> list[str]:
        if pull.commits:
            return pull.commits
        return self.fact("rev-list", "--reverse", f"{self.head(pull.base)}..{pull.head}").splitlines()

    def open(self, who: Actor, body: dict[str, Any]) -> Pull:
        head, base = body["head"].removeprefix(f"{self.owner}:"), body["base"]
        tip = self.head(head)
        if self.head(base) is None or tip is None:
            where = "head" if tip is None else "base"
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "field": where, "code": "invalid"}])
        if any(p.branch == head and p.state == "open" and not p.fork for p in self.pulls):
            told = f"A pull request already exists for {self.owner}:{head}."
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": told}])
        if not self.git("rev-list", "--max-count=1", f"{base}..{tip}"):
            told = f"No commits between {base} and {head}"
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": told}])
        self._text(body)
        pull = Pull(next(self._numbers), body["title"], body.get("body") or "", head, base, who, self.now(), tip)
        self.pulls.append(pull)
        self.events[pull.number] = [f"#{pull.number} opened by {who.login}"]
        self._started(who, tip)
        self.trials()
        return pull

    def _started(self, who: Actor, sha: str) -> None:
        """The workflows of a pull request: they run, but for what a run's own token has pushed or opened."""
        if not self.checks or any(each.sha == sha for each in self.suites):
            return
        if who.login == "github-actions[bot]":
            self.suites += [Suite(sha, "github-actions", "action_required")] if self.held else []
            return
        self.suites.append(Suite(sha, "github-actions"))
        self.runs += [Run(sha, name, "github-actions") for name in self.checks]

    def protect(self, ruleset: dict[str, Any]) -> dict[str, Any]:
        """Add a ruleset, as importing its file does."""
        made = {"id": self.next_id(), **ruleset}
        self.rulesets.append(made)
        return made

    def _text(self, body: dict[str, Any]) -> None:
        for name, most in (("title", 256), ("body", 65536)):
            if len(body.get(name) or "") > most:
                told = f"{name} is too long (maximum is {most} characters)"
                raise Refusal(422, "Validation Failed", [{"resource": "Issue", "code": "custom", "message": told}])

    def edit(self, who: Actor, pull: Pull, body: dict[str, Any]) -> Pull:
        self._text(body)
        pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
        if body.get("state") == "closed" and pull.state == "open":
            pull.state = "closed"
            self.events[pull.number].insert(0, f"#{pull.number} closed by {who.login}")
        if body.get("state") == "open" and pull.state == "closed":
            pull.state = "open"
            self._started(who, pull.head)
        return pull

    def unmet(self, pull: Pull) -> str:
        """Why the rules of the default branch do not let it be merged; empty where they do."""
        approved = {r.who.login for r in self.opinions(pull) if r.state == "APPROVED" and r.head == pull.head}
        if len(approved) < self.required_reviews:
            return f"At least {self.required_reviews} approving review is required by reviewers with write access."
        for context in self.required_contexts:
            word = self.word(pull.head, context)
            if word is None or word.state != "success":
                return f'Required status check "{context}" is expected.'
        return rules.unmet(self, pull)

    def is_signed(self, sha: str) -> bool:
        """Whether GitHub would call a commit verified: it made it for an App, or it has a signature."""
        return sha in self.verified or "\ngpgsig" in self.fact("cat-file", "commit", sha).partition("\n\n")[0]

    def opinions(self, pull: Pull) -> list[Review]:
        """The latest of each person who may write that says yes or no."""
        latest = {r.who.login: r for r in pull.reviews if r.state != "COMMENTED" and r.who.may in ("write", "admin")}
        return list(latest.values())

    def word(self, sha: str, context: str) -> Status | None:
        return next((s for s in reversed(self.statuses) if (s.sha, s.context) == (sha, context)), None)

    def land(self, who: Actor, pull: Pull, sha: str | None = None) -> str:
        """Merge, or say why not, as `PUT .../merge` does."""
        if pull.state != "open":
            raise Refusal(405, "Pull Request is not mergeable")
        if pull.draft:
            raise Refusal(405, "Pull Request is still a draft")
        if not self.merge_commits:
            raise Refusal(405, "Merge commits are not allowed on this repository.")
        if sha is not None and sha != pull.head:
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        if self.queue:
            raise Refusal(405, "Changes must be made through the merge queue")
        if told := self.unmet(pull):
            raise Refusal(405, told)
        tip = str(self.head(pull.base))
        title = f"Merge pull request #{pull.number} from {self.owner}/{pull.branch}\n\n{pull.title}"
        made = self.merged(tip, pull.head, title, who)
        if made is None:
            raise Refusal(405, "Pull Request is not mergeable")
        pull.commits = self.commits(pull)
        before = self.heads()
        self.git("update-ref", f"refs/heads/{pull.base}", made, tip)
        pull.state, pull.merge, pull.merged, pull.auto = "merged", made, self.now(), False
        self.events[pull.number].insert(0, f"#{pull.number} merged by {who.login}")
        self.moved(who, before)
        return made

    def advance(self) -> None:
        """What GitHub does by itself: merge what waits for nothing any more."""
        for pull in self.pulls:
            if pull.auto and pull.state == "open" and not self.unmet(pull):
                self.land(pull.author, pull)

    # limits and faults

    def limit(self) -> None:
        """The secondary limit on what makes content: about 80 in a minute."""
        now = time.monotonic()
        self._writes = [at for at in self._writes if now - at < 60]
        if len(self._writes) >= self.most_writes:
            told = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            self._writes = []
            raise Refusal(429, told, headers={"Retry-After": str(self.retry_after)})
        self._writes.append(now)

    def fault(self, verb: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.matches(verb, path):
                fault.times -= 1
                return fault
        return None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode:
        raise Refusal(422, f"git: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def _heads(repo: Path) -> dict[str, str]:
    """What for-each-ref says, read where git keeps it (gitrepository-layout): a process for each request takes longest.

    A loose ref is newer than a packed one, and is read first: git packs a ref before it takes the loose one away.
    """
    loose: dict[str, str] = {}
    for folder, _, names in os.walk(repo / "refs" / "heads"):
        for path in (Path(folder, name) for name in names if not name.endswith(".lock")):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                loose[path.relative_to(repo).as_posix()] = path.read_text(encoding="ascii").strip()
    try:
        packed = (repo / "packed-refs").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        packed = []
    lines = (line.split(" ") for line in packed if not line.startswith(("#", "^")))
    found = {ref: oid for oid, ref in lines if ref.startswith("refs/heads/")} | loose
    return dict(sorted(found.items()))


def decoded(body: dict[str, Any]) -> bytes:
    """The bytes of a blob as the API takes it."""
    return base64.b64decode(body["content"]) if body.get("encoding") == "base64" else body["content"].encode()
