"""The values that planning takes and gives: snapshots, changes, releases, drafts, pull requests. All frozen."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

FILE = "100644"
EXECUTABLE = "100755"
TREE = "040000"
GONE = "000000"
"""The mode of a path that a change takes away."""
NO_CHART = "–"
"""The chart of a release that carries none, in a layout of somebody else's."""
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a commit: its git mode, its object id and, for a file that was read, its bytes."""

    mode: str
    oid: str
    data: bytes | None = None


@dataclass(frozen=True)
class Snapshot:
    """What a commit holds at the paths that were asked for: those that exist, and all below a tree."""

    tip: str
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def get(self, path: str) -> Entry | None:
        """The entry at `path`, or None where the commit has none."""
        return self.entries.get(path)

    def data(self, path: str) -> bytes | None:
        """The bytes of the file at `path`, or None where there is no such file."""
        entry = self.entries.get(path)
        return entry.data if entry else None

    def filled(self, data: Mapping[str, bytes]) -> Snapshot:
        """The same, with the bytes of these files."""
        read = {path: replace(self.entries[path], data=each) for path, each in data.items()}
        return Snapshot(self.tip, {**self.entries, **read})

    def below(self, paths: Collection[str]) -> Snapshot:
        """Only what lies at `paths` or below them."""
        wanted = dict.fromkeys(path.rstrip("/") for path in paths)
        inside = (name for path in wanted for name in (path, *self._inside(path)))
        return Snapshot(self.tip, {path: self.entries[path] for path in inside if path in self.entries})

    def files(self, folder: str) -> dict[str, Entry]:
        """Every entry below `folder` that is not itself a tree, by its path inside the folder."""
        found = ((path, self.entries[path]) for path in self._inside(folder))
        return {path[len(folder) + 1 :]: entry for path, entry in found if entry.mode != TREE}

    @cached_property
    def _order(self) -> list[str]:
        return sorted(self.entries)

    def _inside(self, folder: str) -> list[str]:
        """The paths below `folder`: looked up, since hundreds of services are asked for one after the other."""
        start = bisect_left(self._order, f"{folder}/")
        return self._order[start : bisect_left(self._order, f"{folder}0", start)]  # "0" comes next after "/"


def above(path: str) -> list[str]:
    """`path`, after every folder above it."""
    parts = path.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


@dataclass(frozen=True, slots=True)
class Change:
    """One path of the commit to build: new bytes, or the id of an object that exists (a blob or a whole tree).

    With the mode `GONE` there is nothing at the path any more.
    """

    path: str
    mode: str
    content: bytes | str


@dataclass(frozen=True, slots=True)
class Release:
    """What moves through the lane: the image's tag, a full commit SHA unless the layout says otherwise, and digest."""

    tag: str
    digest: str

    @property
    def short(self) -> str:
        """The seven first digits of a commit, as people write it; any other tag whole."""
        return self.tag[:7] if self.commit else self.tag

    @property
    def commit(self) -> bool:
        """Whether the tag is a commit of the source, and not a version."""
        return _COMMIT.fullmatch(self.tag) is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release comes from; `run` orders releases, `proved` says that the chart was committed at the tag."""

    source: str
    chart: str
    run: int | None
    proved: bool


@dataclass(frozen=True, slots=True)
class Pin:
    """What one environment records for one service; `identity` is equal if and only if all carried objects are."""

    release: Release
    origin: Origin
    identity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """One pin that a pull request sets: `before` is None for a service's first release in the environment.

    `run` is the CI run of what is released; a promotion has none, since it may also carry what is older.
    """

    service: str
    environment: str
    before: Release | None
    after: Release
    run: int | None = None


@dataclass(frozen=True)
class Rendering:
    """All that is needed to render one result: for helm a chart's files by path, then values files in their order.

    helm calls it `release`, the service where that is empty. Where `overlay` names a folder among the files, kustomize
    builds that, and there are no values.
    """

    service: str
    environment: str
    namespace: str
    kubernetes: str | None
    chart: Mapping[str, tuple[str, bytes]]
    values: tuple[tuple[str, bytes], ...]
    release: str = ""
    overlay: str = ""

    @property
    def by(self) -> str:
        """The program that renders it."""
        return "kustomize" if self.overlay else "helm"


@dataclass(frozen=True, slots=True)
class Unrendered:
    """A result that is not rendered here, and why: that proves nothing, and must be said wherever it counts."""

    why: str


@dataclass(frozen=True)
class Draft:
    """A pull request to open or to update: everything about it that is known before an effect.

    `steps` is what a person is told before it happens; `merge` asks the forge to merge as soon as nothing stands
    against it; `replaces` are the entries as they were, so that a moved target makes a different `fingerprint`. Of
    several pins that it sets the first is `move`, and the others stand `beside` it.
    """

    branch: str
    title: str
    body: str
    changes: tuple[Change, ...]
    steps: tuple[str, ...]
    merge: bool = False
    move: Move | None = None
    replaces: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    beside: tuple[Move, ...] = ()

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every pin that it sets."""
        return (*([self.move] if self.move else []), *self.beside)

    @property
    def fingerprint(self) -> str:
        """Equal for drafts that change the same entries from the same state to the same state, by the same gates."""
        import hashlib  # OpenSSL comes with it

        digest = hashlib.sha256()
        for change in self.changes:
            content = change.content
            told = content if isinstance(content, str) else hashlib.sha256(content).hexdigest()
            digest.update(f"{change.path}\0{change.mode}\0{told}\0".encode())
        asked = (text for each in self.overrides for text in (each.gate, each.reason))
        digest.update("\0".join([*self.replaces, *asked]).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do; `reason` says why in one sentence. An open pull request of `branch` would undo that."""

    reason: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A gate that is asked to be opened by a break-glass team, and why."""

    gate: str
    reason: str
