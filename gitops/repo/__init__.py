"""A remote git repository, read and written without a clone of its files.

Each command works in a bare, shallow, partial copy of one commit (trees, no file contents) in a temporary folder: new
commits are built from tree objects alone and pushed; nothing stays behind to lock or to clean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.errors import Problem, ShiplaneError
from gitops.model import EXECUTABLE, FILE, Change, Snapshot
from gitops.repo.access import ANYBODY, Access
from gitops.repo.copy import Copy, Where, copying
from gitops.repo.git import GitFailed, NoBranch, git, signing
from gitops.repo.text import Build, Rejection, built, exported, imported, listed, raced, rejections


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push: `before` is what the remote must have now (None: no such ref), `after` None deletes it.

    Equal ones change nothing and are a guard: all the others move only where this ref is as it was.
    """

    ref: str
    before: str | None
    after: str | None


class Repository:
    """One remote repository at the tip of its default branch; use it through `opened`."""

    def __init__(self, url: str, folder: str, access: Access) -> None:
        self.url = url
        self.access = access
        self._folder = folder
        self._read: dict[str, bytes] = {}
        self._brought: set[str] = set()
        self._listed: tuple[set[str], Snapshot] | None = None
        self._me = ""
        self._us: tuple[str, ...] = ()
        self._built: dict[Build, str] = {}
        self._signing: list[str] | None = None
        self.branch = self._git("symbolic-ref", "HEAD").decode().strip().removeprefix("refs/heads/")
        self.tip = self._git("rev-parse", "--verify", "HEAD").decode().strip()

    def renew(self) -> None:
        """Move to the tip that the default branch has now; what was read before is not fetched again."""
        self.fetch(f"+refs/heads/{self.branch}:refs/heads/{self.branch}", depth=1)
        self.tip = self._git("rev-parse", "--verify", "HEAD").decode().strip()

    def snapshot(self, paths: Sequence[str], commit: str | None = None) -> Snapshot:
        """What `commit` (the tip, unless named) has at `paths`, with the bytes of every file there, in one fetch."""
        found = self.listing(paths, commit)
        files = [path for path, entry in found.entries.items() if entry.mode in (FILE, EXECUTABLE)]
        return self.read_all([(found, files)])[0]

    def listing(self, paths: Sequence[str] | None, commit: str | None = None) -> Snapshot:
        """As `snapshot`, by object ids alone: nothing is fetched. For None all that the commit holds."""
        commit = commit or self.tip
        if paths is not None and self._listed and self._listed[1].tip == commit and self._listed[0].issuperset(paths):
            return self._listed[1].below(paths)
        few = paths if paths and len(paths) <= _ARGUMENTS else ()
        out = self._git("ls-tree", "-r", "-t", "-z", "--full-tree", commit, "--", *few)
        found = Snapshot(commit, listed(out))
        return found if paths is None else found.below(paths)

    def read_all(self, asked: Iterable[tuple[Snapshot, Iterable[str]]]) -> list[Snapshot]:
        """Each snapshot with the bytes of its files at the paths beside it, all in one fetch."""
        wanted = [(snapshot, [*paths]) for snapshot, paths in asked]
        blobs = self.blobs({each.entries[path].oid for each, paths in wanted for path in paths})
        return [each.filled({path: blobs[each.entries[path].oid] for path in paths}) for each, paths in wanted]

    def fetch(self, *refspecs: str, depth: int | None = None) -> None:
        """Bring refs (a pattern may match none) with their commits and trees into this copy, in one request.

        A ref of this copy that a pattern matches, and that the remote has no more, is dropped. What `bring` has brought
        is taken as it came, once.
        """
        if depth is None and self._brought.issuperset(refspecs):
            self._brought.difference_update(refspecs)
            return
        # with a depth, git ends with 1 and no word when a pattern matches nothing
        shallow = [f"--depth={depth}"] if depth else []
        # records have no history in common with what is here: to look for one costs a round trip
        apart = () if depth else ("fetch.negotiationAlgorithm=noop",)
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--prune")
        self._git("fetch", *quiet, *shallow, "origin", *refspecs, settings=apart)

    def fetch_one(self, ref: str, depth: int | None = None) -> bool:
        """Bring exactly `ref`, under its own name; False when the remote has none."""
        try:
            self.fetch(f"+{ref}:{ref}", depth=depth)
        except GitFailed as failure:
            if "couldn't find remote ref" in failure.stderr:
                return False
            raise
        return True

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs of this copy that start with `prefix`, with the commits that they name."""
        out = self._git("for-each-ref", "--format=%(refname) %(objectname)", prefix).decode()
        return dict(line.split(" ", 1) for line in out.splitlines())

    def parents(self, commit: str) -> list[str]:
        """The parents of `commit`, in their order."""
        return self._git("rev-parse", f"{commit}^@").decode().split()

    def us(self, commit: str) -> tuple[str, ...]:
        """The e-mail addresses of author and committer, in lower case, that `commit` has as all that we write."""
        if not self._us:
            out = self._git("log", "--no-walk", "--format=%ae%n%ce", commit).decode("utf-8", "replace")
            self._us = tuple(dict.fromkeys(line.lower() for line in out.splitlines()))
        return self._us

    def me(self) -> str:
        """The e-mail address that git would write into a commit now, in lower case."""
        if self._me:
            return self._me
        mend = 'git config --global user.email you@acme.example && git config --global user.name "You"'
        try:
            identity = self._git("var", "GIT_AUTHOR_IDENT").decode("utf-8", "replace")
        except GitFailed as failure:
            raise ShiplaneError(Problem("git user.email", failure.reason, mend)) from None
        self._me = identity[identity.index("<") + 1 : identity.index(">")].lower()
        if not self._me:  # git takes an empty one from its environment: that would be nobody, and everybody
            raise ShiplaneError(Problem("git user.email", "is empty", mend))
        return self._me

    def tree(self, files: Mapping[str, tuple[str, bytes]]) -> str:
        """The id of a new tree with `files` ({path: (mode, bytes)})."""
        return self.build([([Change(path, mode, data) for path, (mode, data) in files.items()], None)])[0]

    def commit(self, parents: Sequence[str], message: str, tree: str) -> str:
        """The id of a new commit, signed if the user's git signs commits."""
        lineage = [argument for parent in parents for argument in ("-p", parent)]
        self.me()
        if self._signing is None:
            self._signing = signing(self._folder)
        return self._git("commit-tree", *self._signing, tree, *lineage, stdin=message.encode()).decode().strip()

    def tree_of(self, commit: str) -> str:
        """The id of the tree of `commit`."""
        return self._git("rev-parse", f"{commit}^{{tree}}").decode().strip()

    def changed(self, base: str, head: str) -> tuple[str, ...]:
        """The paths in which two commits differ."""
        out = self._git("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head)
        return tuple(path for path in out.decode("utf-8", "surrogateescape").split("\0") if path)

    def edited(self, commit: str, changes: Iterable[Change]) -> str:
        """The id of the tree that `commit` has once `changes` are made; every other entry stays as it is."""
        return self.build([([*changes], commit)])[0]

    def push(self, updates: Sequence[Update]) -> frozenset[str]:
        """Move all refs or none; answers with the refs in which another writer was first: empty when all have moved.

        Where the remote itself saw the race it does not tell in which ref: then all of them are answered. Raises
        ShiplaneError when the remote refuses.
        """
        updates = [update for update in updates if update.before or update.after]
        # a lease on every ref: what is new must not be there, says the one without a name where nothing is tracked
        leases = ["--force-with-lease", *(f"--force-with-lease={u.ref}:{u.before}" for u in updates if u.before)]
        specs = [f"{u.after or ''}:{u.ref}" for u in updates]
        try:
            self._git("push", "--atomic", "--porcelain", "--no-verify", "--no-thin", *leases, "origin", *specs)
        except GitFailed as failure:
            told = rejections(failure.stdout)
            stale = frozenset(ref for ref, rejection in told.items() if rejection is Rejection.STALE)
            unseen = Rejection.LOST in told.values() or raced(failure.stderr)
            lost = frozenset(u.ref for u in updates) if unseen else stale
            if lost and Rejection.REFUSED not in told.values():
                return lost
            raise ShiplaneError(
                Problem(self.url, f"cannot be written: {failure.reason}", "check that you may push to it")
            ) from None
        return frozenset()

    def build(self, builds: Iterable[Build]) -> list[str]:
        """The ids of the trees that come of all `builds`, by one process; what was built before is known."""
        wanted = [(tuple(changes), commit) for changes, commit in builds]
        new = [each for each in dict.fromkeys(wanted) if each not in self._built]
        if new:
            out = self._git("fast-import", "--quiet", "--force", "--done", stdin=imported(new))
            self._built.update(zip(new, built(out), strict=True))
        return [self._built[each] for each in wanted]

    def bring(self, paths: Sequence[str], refspecs: Sequence[str]) -> None:
        """Have the files at `paths`, and these refs for the next `fetch` of them, in one request."""
        self._brought.clear()
        found = self.listing(paths)
        self._listed = {*paths}, found
        files = found.entries.values()
        self.blobs({entry.oid for entry in files if entry.mode in (FILE, EXECUTABLE)}, refspecs)
        self._brought.update(refspecs)

    def blobs(self, oids: set[str], refspecs: Sequence[str] = ()) -> dict[str, bytes]:
        """The bytes of files, those not read before in one fetch: asked for one by one, each costs a round trip.

        `refspecs` come with them. Raises ShiplaneError for more than a memory should hold.
        """
        wanted = "".join(f"{oid}\n" for oid in sorted(oids - self._read.keys())).encode()
        if wanted or refspecs:
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--prune", "--stdin",
                "origin", stdin=wanted + "".join(f"{each}\n" for each in refspecs).encode(),
                settings=["fetch.negotiationAlgorithm=noop"],
            )  # fmt: skip
        if wanted:
            sizes = self._git("cat-file", "--batch-check=%(objectsize)", stdin=wanted).split()
            if sum(map(int, sizes)) > _MEMORY:
                raise ShiplaneError(Problem(self.url, f"{len(sizes)} files to read hold more than {_MEMORY} bytes"))
            self._read.update(exported(self._git("cat-file", "--batch", stdin=wanted)))
        return {oid: self._read[oid] for oid in oids}

    def _git(
        self,
        verb: str,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
    ) -> bytes:
        environment = {**self.access.environment, **(environment or {})}
        return git(self._folder, verb, *arguments, stdin=stdin, environment=environment, settings=settings)


_MEMORY = 128 * 1024 * 1024  # bytes that are read at once: a dozen of the largest charts, and no more
_ARGUMENTS = 1000  # paths that one git is given: there is an end to what a process may be told (E2BIG)


@contextlib.contextmanager
def opened(where: Where, access: Access = ANYBODY) -> Iterator[Repository]:
    """The repository at an address, a path, or of a copy that is under way, at its tip; raises ShiplaneError."""
    with contextlib.ExitStack() as stack:
        copy = where if isinstance(where, Copy) else stack.enter_context(copying(where, access))
        copy.finish()
        try:
            repository = Repository(copy.url, copy.folder, copy.access)
        except GitFailed:
            mend = "git push origin main, or make one: gitops init DIR"
            raise NoBranch(Problem(copy.url, "has no commit on its default branch", mend)) from None
        yield repository
